package salesforce

import (
	"context"
	"net/url"
	"strings"

	"github.com/simpleforce/simpleforce"
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
	refused, err := o.pages(ctx, page, err, row)
	if refused != nil {
		return refused
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

// longQuery puts the query into the body of a composite call.
func (o *Org) longQuery(ctx context.Context, soql string) (*simpleforce.QueryResult, error) {
	parts, err := o.composite(ctx, "query", []CompositeQuery{{SOQL: soql}})
	if err != nil {
		return nil, err
	}
	return parts[0].page("query", soql)
}

// object names are API names: letters, digits and underscores.
func plainName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}
