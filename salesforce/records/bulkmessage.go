package records

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// The object of campaigns, and the fields of it that are spoken of.
const (
	bulkObject       = "TwilioSF_Bulk_Message__c"
	bulkStatus       = "Status__c"
	bulkCommand      = "Command__c"
	bulkProblem      = "Problem__c"
	bulkStarted      = "Started_At__c"
	bulkCompleted    = "Completed_At__c"
	bulkRate         = "Rate_Per_Second__c"
	bulkListView     = "List_View_Id__c"
	bulkQuery        = "Audience_Query__c"
	bulkBody         = "Body__c"
	bulkSender       = "Sender__c"
	bulkCampaign     = "Campaign__c"
	campaignKeyword  = "Opt_In_Keyword__c"
	bulkMessagesPart = "bulk-messages"
)

// bulkFields are what a campaign's record has. What an author says there is required:
// a time that we cannot see would be a campaign that is sent at once. The Campaign is
// not, for an org may be without; but who sees it must see its keyword too.
var bulkFields = func() []wanted {
	all := []wanted{
		{name: bulkStatus, types: textTypes, required: true},
		{name: bulkCommand, types: textTypes, required: true},
		{name: bulkBody, types: textTypes, required: true, read: true},
		{name: mediaURL, types: textTypes, required: true, read: true},
		{name: bulkSender, types: textTypes, required: true, read: true},
		{name: sendAt, types: []string{"datetime"}, required: true, read: true},
		{name: bulkRate, types: numberTypes, required: true, read: true},
		{name: bulkListView, types: textTypes, required: true, read: true},
		{name: bulkQuery, types: textTypes, required: true, read: true},
		{name: bulkCampaign, types: []string{"reference"}, to: campaignObject, read: true},
		{name: requestKey, types: textTypes, read: true},
		{name: bulkProblem, types: textTypes},
		{name: bulkStarted, types: []string{"datetime"}},
		{name: bulkCompleted, types: []string{"datetime"}},
	}
	for _, c := range bulkCounters {
		all = append(all, wanted{name: c.field, types: numberTypes})
	}
	return all
}()

// bulkCounters are what a campaign's record counts.
var bulkCounters = []struct {
	field string
	of    func(campaign.Counts) int
}{
	{"Total__c", campaign.Counts.Total},
	{"Accepted__c", func(c campaign.Counts) int { return c.Accepted }},
	{"Sent__c", func(c campaign.Counts) int { return c.Sent }},
	{"Delivered__c", func(c campaign.Counts) int { return c.Delivered }},
	{"Undelivered__c", func(c campaign.Counts) int { return c.Undelivered }},
	{"Failed__c", campaign.Counts.Unsuccessful},
	{"Blocked__c", func(c campaign.Counts) int { return c.Blocked }},
	{"Skipped__c", campaign.Counts.Skipped},
	{"Replied__c", func(c campaign.Counts) int { return c.Replied }},
}

// CampaignOrg is what is needed of an org to keep campaigns in; *salesforce.Org is one.
type CampaignOrg interface {
	PeopleOrg
	Inserter
	Asked
	Asker
}

// Campaigns are where campaigns' records are.
type Campaigns struct {
	org      CampaignOrg
	messages *Messages
	bulk     *planner
	keywords *planner // of Campaign, to read
	mass     Mass
	massFrom int
	told     statuses
	members  memberStatuses
}

var (
	_ campaign.Org   = (*Campaigns)(nil)
	_ campaign.Maker = (*Campaigns)(nil)
	_ CampaignOrg    = (*salesforce.Org)(nil)
)

// CampaignOptions say how much is written in which way.
type CampaignOptions struct {
	// Mass, which may be nil, writes more records at once than collections should:
	// from MassFrom on, 2,000 when that is 0.
	Mass     Mass
	MassFrom int
}

// Mass writes any number of records by a key, as collections do: the records are as these take
// them, and the results come in their order. What has an error is written by collections.
type Mass interface {
	UpsertMany(ctx context.Context, object, key string, records [][]byte) ([]salesforce.RowResult, error)
}

// NewCampaigns calls nobody. messages write the records of those who got none.
func NewCampaigns(org CampaignOrg, messages *Messages, o CampaignOptions) *Campaigns {
	if o.MassFrom <= 0 {
		o.MassFrom = defaultThreshold
	}
	return &Campaigns{
		org: org, messages: messages, mass: o.Mass, massFrom: o.MassFrom,
		bulk:     plannerOf(org, bulkObject, shapeOf(bulkObject, false, bulkFields)).daily(),
		keywords: plannerOf(org, campaignObject, shapeOf(campaignObject, false, []wanted{{name: campaignKeyword, types: []string{"reference"}, required: true, read: true}})).daily(),
	}
}

// shape is how records of campaigns are in this org.
func (c *Campaigns) shape(ctx context.Context) (*plan, error) {
	p, err := c.bulk.current(ctx)
	if err == nil && p.has(bulkCampaign) {
		// Without it everybody would be written to who has not opted in.
		_, err = c.keywords.current(ctx)
	}
	return p, err
}

// Part is the part that reads bulk messages: all that have changed, deleted ones as
// well, in the order in which they changed. take gets what there is of them, perhaps
// again and again.
func (c *Campaigns) Part(take func(context.Context, []campaign.Campaign) error) Part {
	var p *plan // as the org has them at this poll
	return Part{
		Name: bulkMessagesPart, Deleted: true, Changes: true, Refused: c.bulk.doubt,
		Prepare: func(ctx context.Context) (err error) {
			p, err = c.shape(ctx)
			return err
		},
		Query: func(time.Time) soql.Query {
			q := soql.Query{Fields: []string{"IsDeleted"}, From: bulkObject}
			if p != nil {
				q.Fields = append(q.Fields, authored(p)...)
			}
			return q
		},
		Take: func(ctx context.Context, rows []map[string]any) error {
			if len(rows) == 0 {
				return nil
			}
			all := make([]campaign.Campaign, len(rows))
			for i, row := range rows {
				var err error
				if all[i], err = readCampaign(p, row); err != nil {
					return err
				}
			}
			return take(ctx, all)
		},
	}
}

// authored are the columns that say what a campaign's author wants.
func authored(p *plan) []string {
	names := []string{"Name"}
	for _, name := range []string{bulkStatus, bulkCommand, bulkBody, mediaURL, bulkSender, sendAt, bulkRate, bulkListView, bulkQuery, bulkCampaign} {
		if p.has(name) {
			names = append(names, p.columns[name].Name)
		}
	}
	if p.has(bulkCampaign) {
		names = append(names, keywordPath(p))
	}
	return names
}

func keywordPath(p *plan) string {
	return p.columns[bulkCampaign].RelationshipName + "." + campaignKeyword
}

// readCampaign makes a Campaign of a record. A time that cannot be read is a fault:
// such a record must not count as one that is to be sent at once.
func readCampaign(p *plan, row map[string]any) (campaign.Campaign, error) {
	modified, known := timeOf(row, "SystemModstamp")
	at, timed := timeOf(row, sendAt)
	if !known || !timed && row[sendAt] != nil {
		return campaign.Campaign{}, &fault.Error{
			Class: fault.Transient, Op: "salesforce query", Code: salesforce.CodeUnreadable,
			Err: fmt.Errorf("a bulk message, %s, has a time that cannot be read", textOf(row, "Id")),
		}
	}
	rate, _ := row[bulkRate].(float64) //nolint:errcheck // null is none
	c := campaign.Campaign{
		ID: textOf(row, "Id"), Name: textOf(row, "Name"), Modified: modified.UTC(), Deleted: row["IsDeleted"] == true,
		Status:  oneOf(textOf(row, bulkStatus), campaign.Draft, campaign.Send, campaign.Scheduled, campaign.Sending, campaign.Paused, campaign.Canceled, campaign.Completed, campaign.Failed),
		Command: oneOf(textOf(row, bulkCommand), campaign.Pause, campaign.Resume, campaign.Cancel),
		Members: textOf(row, bulkCampaign), ListView: textOf(row, bulkListView), Query: textOf(row, bulkQuery),
		Body: textOf(row, bulkBody), Media: textOf(row, mediaURL), Sender: textOf(row, bulkSender), Rate: rate,
	}
	if timed {
		c.SendAt = at.UTC()
	}
	if p.has(bulkCampaign) {
		c.Keyword = nested(row, keywordPath(p))
	}
	return c, nil
}

// oneOf reads a word without regard to case, as SOQL compares it; "" for any other.
func oneOf[S ~string](text string, all ...S) S {
	for _, s := range all {
		if strings.EqualFold(text, string(s)) {
			return s
		}
	}
	return ""
}

// Read implements campaign.Org.
func (c *Campaigns) Read(ctx context.Context, ids []string) ([]campaign.Campaign, error) {
	all := make([]campaign.Campaign, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	p, err := c.shape(ctx)
	if err != nil {
		return nil, err
	}
	there := make(map[string]campaign.Campaign, len(ids))
	var unreadable error
	err = c.rows(ctx, append([]string{"Id", "SystemModstamp"}, authored(p)...), ids, func(row map[string]any) {
		one, err := readCampaign(p, row)
		unreadable = errors.Join(unreadable, err)
		there[one.ID] = one
	})
	if err = errors.Join(err, unreadable); err != nil {
		c.bulk.doubt(err)
		return nil, err
	}
	for i, id := range ids {
		one, found := there[id]
		if !found {
			one = campaign.Campaign{ID: id, Deleted: true}
		}
		all[i] = one
	}
	return all, nil
}

// rows reads fields of records by their ids.
func (c *Campaigns) rows(ctx context.Context, fields, ids []string, found func(map[string]any)) error {
	for from := 0; from < len(ids); from += salesforce.MaxCollection {
		some := ids[from:min(from+salesforce.MaxCollection, len(ids))]
		if err := ask(ctx, c.org, soql.Query{Fields: fields, From: bulkObject, Where: []string{soql.In("Id", some)}}, found); err != nil {
			return err
		}
	}
	return nil
}

// ask runs a query.
func ask(ctx context.Context, org Asked, q soql.Query, found func(map[string]any)) error {
	text, err := q.Build()
	if err != nil {
		return fault.New(fault.Permanent, "salesforce query", fmt.Errorf("%s: %w", q.From, err))
	}
	return org.Query(ctx, text, func(row map[string]any) error {
		found(row)
		return nil
	})
}
