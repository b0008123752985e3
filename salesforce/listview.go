package salesforce

import (
	"context"
	"errors"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// ListView is a list view as SOQL.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_listviewdescribe.htm
type ListView struct {
	Object string `json:"sobjectType"`
	// Query is the whole statement, for all columns that the list view shows.
	Query string `json:"query"`
	// Scope is whose records are shown, "" or "everything" for all: mine, team ...
	Scope string `json:"scope"`
}

// ListView reads a list view of an object by its id. One that is gone, or that the
// logged-in user may not see, is a fault of code NOT_FOUND.
func (o *Org) ListView(ctx context.Context, object, id string) (ListView, error) {
	const op = "list view"
	if !plainName(object) || !plainName(id) {
		return ListView{}, fault.New(fault.Permanent, opName(op), errors.New("the object's name or the list view's id is none"))
	}
	var v ListView
	if err := o.read(ctx, op, "/sobjects/"+object+"/listviews/"+id+"/describe", &v); err != nil {
		return ListView{}, err
	}
	if v.Query == "" {
		return ListView{}, unreadable(op, errors.New("the answer has no query"))
	}
	return v, nil
}
