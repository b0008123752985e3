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

// CompositeQuery is one query of several that travel together.
type CompositeQuery struct {
	SOQL string
	All  bool // records in the recycle bin too
}

// Queries runs up to MaxQueries queries in one composite call, which counts as
// one API call, and calls row for each record of the query with the given index,
// as Query does; further pages cost a call each. Each query has an outcome of its
// own: nil, or a fault of that query alone, which may have shown earlier pages.
// The error is for the call as a whole, or row's.
func (o *Org) Queries(ctx context.Context, queries []CompositeQuery, row func(i int, record map[string]any) error) ([]error, error) {
	const op = "query"
	switch {
	case len(queries) == 0:
		return nil, nil
	case len(queries) > MaxQueries:
		return nil, fault.New(fault.Permanent, opName(op), fmt.Errorf("%d queries in one call, %d are allowed", len(queries), MaxQueries))
	}
	parts, err := o.composite(ctx, queries)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(queries))
	for i := range parts {
		page, err := parts[i].page(queries[i].SOQL)
		for ; err == nil; page, err = o.page(ctx, page.NextRecordsURL) {
			for _, record := range page.Records {
				delete(record, "__client__") // see Query
				if err := row(i, record); err != nil {
					return nil, err
				}
			}
			if page.Done || page.NextRecordsURL == "" {
				break
			}
		}
		outcomes[i] = err
	}
	return outcomes, nil
}

// compositePart is what came of one part of a composite call.
type compositePart struct {
	Status int            `json:"httpStatusCode"`
	Body   jsontext.Value `json:"body"`
}

// composite sends the queries in the body of one call, where they may be longer
// than a URL. The answers come in their order.
func (o *Org) composite(ctx context.Context, queries []CompositeQuery) ([]compositePart, error) {
	const op = "query"
	type part struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		ReferenceID string `json:"referenceId"`
	}
	asked := make([]part, len(queries))
	for i, q := range queries {
		resource := "/query"
		if q.All {
			resource = "/queryAll"
		}
		asked[i] = part{http.MethodGet, o.path(resource + "?q=" + url.QueryEscape(q.SOQL)), op + strconv.Itoa(i)}
	}
	body, err := json.Marshal(struct {
		AllOrNone bool   `json:"allOrNone"`
		Parts     []part `json:"compositeRequest"`
	}{Parts: asked})
	if err != nil {
		return nil, fault.New(fault.Permanent, opName(op), errors.New("the query is not valid UTF-8"))
	}
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodPost, Path: "/composite", Body: body, Repeatable: true})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Parts []compositePart `json:"compositeResponse"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || len(answer.Parts) != len(queries) {
		return nil, unreadable(op, fmt.Errorf("a composite answer with %d parts instead of %d", len(answer.Parts), len(queries)))
	}
	return answer.Parts, nil
}

// page reads a query's answer.
func (p *compositePart) page(soql string) (*simpleforce.QueryResult, error) {
	if p.Status != http.StatusOK {
		e, _ := firstError(p.Body)
		return nil, faultFrom("query", p.Status, e, func() []string { return literals(soql) })
	}
	page := &simpleforce.QueryResult{}
	if err := json.Unmarshal(p.Body, page); err != nil {
		return nil, unreadable("query", errors.New("a composite answer whose part is no query result"))
	}
	return page, nil
}
