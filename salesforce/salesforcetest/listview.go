package salesforcetest

import "fmt"

// listView is the statement behind a ListView's row.
type listView struct{ query, scope string }

// ListView is a list view of an object as a user makes one.
type ListView struct {
	Object string
	Name   string // the developer's
	// Query is what its describe answers, as the org composes it:
	// "SELECT name, id FROM Contact WHERE Title = 'x' ORDER BY Name ASC NULLS FIRST".
	Query string
	// Scope is "" or everything for all records, or mine, team and so on.
	Scope string
	// NotInSOQL is a list view that no statement can express.
	NotInSOQL bool
}

// AddListView makes a list view and answers its id.
func (s *Server) AddListView(v ListView) (string, error) {
	id, err := s.Insert("ListView", map[string]any{
		"Name": v.Name, "DeveloperName": v.Name, "SobjectType": v.Object, "IsSoqlCompatible": !v.NotInSOQL,
	})
	if err != nil {
		return "", err
	}
	_, seq, known := parseID(id)
	if !known {
		return "", fmt.Errorf("salesforcetest: %s is no id", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listViews[seq] = listView{v.Query, v.Scope}
	return id, nil
}

// describeListView serves GET /sobjects/{O}/listviews/{id}/describe. What an org
// answers for a list view without SOQL is not documented.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_listviewdescribe.htm
func (c *call) describeListView() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only(); err != nil {
		return nil, err
	}
	views := c.s.schema.object("ListView")
	prefix, seq, good := parseID(c.segs[3])
	if !good || prefix != views.prefix || views.hidden {
		return nil, notFound()
	}
	r := c.s.table(views).at(seq)
	if r == nil || r.state != rowLive || r.get(views.field("SobjectType").slot).s != o.name {
		return nil, notFound()
	}
	if r.get(views.field("IsSoqlCompatible").slot).n != 1 {
		return nil, fail(400, "INVALID_OPERATION", "This list view cannot be described as SOQL")
	}
	v := c.s.listViews[seq]
	return marshalled(map[string]any{
		"id": formatID(views.prefix, seq), "sobjectType": o.name, "query": v.query, "scope": orNil(v.scope),
		"columns": []any{}, "orderBy": []any{}, "whereCondition": map[string]any{"conditions": []any{}, "conjunction": "and"},
	}), nil
}
