package records

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// The objects of consent and their fields.
const (
	optInObject   = "TwilioSF_Opt_In__c"
	optInKey      = "Unique_Key__c"
	keywordObject = "TwilioSF_Opt_In_Keyword__c"
)

var optInFields = []string{
	optInKey, "Phone_Number__c", "Active__c", "Opt_In_At__c", "Opt_Out_At__c", "Message_SID__c", "Keyword__c",
}

const (
	// keywordsEvery and optInsEvery are how often these are read: a user who has
	// changed one waits no longer than that.
	keywordsEvery = time.Minute
	optInsEvery   = time.Minute
	// anyClock is how far the org's clock may be from ours.
	anyClock = time.Hour
)

// Keywords is the part that reads the org's keywords, all of them each time: they
// are few, and one that is deleted is missing by itself.
func Keywords(take func(context.Context, []consent.Keyword) error) Part {
	return Part{
		Name: "keywords",
		Query: func(time.Time) soql.Query {
			return soql.Query{Fields: []string{"Id", "Name", "Reply__c", "Campaign__c"}, From: keywordObject, OrderBy: []string{"Id"}}
		},
		Every: keywordsEvery,
		Take: func(ctx context.Context, rows []map[string]any) error {
			all := make([]consent.Keyword, len(rows))
			for i, row := range rows {
				all[i] = consent.Keyword{ID: textOf(row, "Id"), Word: textOf(row, "Name"), Reply: textOf(row, "Reply__c"), Campaign: textOf(row, "Campaign__c")}
			}
			return take(ctx, all)
		},
	}
}

// OptInReader reads opt-ins as the org shows them. It implements consent.Rows.
type OptInReader struct {
	Org Asked
	// Number reads what is in the field; what it refuses is left out.
	Number func(string) (message.Number, bool)
}

// Asked runs one query; *salesforce.Org is one.
type Asked interface {
	Query(ctx context.Context, soql string, row func(map[string]any) error) error
}

var _ consent.Rows = (*OptInReader)(nil)

// Changed is the part that reads the opt-ins that have changed since, the first
// time by a time that what was read otherwise covers.
func (r *OptInReader) Changed(since time.Time, take func(context.Context, []message.OptIn) error) Part {
	return Part{
		Name: "opt-ins",
		Query: func(time.Time) soql.Query {
			return soql.Query{Fields: optInFields, From: optInObject, Where: []string{"SystemModstamp >= " + soql.DateTime(since.Add(-anyClock))}}
		},
		Changes: true,
		Every:   optInsEvery,
		Take: func(ctx context.Context, rows []map[string]any) error {
			return take(ctx, r.all(rows))
		},
	}
}

// OptIns implements consent.Rows. Pages go by Id, so that a place stays one
// whatever is written meanwhile.
func (r *OptInReader) OptIns(ctx context.Context, after string) (rows []message.OptIn, next string, err error) {
	q := soql.Query{
		Fields: append([]string{"Id", "SystemModstamp"}, optInFields...), From: optInObject, OrderBy: []string{"Id"}, Limit: consent.PageSize,
	}
	if after != "" {
		q.Where = []string{"Id > " + soql.Quote(after)}
	}
	text, err := q.Build()
	if err != nil {
		return nil, "", err
	}
	var read []map[string]any
	if err := r.Org.Query(ctx, text, func(row map[string]any) error {
		read = append(read, row)
		return nil
	}); err != nil {
		if fault.CodeOf(err) == salesforce.CodeInvalidType {
			err = fmt.Errorf("%w: %w", consent.ErrNone, err)
		}
		return nil, "", err
	}
	if len(read) == consent.PageSize {
		next = textOf(read[len(read)-1], "Id")
	}
	return r.all(read), next, nil
}

func (r *OptInReader) all(rows []map[string]any) []message.OptIn {
	all := make([]message.OptIn, 0, len(rows))
	for _, row := range rows {
		if o, ok := r.read(row); ok {
			all = append(all, o)
		}
	}
	return all
}

// read makes an opt-in of a row.
func (r *OptInReader) read(row map[string]any) (message.OptIn, bool) {
	typed := message.Number(textOf(row, "Phone_Number__c"))
	keyword := textOf(row, "Keyword__c")
	number, ok := r.Number(string(typed))
	of, ours := strings.CutPrefix(textOf(row, optInKey), string(typed)+":")
	if ours = ours && typed != ""; ours {
		number, ok = typed, true // it is our own writing
		if keyword == "" && of != "*" {
			keyword = of // its record is deleted: what was said of it is not said of the number as a whole
		}
	}
	active, _ := row["Active__c"].(bool) //nolint:errcheck // what is no checkbox is not checked
	if !ok || !ours && keyword == "" && active {
		// The latter may have had a keyword that is deleted, and must not lift a STOP.
		return message.OptIn{}, false
	}
	o := message.OptIn{
		Number: number, Keyword: keyword, Active: active, Message: message.SID(textOf(row, "Message_SID__c")), Loose: !ours && keyword == "",
	}
	dateOptIn(&o, row)
	o.Key = consent.Key(consent.Subject(number), keyword)
	return o, true
}

// dateOptIn gives an opt-in its dates. One that a user or a form has made or
// changed need not bear those that go with it: then it counts from its last
// change, and after that one nothing does, whatever somebody has typed. Dates that
// say the opposite of the check box are put right, or its next change would seem
// to have been made then.
func dateOptIn(o *message.OptIn, row map[string]any) {
	changed, _ := timeOf(row, "SystemModstamp")
	read := func(field string) time.Time {
		at, _ := timeOf(row, field)
		if at.After(changed) {
			at = changed
		}
		return at.UTC()
	}
	o.InAt, o.OutAt = read("Opt_In_At__c"), read("Opt_Out_At__c")
	switch {
	case o.Active && !o.InAt.After(o.OutAt):
		o.Loose = o.Loose || !o.OutAt.IsZero()
		o.InAt = changed.UTC()
	case !o.Active && (o.OutAt.IsZero() || o.OutAt.Before(o.InAt)):
		o.Loose = o.Loose || !o.InAt.IsZero()
		o.OutAt = changed.UTC()
	}
}
