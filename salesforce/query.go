package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/simpleforce/simpleforce"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// longestQueryURL is how long a query's URL may be; Salesforce takes 16,384
// bytes of URL and headers together.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
const longestQueryURL = 12_000

// Query runs an SOQL query and calls row for each record, page after page, until
// row fails or the records end. A record holds what encoding/json makes of it:
// numbers are float64, null is nil, a parent is a map, and "attributes" names
// the object. The map is the callee's to keep. A query that fails on a later
// page has called row for the earlier ones.
func (o *Org) Query(ctx context.Context, soql string, row func(map[string]any) error) error {
	page, err := o.firstPage(ctx, soql)
	for ; err == nil; page, err = o.page(ctx, page.NextRecordsURL) {
		for _, record := range page.Records {
			// The library hides its client in each record.
			delete(record, "__client__")
			if err := row(record); err != nil {
				return err
			}
		}
		if page.Done || page.NextRecordsURL == "" {
			return nil
		}
	}
	return err
}

// Count runs a "SELECT COUNT() FROM ..." query.
func (o *Org) Count(ctx context.Context, soql string) (int, error) {
	page, err := o.firstPage(ctx, soql)
	if err != nil {
		return 0, err
	}
	return page.TotalSize, nil
}

func (o *Org) firstPage(ctx context.Context, soql string) (*simpleforce.QueryResult, error) {
	if len("/services/data/vXX.0/query?q=")+len(url.QueryEscape(soql)) > longestQueryURL {
		return o.longQuery(ctx, soql)
	}
	return o.page(ctx, soql)
}

// page runs a short query or follows a nextRecordsUrl.
func (o *Org) page(ctx context.Context, q string) (*simpleforce.QueryResult, error) {
	cr := &carrier{ctx: ctx, chain: o.chain, op: "query", repeatable: true}
	page, err := o.library(cr).Query(q)
	if err := cr.result(err); err != nil {
		return nil, err
	}
	return page, nil
}

// longQuery puts the query into the body of a composite call, which counts as
// one call as well.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
func (o *Org) longQuery(ctx context.Context, soql string) (*simpleforce.QueryResult, error) {
	type part struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		ReferenceID string `json:"referenceId"`
	}
	body, err := json.Marshal(struct {
		AllOrNone bool   `json:"allOrNone"`
		Parts     []part `json:"compositeRequest"`
	}{Parts: []part{{http.MethodGet, o.path("/query?q=" + url.QueryEscape(soql)), "query"}}})
	if err != nil {
		return nil, fault.New(fault.Permanent, opName("query"), errors.New("the query is not valid UTF-8"))
	}
	data, err := o.Do(ctx, Call{Op: "query", Method: http.MethodPost, Path: "/composite", Body: body, Repeatable: true})
	if err != nil {
		return nil, err
	}
	return readComposite(data, soql)
}

func readComposite(data []byte, soql string) (*simpleforce.QueryResult, error) {
	var outer struct {
		Parts []struct {
			Status int            `json:"httpStatusCode"`
			Body   jsontext.Value `json:"body"`
		} `json:"compositeResponse"`
	}
	if err := json.Unmarshal(data, &outer); err != nil || len(outer.Parts) != 1 {
		return nil, unreadable("query", fmt.Errorf("a composite answer with %d parts instead of one", len(outer.Parts)))
	}
	part := outer.Parts[0]
	if part.Status != http.StatusOK {
		e, _ := firstError(part.Body)
		return nil, faultFrom("query", part.Status, e, func() []string { return literals(soql) })
	}
	page := &simpleforce.QueryResult{}
	if err := json.Unmarshal(part.Body, page); err != nil {
		return nil, unreadable("query", errors.New("a composite answer whose part is no query result"))
	}
	return page, nil
}

// object names are API names: letters, digits and underscores.
func plainName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}
