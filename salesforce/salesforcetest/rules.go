package salesforcetest

import "fmt"

// standardRules are the rules of standard objects. Those of person accounts come
// with the option.
var standardRules = map[string]rules{
	"PermissionSetAssignment": {verify: (*Server).checkAssignment},
	"Campaign":                {after: (*Server).addStatuses},
	"CampaignMember":          {complete: (*Server).completeMember, verify: (*Server).checkMember},
	"ContentVersion":          {complete: (*Server).completeVersion, after: (*Server).publish},
	"ContentDocumentLink":     {verify: (*Server).checkLink},
}

// checkAssignment refuses the second assignment of one permission set to one user.
func (s *Server) checkAssignment(t *table, seq uint32, vals []value) []*Error {
	who, what := t.obj.field("AssigneeId"), t.obj.field("PermissionSetId")
	for _, other := range t.indexes[who.slot].find(vals[who.slot]) {
		if other != seq && t.at(other).get(what.slot) == vals[what.slot] {
			return []*Error{refuse("DUPLICATE_VALUE", fmt.Sprintf("Duplicate PermissionSetAssignment.  Assignee: %s; Permission Set: %s",
				s.refText(vals[who.slot])[:15], s.refText(vals[what.slot])[:15]), who.name, what.name)}
		}
	}
	return nil
}

// checkMember wants one person, who is no member yet.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
func (s *Server) checkMember(t *table, seq uint32, vals []value) []*Error {
	contact, lead := t.obj.field("ContactId"), t.obj.field("LeadId")
	who := contact
	switch c, l := vals[contact.slot].k != kNull, vals[lead.slot].k != kNull; {
	case c == l:
		return []*Error{refuse("FIELD_INTEGRITY_EXCEPTION", "A campaign member must have either a contact or a lead", contact.name, lead.name)}
	case l:
		who = lead
	}
	campaign := t.obj.field("CampaignId")
	if s.pairExists(t, seq, vals, who, campaign) {
		return []*Error{refuse("DUPLICATE_VALUE", "Already a campaign member.")}
	}
	return nil
}

// pairExists tells whether another row holds both contents.
func (s *Server) pairExists(t *table, seq uint32, vals []value, a, b *field) bool {
	for _, other := range t.indexes[a.slot].find(vals[a.slot]) {
		if other != seq && t.at(other).get(b.slot) == vals[b.slot] {
			return true
		}
	}
	return false
}
