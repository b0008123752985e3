package records

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
)

// Begin implements campaign.Audiences.
func (a *Audiences) Begin(ctx context.Context, from campaign.Audience) (string, error) {
	if !from.Large {
		return "", nil
	}
	job, err := a.org.StartBulkQuery(ctx, from.SOQL, false)
	return job, a.refused(err)
}

// Page implements campaign.Audiences. A query's locator is the Id that the page
// before has ended with, so it holds whatever is written meanwhile. One that its
// author has limited is read in one go: who is among the first depends on the order.
func (a *Audiences) Page(ctx context.Context, from campaign.Audience, export, locator string) ([]campaign.Person, string, error) {
	if export != "" {
		return a.exported(ctx, from, export, locator)
	}
	q, err := campaign.ParseQuery(from.SOQL)
	if err != nil {
		return nil, "", fault.New(fault.Permanent, opAudience, err) // it is ours
	}
	text := from.SOQL
	_, whole := q.Most()
	if !whole {
		after := ""
		if locator != "" {
			after = "Id > " + soql.Quote(locator)
		}
		text = q.Page(after, campaign.PageSize)
	}
	var found []campaign.Person
	last := ""
	err = a.org.Query(ctx, text, func(row map[string]any) error {
		last = textOf(row, "Id")
		found = append(found, a.person(&from, func(column string) string { return nested(row, column) }))
		return nil
	})
	if err != nil {
		return nil, "", a.refused(err)
	}
	if whole || len(found) < campaign.PageSize {
		last = ""
	}
	return found, last, nil
}

// codeNoLocator is Salesforce's word for a place that it does not know.
const codeNoLocator = "INVALID_QUERY_LOCATOR"

// exported reads a page of an export.
func (a *Audiences) exported(ctx context.Context, from campaign.Audience, export, locator string) ([]campaign.Person, string, error) {
	if locator == "" {
		if err := a.await(ctx, export); err != nil {
			return nil, "", err
		}
	}
	numbers, err := a.numbersIn(ctx, &from)
	if err != nil {
		return nil, "", err
	}
	var found []campaign.Person
	next, err := a.org.BulkQueryRows(ctx, export, locator, campaign.PageSize, func(row map[string]string) error {
		found = append(found, a.person(&from, func(column string) string {
			value := flat(row, column)
			if numbers[strings.ToLower(column)] {
				value = shortened(value)
			}
			return value
		}))
		return nil
	})
	if fault.ClassOf(err) == fault.Permanent || fault.CodeOf(err) == codeNoLocator {
		return nil, "", fmt.Errorf("%w: %w", campaign.ErrGone, err)
	}
	if err != nil {
		return nil, "", exportGone(err)
	}
	return found, next, nil
}

// await waits for an export. One that failed is gone, unless it was refused for good
// or somebody has aborted it.
func (a *Audiences) await(ctx context.Context, export string) error {
	err := a.org.AwaitBulkQuery(ctx, export)
	if err == nil || ctx.Err() != nil || fault.ClassOf(err) == fault.Permanent {
		return a.refused(err)
	}
	if state, asked := a.org.BulkQueryState(ctx, export); asked == nil && state.Failed {
		return fmt.Errorf("%w: %w", campaign.ErrGone, err)
	}
	return exportGone(err)
}

// exportGone names an export that is no more.
func exportGone(err error) error {
	if noExport(err) != err { //nolint:errorlint // it answers its argument, or wraps it
		return fmt.Errorf("%w: %w", campaign.ErrGone, err)
	}
	return err
}

// Finish implements campaign.Audiences.
func (a *Audiences) Finish(ctx context.Context, export string) error {
	if export == "" {
		return nil
	}
	return a.org.DropBulkQuery(ctx, export)
}

// person makes one of a row, whose columns value reads: "" for those that it does not
// have.
func (a *Audiences) person(from *campaign.Audience, value func(column string) string) campaign.Person {
	p := campaign.Person{Link: message.Link{Object: from.Object, ID: value("Id")}, Fields: make([]string, len(from.Fields))}
	prefix := ""
	members := from.Object == memberObject
	if members {
		p.Member = p.Link.ID // and its link, if the person is not to be seen
		for _, kind := range memberKinds {
			if id := value(kind + "Id"); id != "" {
				p.Link, prefix = message.Link{Object: kind, ID: id}, kind+"."
				break
			}
		}
	}
	for _, column := range from.Phones {
		if !strings.HasPrefix(column, prefix) {
			continue
		}
		if phone := value(column); phone != "" {
			p.Phones = append(p.Phones, phone)
		}
	}
	for _, name := range []string{a.status, strings.TrimSuffix(a.status, "__c") + "__pc"} {
		if last := value(prefix + name); last != "" {
			p.Last = strings.ToLower(last)
			break
		}
	}
	for i, f := range from.Fields {
		switch {
		case !members, strings.EqualFold(f.Object, memberObject):
			p.Fields[i] = value(f.Path)
		case strings.EqualFold(f.Object, campaignObject):
			p.Fields[i] = value(campaignObject + "." + f.Path)
		default:
			p.Fields[i] = value(prefix + f.Path)
		}
	}
	return p
}

// nested reads a column of a query's row, whose parents are rows within.
func nested(row map[string]any, column string) string {
	for {
		step, rest, more := strings.Cut(column, ".")
		v := member(row, step)
		if !more {
			return shown(v)
		}
		within, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		row, column = within, rest
	}
}

// member is a row's field, whose name may be written in any case.
func member(row map[string]any, name string) any {
	if v, ok := row[name]; ok {
		return v
	}
	for key, v := range row {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

func shown(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

// flat reads a column of an export's row.
func flat(row map[string]string, column string) string {
	if v, ok := row[column]; ok {
		return v
	}
	for key, v := range row {
		if strings.EqualFold(key, column) {
			return v
		}
	}
	return ""
}

// shortened writes a number of an export as a query shows it: 12 for 12.0.
func shortened(number string) string {
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return number
	}
	return shown(v)
}

// numbersIn are the columns of an audience's fields that are numbers, in lower case.
func (a *Audiences) numbersIn(ctx context.Context, from *campaign.Audience) (map[string]bool, error) {
	numbers := map[string]bool{}
	for _, f := range from.Fields {
		objects, prefix := []string{from.Object}, ""
		switch {
		case from.Object != memberObject, strings.EqualFold(f.Object, memberObject):
		case strings.EqualFold(f.Object, campaignObject):
			objects, prefix = []string{campaignObject}, campaignObject+"."
		default:
			objects = []string{people.Contact, people.Lead}
		}
		for _, name := range objects {
			d, err := a.objects.Describe(ctx, name)
			if err != nil {
				return nil, err
			}
			if len(objects) > 1 {
				prefix = name + "."
			}
			_, numeric, err := a.resolve(ctx, &d, f)
			if err != nil && fault.ClassOf(err) != fault.Permanent {
				return nil, err
			}
			numbers[strings.ToLower(prefix+f.Path)] = numeric && err == nil
		}
	}
	return numbers, nil
}
