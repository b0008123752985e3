package records

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// askedAtOnce is how many records a query names. A statement may have 100,000
// characters, and a name takes 21.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
const askedAtOnce = 2000

// overBulk are the statuses of bulk messages that are over.
var overBulk = []string{"Completed", "Canceled", "Failed"}

// Page implements archive.Source.
func (a *Archive) Page(ctx context.Context, c archive.Criteria, after string, limit int) ([]archive.Record, error) {
	p, err := a.messages.current(ctx)
	if err != nil {
		return nil, err
	}
	where := a.where(p, c)
	if after != "" {
		where = append(where, "Id > "+soql.Quote(after))
	}
	all, err := a.read(ctx, p, archive.Messages, soql.Query{Where: where, OrderBy: []string{"Id"}, Limit: limit})
	if f := fault.Of(err); f != nil && a.o.Where != "" && (f.Class == fault.Permanent || f.Code == salesforce.CodeInvalidField) {
		told := *f
		told.Hint = "The org does not understand the query: look at archive.where."
		return nil, &told
	}
	return all, err
}

// where is everything that must hold of a message.
func (a *Archive) where(p *plan, c archive.Criteria) []string {
	created := "CreatedDate"
	if f, ok := p.columns[archive.ColCreated]; ok {
		created = f.Name
	}
	status := p.columns[archive.ColStatus].Name
	all := []string{
		a.names.SID + " != null",
		created + " < " + soql.DateTime(c.Before),
		"NOT " + soql.In(status, []string{"Draft", "Send", "Uncertain"}),
		status + " != " + soql.Quote(string(message.Scheduled)) + " OR " + created + " < " + soql.DateTime(c.Scheduled),
	}
	if c.Days > 1 {
		// By the org's clock, in days of the user's time zone: a day less, so that it is
		// no stricter than ours.
		all = append(all, created+" < N_DAYS_AGO:"+strconv.Itoa(c.Days-1))
	}
	if f, ok := p.columns[archive.ColAfter]; ok {
		all = append(all, f.Name+" = null OR "+f.Name+" <= TODAY")
	}
	if f, ok := p.columns[archive.ColArchived]; ok && c.Unmarked {
		all = append(all, f.Name+" = false")
	}
	if f, ok := p.columns["Bulk_Message__c"]; ok && f.RelationshipName != "" {
		all = append(all, f.Name+" = null OR "+soql.In(f.RelationshipName+".Status__c", overBulk))
	}
	if a.o.Hold != "" {
		all = append(all, a.o.Hold+" = false")
	}
	if f, ok := p.columns["Direction__c"]; ok && len(a.o.Directions) > 0 {
		all = append(all, soql.In(f.Name, a.o.Directions))
	}
	if len(a.o.Statuses) > 0 {
		all = append(all, soql.In(status, a.o.Statuses))
	}
	if a.o.Where != "" {
		all = append(all, a.o.Where)
	}
	return all
}

// Again implements archive.Source.
func (a *Archive) Again(ctx context.Context, ids []string) ([]archive.Record, error) {
	p, err := a.messages.current(ctx)
	if err != nil {
		return nil, err
	}
	return a.readIn(ctx, p, archive.Messages, "Id", ids)
}

// Media implements archive.Source.
func (a *Archive) Media(ctx context.Context, parents []string) ([]archive.Record, error) {
	p, err := a.medium.current(ctx)
	if err != nil {
		return nil, err
	}
	all, err := a.readIn(ctx, p, archive.Media, p.columns[archive.ColMessage].Name, parents)
	return all, err
}

// Held implements archive.Source.
func (a *Archive) Held(ctx context.Context, sids []message.SID) (map[message.SID]bool, error) {
	return (&Messages{org: a.org, names: a.names, planner: a.messages}).Held(ctx, sids)
}

// readIn reads the records whose field has one of the values.
func (a *Archive) readIn(ctx context.Context, p *plan, t archive.Table, field string, values []string) ([]archive.Record, error) {
	var all []archive.Record
	for some := range slices.Chunk(values, askedAtOnce) {
		got, err := a.read(ctx, p, t, soql.Query{Where: []string{soql.In(field, some)}})
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	return all, nil
}

// read runs a query for all that is kept of a table's records.
func (a *Archive) read(ctx context.Context, p *plan, t archive.Table, q soql.Query) ([]archive.Record, error) {
	keys := slices.Sorted(maps.Keys(p.columns))
	q.From = p.object
	for _, key := range keys {
		q.Fields = append(q.Fields, p.columns[key].Name)
	}
	parent := ""
	if t == archive.Media {
		parent = p.columns[archive.ColMessage].RelationshipName
		q.Fields = append(q.Fields, parent+"."+a.names.SID)
	}
	text, err := q.Build()
	if err != nil {
		return nil, fault.New(fault.Permanent, "salesforce query", err)
	}
	var all []archive.Record
	err = a.org.Query(ctx, text, func(row map[string]any) error {
		r, err := archived(p, t, keys, row)
		if err != nil {
			return err
		}
		if of, _ := row[parent].(map[string]any); of != nil { //nolint:errcheck // null is none
			sid, _ := of[a.names.SID].(string) //nolint:errcheck // as above
			r.Set(archive.ColSID, sid)
		}
		all = append(all, r)
		return nil
	})
	return all, err
}

// archived makes of a row what the archive keeps of it. A value that does not fit its
// column goes beside, with the org's own fields: nothing is lost.
func archived(p *plan, t archive.Table, keys []string, row map[string]any) (archive.Record, error) {
	r, extra := archive.NewRecord(t), map[string]any{}
	for _, key := range keys {
		f := p.columns[key]
		v := row[f.Name]
		if v == nil {
			continue
		}
		if s, ok := v.(string); ok {
			v, _ = Normalise(s)
		}
		if strings.HasPrefix(key, extraField) || !setAs(&r, t, key, v) {
			extra[f.Name] = v
		}
	}
	if len(extra) > 0 {
		text, err := extraText(extra)
		if err != nil {
			return r, err
		}
		r.Set(archive.ColExtra, text)
	}
	if r.ID() == "" {
		return r, fault.New(fault.Transient, "salesforce query", errors.New("a record without an id"))
	}
	return r, nil
}

// setAs sets a column to what the org answered.
func setAs(r *archive.Record, t archive.Table, column string, v any) bool {
	i := slices.IndexFunc(archive.Columns(t), func(c archive.Column) bool { return c.Name == column })
	if i < 0 {
		return false
	}
	switch archive.Columns(t)[i].Type {
	case archive.Instant:
		at := modified(fmt.Sprint(v))
		return !at.IsZero() && r.Set(column, at)
	case archive.Day:
		at, err := time.Parse(time.DateOnly, fmt.Sprint(v))
		return err == nil && r.Set(column, at.UTC())
	case archive.Number:
		n, ok := number(v)
		return ok && r.Set(column, n)
	case archive.Whole:
		n, ok := number(v)
		return ok && n == float64(int64(n)) && r.Set(column, int64(n))
	case archive.Flag:
		b, ok := v.(bool)
		return ok && r.Set(column, b)
	default:
		return setText(r, column, v)
	}
}

func setText(r *archive.Record, column string, v any) bool {
	switch v := v.(type) {
	case string:
		return v == "" || r.Set(column, v)
	case float64:
		return r.Set(column, strconv.FormatFloat(v, 'f', -1, 64))
	default:
		return false
	}
}

// number reads a number, of a field of text too if it is written as ours are.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && strconv.FormatFloat(n, 'f', -1, 64) == v
	default:
		return 0, false
	}
}
