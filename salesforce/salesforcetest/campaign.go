package salesforcetest

import "strings"

// A Campaign has statuses of its own that its members may have, and each says
// whether who has it has responded.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmemberstatus.htm

// addStatuses gives a new Campaign the two that every Campaign begins with.
func (s *Server) addStatuses(x *tx, seq uint32, fresh bool) []*Error {
	if !fresh {
		return nil
	}
	o := s.schema.object("CampaignMemberStatus")
	for i, label := range []string{"Sent", "Responded"} {
		_, errs := s.insert(x, &record{obj: o, set: []binding{
			{o.field("CampaignId"), refValue(s.schema.object("Campaign"), seq)}, {o.field("Label"), textValue(label)},
			{o.field("SortOrder"), numberValue(float64(i + 1))},
			{o.field("IsDefault"), boolValue(i == 0)}, {o.field("HasResponded"), boolValue(i == 1)},
		}}, true)
		if errs != nil {
			return errs
		}
	}
	return nil
}

// completeMember gives a member whose status its Campaign does not have the
// default one, and says whether the status is a response.
func (s *Server) completeMember(r *record, _ uint32, vals []value) []*Error {
	o, statuses := r.obj, s.schema.object("CampaignMemberStatus")
	status := &vals[o.field("Status").slot]
	t := s.table(statuses)
	initial, responded, known := value{}, false, false
	for _, seq := range t.indexes[statuses.field("CampaignId").slot].find(vals[o.field("CampaignId").slot]) {
		one := t.at(seq)
		label, is := one.get(statuses.field("Label").slot), one.get(statuses.field("HasResponded").slot).n == 1
		if isDefault := one.get(statuses.field("IsDefault").slot).n == 1; isDefault && !known {
			initial, responded = label, is
		}
		if status.k == kText && strings.EqualFold(label.s, status.s) {
			initial, responded, known = label, is, true
		}
	}
	if initial.k != kNull {
		*status = initial
	}
	vals[o.field("HasResponded").slot] = boolValue(responded)
	return nil
}
