package records

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Deliverability is on Salesforce's own Campaigns: who of their members a text would
// reach.
type Deliverability struct {
	org      CampaignOrg
	planner  *planner
	consents seen
}

var _ campaign.Forecasts = (*Deliverability)(nil)

// Forecasting is a Campaign that asks for its deliverability.
type Forecasting struct {
	ID      string
	Keyword string // the id of its opt-in keyword, "" for none
}

// What a Campaign's deliverability may be.
const (
	deliverabilityStatus = "Deliverability_Status__c"
	stale                = "stale"
	pending              = "pending"
	complete             = "complete"
)

const (
	// pendingEvery is how long somebody who asks waits at most until it is seen.
	pendingEvery = 15 * time.Second
	// staleEvery is how soon a forecast that holds no more says so.
	staleEvery = time.Minute
	// staleReach is how far back changes are looked for at the first poll, or after an
	// outage: all there ever was would be much to read.
	staleReach = 24 * time.Hour
)

var deliverabilityCounts = []struct {
	field string
	of    func(*campaign.Forecast) int
}{
	{"Deliverability_Deliverable__c", func(f *campaign.Forecast) int { return f.Deliverable }},
	{"Deliverability_Undelivered__c", func(f *campaign.Forecast) int { return f.Undelivered }},
	{"Deliverability_Failed__c", func(f *campaign.Forecast) int { return f.Failed }},
	{"Deliverability_Blocked__c", func(f *campaign.Forecast) int { return f.Blocked }},
	{"Deliverability_Unknown__c", func(f *campaign.Forecast) int { return f.Unknown }},
	{"Deliverability_No_Mobile__c", func(f *campaign.Forecast) int { return f.NoMobile }},
	{"Deliverability_Not_Opted_In__c", func(f *campaign.Forecast) int { return f.NotOptedIn }},
	{"Deliverability_Total__c", func(f *campaign.Forecast) int { return f.Total }},
}

// NewDeliverability calls nobody.
func NewDeliverability(org CampaignOrg) *Deliverability {
	fields := []wanted{
		{name: deliverabilityStatus, types: textTypes, required: true},
		{name: campaignKeyword, types: []string{"reference"}, required: true, read: true},
	}
	for _, c := range deliverabilityCounts {
		fields = append(fields, wanted{name: c.field, types: numberTypes})
	}
	return &Deliverability{org: org, planner: plannerOf(org, campaignObject, shapeOf(campaignObject, false, fields)).daily()}
}

func (d *Deliverability) prepare(ctx context.Context) error {
	_, err := d.planner.current(ctx)
	return err
}

// Parts are those that read which Campaigns ask for a forecast, and that mark those
// stale whose forecast holds no more, because their members have changed since or what
// was said of their keyword.
func (d *Deliverability) Parts(take func(context.Context, []Forecasting) error) []Part {
	return []Part{
		{
			Name: "campaigns-deliverability", Every: pendingEvery, Prepare: d.prepare, Refused: d.planner.doubt,
			Query: func(time.Time) soql.Query {
				return soql.Query{
					Fields: []string{"Id", campaignKeyword}, From: campaignObject,
					Where: []string{deliverabilityStatus + " = " + soql.Quote(pending)}, OrderBy: []string{"Id"},
				}
			},
			Take: func(ctx context.Context, rows []map[string]any) error {
				all := make([]Forecasting, len(rows))
				for i, row := range rows {
					all[i] = Forecasting{textOf(row, "Id"), textOf(row, campaignKeyword)}
				}
				return take(ctx, all)
			},
		},
		{
			Name: "campaigns-members", Every: staleEvery, Changes: true, Deleted: true, Prepare: d.prepare, Refused: d.planner.doubt,
			Query: func(now time.Time) soql.Query {
				return soql.Query{
					Fields: []string{"CampaignId", "Campaign.LastModifiedDate"}, From: memberObject,
					Where: []string{recently(now), "Campaign." + deliverabilityStatus + " = " + soql.Quote(complete)},
				}
			},
			Take: d.membersChanged,
		},
		{
			Name: "campaigns-opt-ins", Every: staleEvery, Changes: true, Deleted: true, Prepare: d.prepare, Refused: d.planner.doubt,
			Query: func(now time.Time) soql.Query {
				return soql.Query{Fields: []string{"Keyword__c"}, From: optInObject, Where: []string{recently(now), "Keyword__c != null"}}
			},
			Take: d.consentsChanged,
		},
	}
}

func recently(now time.Time) string {
	return "SystemModstamp >= " + soql.DateTime(now.Add(-staleReach))
}

// membersChanged marks Campaigns stale that have not been written since. Our own
// forecast is such a write; where a user's is, the change was seen before.
func (d *Deliverability) membersChanged(ctx context.Context, rows []map[string]any) error {
	var ids []string
	for _, row := range rows {
		changed, _ := timeOf(row, "SystemModstamp") // the poll has seen that it can be read
		counted, known := nestedTime(row, "Campaign", "LastModifiedDate")
		if id := textOf(row, "CampaignId"); known && changed.After(counted) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return d.mark(ctx, ids)
}

// consentsChanged marks the Campaigns of keywords stale that somebody has opted in to
// or out of since.
func (d *Deliverability) consentsChanged(ctx context.Context, rows []map[string]any) error {
	newest := map[string]time.Time{}
	fresh := d.consents.fresh(rows)
	for _, row := range fresh {
		changed, _ := timeOf(row, "SystemModstamp")
		if id := textOf(row, "Keyword__c"); changed.After(newest[id]) {
			newest[id] = changed
		}
	}
	if len(newest) == 0 {
		return nil
	}
	keywords := make([]string, 0, len(newest))
	for id := range newest {
		keywords = append(keywords, id)
	}
	slices.Sort(keywords)
	var ids []string
	for some := range slices.Chunk(keywords, salesforce.MaxCollection) {
		q := soql.Query{
			Fields: []string{"Id", campaignKeyword, "LastModifiedDate"}, From: campaignObject,
			Where: []string{deliverabilityStatus + " = " + soql.Quote(complete), soql.In(campaignKeyword, some)},
		}
		err := ask(ctx, d.org, q, func(row map[string]any) {
			if counted, known := timeOf(row, "LastModifiedDate"); known && newest[textOf(row, campaignKeyword)].After(counted) {
				ids = append(ids, textOf(row, "Id"))
			}
		})
		if err != nil {
			return err
		}
	}
	if err := d.mark(ctx, ids); err != nil {
		return err
	}
	d.consents.note(fresh)
	return nil
}

// mark makes Campaigns stale. One that is gone, or refuses, keeps nobody waiting.
func (d *Deliverability) mark(ctx context.Context, ids []string) error {
	rows := make([][]byte, len(ids))
	for i, id := range ids {
		row := appendField([]byte(`{"attributes":{"type":"`+campaignObject+`"}`), "id", id)
		rows[i] = append(appendField(row, deliverabilityStatus, stale), '}')
	}
	results, err := updateAll(ctx, d.org, rows)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Err != nil && fault.ClassOf(r.Err) == fault.Transient {
			return r.Err
		}
	}
	return nil
}

// Forecast implements campaign.Forecasts. ErrGone says that the Campaign is no more.
func (d *Deliverability) Forecast(ctx context.Context, id string, f campaign.Forecast) error {
	p, err := d.planner.current(ctx)
	if err != nil {
		return err
	}
	row := with(p.record(nil), "id", func(dst []byte) []byte { return appendString(dst, id) })
	for _, c := range deliverabilityCounts {
		if p.has(c.field) {
			row = with(row, c.field, func(dst []byte) []byte { return appendWhole(dst, c.of(&f), false) })
		}
	}
	row = append(appendField(row, deliverabilityStatus, complete), '}')
	results, err := updateAll(ctx, d.org, [][]byte{row})
	if err != nil {
		d.planner.doubt(err)
		return err
	}
	switch refusal := results[0].Err; {
	case refusal == nil:
		return nil
	case gone(refusal):
		return campaign.ErrGone
	default:
		d.planner.doubt(refusal)
		return worded(campaignObject, refusal)
	}
}

// seen remembers rows of the poll, which come again for minutes.
type seen struct {
	mu  sync.Mutex
	all map[string]time.Time // when they had changed, by their ids
}

// fresh are the rows that were not noted as they are.
func (s *seen) fresh(rows []map[string]any) (fresh []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		if at, _ := timeOf(row, "SystemModstamp"); at.After(s.all[textOf(row, "Id")]) {
			fresh = append(fresh, row)
		}
	}
	return fresh
}

// note notes rows, and forgets those that come no more.
func (s *seen) note(rows []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]time.Time{}
	}
	var newest time.Time
	for _, row := range rows {
		at, _ := timeOf(row, "SystemModstamp")
		s.all[textOf(row, "Id")] = at
		if at.After(newest) {
			newest = at
		}
	}
	for id, at := range s.all {
		if newest.Sub(at) > 2*overlap {
			delete(s.all, id)
		}
	}
}

// nestedTime reads a time of a row's parent.
func nestedTime(row map[string]any, parent, field string) (time.Time, bool) {
	within, ok := row[parent].(map[string]any)
	if !ok {
		return time.Time{}, false
	}
	return timeOf(within, field)
}
