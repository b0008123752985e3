package records

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// AudienceOrg is what is needed of an org to read who a campaign is for;
// *salesforce.Org is one.
type AudienceOrg interface {
	PhoneOrg
	Asked
	ListView(ctx context.Context, object, id string) (salesforce.ListView, error)
}

// AudienceOptions say how audiences are read.
type AudienceOptions struct {
	// Objects are those with phone fields of the operator's choice; of all others the
	// fields are known or are found by their type.
	Objects []PhoneObject
	// LastStatus are the fields on people that a campaign leaves the blocked out by.
	LastStatus LastStatusNames
	// BulkThreshold is from how many people on a job of Bulk API 2.0 reads them; 0 is
	// 2,000.
	BulkThreshold int
}

// Audiences read who a campaign is for.
type Audiences struct {
	org       AudienceOrg
	objects   *shelf
	phones    map[string][]string // the operator's choice, by the object in lower case
	status    string
	threshold int
}

var (
	_ campaign.Audiences = (*Audiences)(nil)
	_ AudienceOrg        = (*salesforce.Org)(nil)
)

const defaultThreshold = 2000

// NewAudiences calls nobody.
func NewAudiences(org AudienceOrg, o AudienceOptions) *Audiences {
	a := &Audiences{org: org, objects: newShelf(org), phones: map[string][]string{}, status: o.LastStatus.Status, threshold: o.BulkThreshold}
	if a.status == "" {
		a.status = lastStatusField
	}
	if a.threshold <= 0 {
		a.threshold = defaultThreshold
	}
	for _, object := range o.Objects {
		if len(object.Fields) > 0 {
			a.phones[strings.ToLower(object.Object)] = object.Fields
		}
	}
	return a
}

const opAudience = "salesforce audience"

// unfit is the fault of an audience or a body that its author has to mend.
func unfit(format string, args ...any) *fault.Error {
	hint := fmt.Sprintf(format, args...)
	return &fault.Error{Class: fault.Permanent, Op: opAudience, Hint: hint, Err: errors.New("the campaign cannot be read as it stands")}
}

// Prepare implements campaign.Audiences with one call, besides those that describe
// objects and list views: the org says whether it takes the query, and counts.
//
// In the body, Contact and Lead mean the member of a Campaign, whichever it is: a
// field of one is read from the other where that has it too, and is empty where not.
func (a *Audiences) Prepare(ctx context.Context, c campaign.Campaign, fields []campaign.Field) (campaign.Audience, error) {
	q, err := a.query(ctx, c)
	if err != nil {
		return campaign.Audience{}, err
	}
	cols, err := a.columnsOf(ctx, q.Object, fields)
	if err != nil {
		return campaign.Audience{}, err
	}
	total, err := a.try(ctx, q, cols.all)
	if err != nil {
		return campaign.Audience{}, err
	}
	if most, limited := q.Most(); limited {
		total = min(total, most)
	}
	q.Fields = nil // what the author's own fields show is of no use
	return campaign.Audience{Object: cols.object, SOQL: q.With(cols.all...), Phones: cols.phones, Fields: fields, Large: total > a.threshold}, nil
}

// query is the one that a campaign's author has chosen.
func (a *Audiences) query(ctx context.Context, c campaign.Campaign) (campaign.Query, error) {
	const members = "SELECT Id FROM " + memberObject + " WHERE CampaignId = "
	text, about := c.Query, "Audience Query"
	var err error
	switch ways := []string{c.Members, c.ListView, c.Query}; {
	case countSet(ways) != 1:
		return campaign.Query{}, unfit("A bulk message has one audience: fill one of Campaign, List View ID and Audience Query, and no other.")
	case c.Members != "":
		text = members + soql.Quote(c.Members)
	case c.ListView != "":
		text, err = a.listView(ctx, strings.TrimSpace(c.ListView))
		about = "query of the list view"
	}
	if err != nil {
		return campaign.Query{}, err
	}
	q, err := campaign.ParseQuery(text)
	if err != nil {
		return q, unfit("The %s cannot be used: %s.", about, err)
	}
	return q, nil
}

func countSet(ways []string) (n int) {
	for _, way := range ways {
		if way != "" {
			n++
		}
	}
	return n
}

// try lets the org read the query without finding anybody, and count.
func (a *Audiences) try(ctx context.Context, q campaign.Query, columns []string) (total int, err error) {
	queries := []salesforce.CompositeQuery{{SOQL: q.Page("", 0, columns...)}, {SOQL: q.Counting()}}
	outcomes, err := a.org.Queries(ctx, queries, func(_ int, row map[string]any) error {
		if n, ok := row["total"].(float64); ok {
			total = int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if outcomes[0] != nil {
		return 0, a.refused(outcomes[0])
	}
	if codesTooLarge[fault.CodeOf(outcomes[1])] {
		return a.threshold + 1, nil
	}
	return total, a.refused(outcomes[1])
}

// refusedQueries are Salesforce's words for a query that is wrong as it stands. Fields
// and objects of ours are not among what it asks for but those that were described.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
var refusedQueries = map[string]bool{
	salesforce.CodeInvalidField: true, salesforce.CodeInvalidType: true, "MALFORMED_QUERY": true, "INVALID_QUERY_FILTER_OPERATOR": true,
	"INVALID_QUERY_SCOPE": true, "QUERY_TOO_COMPLICATED": true, "NUMBER_OUTSIDE_VALID_RANGE": true, "API_ERROR": true, "INVALIDQUERY": true, "INVALID_ID_FIELD": true,
}

// refused puts what the org says of a query into the words for its author. The wire
// has cut the query's values out of it.
func (a *Audiences) refused(err error) error {
	f := fault.Of(err)
	if f == nil || !refusedQueries[f.Code] {
		return err
	}
	a.objects.forget()
	with := *f
	with.Class, with.Hint = fault.Permanent, "Salesforce refuses the query of the audience ("+f.Code+")"
	if f.Err != nil {
		with.Hint += ": " + withoutPlace(f.Err.Error())
	}
	return &with
}

// withoutPlace leaves out where in the statement a fault is: the statement is ours,
// made of the author's.
func withoutPlace(text string) string {
	if rest, found := strings.CutPrefix(text, "ERROR at Row:"); found {
		if _, words, more := strings.Cut(rest, " "); more {
			return words
		}
	}
	return text
}

const (
	scopeAll       = "everything"
	listViewPrefix = "00B"
)

// listView reads a list view's query.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_listview.htm
func (a *Audiences) listView(ctx context.Context, id string) (string, error) {
	if !strings.HasPrefix(id, listViewPrefix) || !isID(id) {
		return "", unfit("The List View ID is none: it has 15 or 18 letters and digits and begins with 00B, as in the address of the list view.")
	}
	gone := unfit("The list view does not exist, or the integration user cannot see it: choose another one, or share it with all users.")
	text, err := soql.Query{Fields: []string{"SobjectType", "IsSoqlCompatible"}, From: "ListView", Where: []string{"Id = " + soql.Quote(id)}}.Build()
	if err != nil {
		return "", err
	}
	object, plain := "", false
	err = a.org.Query(ctx, text, func(row map[string]any) error {
		object, plain = textOf(row, "SobjectType"), row["IsSoqlCompatible"] == true
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case object == "":
		return "", gone
	case !plain:
		return "", unfit("Salesforce cannot express this list view as a query: choose another one, or write an Audience Query.")
	}
	v, err := a.org.ListView(ctx, object, id)
	switch {
	case fault.CodeOf(err) == salesforce.CodeNotFound:
		return "", gone
	case err != nil:
		return "", err
	case v.Scope != "" && v.Scope != scopeAll:
		return "", unfit("This list view shows the records of whoever looks at it (scope %s), and of the integration user there are others than of its author: "+
			"let it show all records, and choose by a condition on the owner.", v.Scope)
	}
	return v.Query, nil
}

// isID says whether s has the form of a record's id.
func isID(s string) bool {
	return (len(s) == 15 || len(s) == 18) && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) < 0
}
