package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/simpleforce/simpleforce"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// MaxQueries is the most queries one composite call carries.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
const MaxQueries = 5

// CompositeQuery is one SOQL query of Queries.
type CompositeQuery struct {
	SOQL string
	All  bool // deleted records as well (queryAll)
}

// Queries runs up to five queries in one call, which counts as one, and calls
// row for each record of query i, query after query. Pages after the first are
// calls of their own. Records are as Query gives them.
//
// Each query has an outcome of its own, nil or its fault, which keeps the others
// from nothing; one that failed on a later page has called row for the earlier
// ones. err is for the call as a whole, or row's, which ends everything.
func (o *Org) Queries(ctx context.Context, qs []CompositeQuery, row func(i int, record map[string]any) error) (outcomes []error, err error) {
	const op = "queries"
	switch {
	case len(qs) == 0:
		return nil, nil
	case len(qs) > MaxQueries:
		return nil, fault.New(fault.Permanent, opName(op), fmt.Errorf("%d queries in one call, %d are allowed", len(qs), MaxQueries))
	}
	parts, err := o.composite(ctx, op, qs)
	if err != nil {
		return nil, err
	}
	outcomes = make([]error, len(qs))
	for i, part := range parts {
		first, err := part.page(op, qs[i].SOQL)
		refused, failed := o.pages(ctx, first, err, func(r map[string]any) error { return row(i, r) })
		if refused != nil {
			return nil, refused
		}
		outcomes[i] = failed
	}
	return outcomes, nil
}

// pages hands out a query's records from its first page on. refused is row's
// own error; err says that a page could not be had.
func (o *Org) pages(
	ctx context.Context, page *simpleforce.QueryResult, err error, row func(map[string]any) error,
) (refused, failed error) {
	for ; err == nil; page, err = o.page(ctx, page.NextRecordsURL) {
		for _, record := range page.Records {
			// The library hides its client in each record.
			delete(record, "__client__")
			if err := row(record); err != nil {
				return err, nil
			}
		}
		if page.Done || page.NextRecordsURL == "" {
			return nil, nil
		}
	}
	return nil, err
}

// compositePart is the answer to one query of a composite call.
type compositePart struct {
	Status int            `json:"httpStatusCode"`
	Body   jsontext.Value `json:"body"`
}

// composite puts queries into the body of one call, which counts as one and has
// room for long ones.
func (o *Org) composite(ctx context.Context, op string, qs []CompositeQuery) ([]compositePart, error) {
	type part struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		ReferenceID string `json:"referenceId"`
	}
	parts := make([]part, len(qs))
	for i, q := range qs {
		resource := "/query?q="
		if q.All {
			resource = "/queryAll?q="
		}
		parts[i] = part{http.MethodGet, o.path(resource + url.QueryEscape(q.SOQL)), "query" + strconv.Itoa(i)}
	}
	body, err := json.Marshal(struct {
		AllOrNone bool   `json:"allOrNone"`
		Parts     []part `json:"compositeRequest"`
	}{Parts: parts})
	if err != nil {
		return nil, fault.New(fault.Permanent, opName(op), errors.New("the query is not valid UTF-8"))
	}
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodPost, Path: "/composite", Body: body, Repeatable: true})
	if err != nil {
		return nil, err
	}
	var outer struct {
		Parts []compositePart `json:"compositeResponse"`
	}
	if err := json.Unmarshal(data, &outer); err != nil || len(outer.Parts) != len(qs) {
		return nil, unreadable(op, fmt.Errorf("a composite answer with %d parts instead of %d", len(outer.Parts), len(qs)))
	}
	return outer.Parts, nil
}

// page is the first page of the query's result, or the fault of its refusal.
func (p *compositePart) page(op, soql string) (*simpleforce.QueryResult, error) {
	if p.Status != http.StatusOK {
		e, _ := firstError(p.Body)
		return nil, faultFrom(op, p.Status, e, func() []string { return literals(soql) })
	}
	page := &simpleforce.QueryResult{}
	if err := json.Unmarshal(p.Body, page); err != nil {
		return nil, unreadable(op, errors.New("a composite answer whose part is no query result"))
	}
	return page, nil
}
