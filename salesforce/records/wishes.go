package records

import (
	"slices"

	"github.com/twiliosf/twiliosf/salesforce"
)

// wish is a field by which a record without a SID says what is to be done, or is
// told what became of it.
type wish struct {
	name     func(*Names) *string
	standard string
	types    []string
	written  bool // by us
}

// The standard names of the fields that wishes speaks of.
const (
	sendAt        = "Send_At__c"
	mediaURL      = "Media_Url__c"
	contentSID    = "Content_Sid__c"
	contentValues = "Content_Variables__c"
	requestKey    = "Request_Key__c"
	rejectedSID   = "Rejected_SID__c"
)

var wishes = []wish{
	{func(n *Names) *string { return &n.SendAt }, sendAt, []string{"datetime"}, false},
	{func(n *Names) *string { return &n.MediaURL }, mediaURL, textTypes, false},
	{func(n *Names) *string { return &n.ContentSID }, contentSID, textTypes, false},
	{func(n *Names) *string { return &n.ContentValues }, contentValues, textTypes, false},
	{func(n *Names) *string { return &n.RequestKey }, requestKey, textTypes, true},
	{func(n *Names) *string { return &n.RejectedSID }, rejectedSID, textTypes, true},
}

// draftFields are the names of a draft's own fields in the org, by their standard
// ones. Those that the org lacks are not there.
type draftFields map[string]string

func (p *plan) draftFor(n Names, o *salesforce.Object) draftFields {
	d := draftFields{}
	for _, w := range wishes {
		name := *w.name(&n)
		if name == NoField {
			continue
		}
		f, found := o.Field(name)
		if !found || w.written && !f.Updateable || !slices.Contains(w.types, f.Type) {
			p.missing = append(p.missing, name)
			continue
		}
		d[w.standard] = f.Name
	}
	if f, found := o.Field(ownerField); found {
		d[ownerField] = f.Name
	}
	return d
}
