package salesforcetest

import (
	"strings"
)

// OpTooling is a query of the Tooling API.
const OpTooling Operation = "tooling.query"

// toolingQuery serves GET /tooling/query?q= for one object, FieldDefinition, of
// one entity, which shows fields that field-level security hides as well.
// https://developer.salesforce.com/docs/platform/api-tooling/references/tooling-objects/tooling-fielddefinition.html
func (c *call) toolingQuery() (*reply, *Error) {
	if err := c.only("q"); err != nil {
		return nil, err
	}
	if err := c.noBody(); err != nil {
		return nil, err
	}
	q, err := parseSOQL(c.query.Get("q"))
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(q.from.text, "FieldDefinition") || c.s.opts.NoViewSetup {
		return nil, soqlError(q.src, q.from.pos, "INVALID_TYPE", "sObject type '"+q.from.text+"' is not supported.")
	}
	for _, sel := range q.selected {
		if sel.fn != "" || len(sel.path) != 1 || !strings.EqualFold(sel.path[0].text, "QualifiedApiName") {
			return nil, malformed(q.src, 0, "this emulated org's FieldDefinition has QualifiedApiName only")
		}
	}
	where, isOne := q.where.(*comparison)
	if !isOne || where.op != "=" || len(where.path) != 2 || len(q.order) > 0 || q.limit >= 0 || q.offset > 0 ||
		!strings.EqualFold(where.path[0].text+"."+where.path[1].text, "EntityDefinition.QualifiedApiName") {
		return nil, malformed(q.src, 0, "a filter on a reified column is required [EntityDefinition,EntityDefinitionId]")
	}
	list := []any{}
	if o := c.s.schema.object(where.values[0].text); o != nil {
		for _, f := range o.fields {
			list = append(list, map[string]any{
				"attributes": map[string]any{
					"type": "FieldDefinition", "url": c.base + "/tooling/sobjects/FieldDefinition/" + o.name + "." + f.name,
				},
				"QualifiedApiName": f.name,
			})
		}
	}
	return marshalled(map[string]any{
		"size": len(list), "totalSize": len(list), "done": true, "queryLocator": nil, "entityTypeName": "FieldDefinition", "records": list,
	}), nil
}
