package records

import (
	"context"
	"errors"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/people"
)

const (
	memberObject    = "CampaignMember"
	campaignObject  = "Campaign"
	lastStatusField = "Last_Message_Status__c"
)

// columns are what is selected of an audience.
type audienceColumns struct {
	object string // as the org writes it
	phones []string
	all    []string
}

func (c *audienceColumns) add(columns ...string) { c.all = append(c.all, columns...) }

// columnsOf finds the columns for an audience of an object.
func (a *Audiences) columnsOf(ctx context.Context, object string, fields []campaign.Field) (*audienceColumns, error) {
	if strings.EqualFold(object, memberObject) {
		return a.membersColumns(ctx, fields)
	}
	d, err := a.objects.Describe(ctx, object)
	switch code := fault.CodeOf(err); {
	case code == salesforce.CodeNotFound, code == salesforce.CodeInvalidType:
		return nil, unfit("There is no object %s, or the integration user may not see it: write an object's API name after FROM.", object)
	case err != nil:
		return nil, err
	case !d.Queryable:
		return nil, unfit("The integration user may not query %s: give it read access, or choose another audience.", d.Name)
	}
	c := &audienceColumns{object: d.Name, phones: a.phonesOf(&d)}
	if len(c.phones) == 0 {
		return nil, unfit("%s has no phone field that the integration user can see: choose an audience of an object that has one.", d.Name)
	}
	c.add(c.phones...)
	if name := a.statusOf(&d); name != "" {
		c.add(name)
	}
	for _, f := range fields {
		if !strings.EqualFold(f.Object, d.Name) {
			return nil, unfit("The body names {!%s}, but this audience is of %s: write {!%s.%s}, if that is meant.", f, d.Name, d.Name, f.Path)
		}
		column, _, err := a.resolve(ctx, &d, f)
		if err != nil {
			return nil, err
		}
		c.add(column)
	}
	return c, nil
}

// standardMobile are the phones of standard objects in the order in which a text
// tries them. A home's or an assistant's is none to send to unasked.
var standardMobile = map[string][]string{
	people.Contact: {"MobilePhone", "Phone"},
	people.Lead:    {"MobilePhone", "Phone"},
	people.Account: {"PersonMobilePhone", "Phone"},
	people.Case:    {"ContactMobile", "ContactPhone", "SuppliedPhone"},
}

// phonesOf are the fields to send to: the operator's choice, the usual ones, or else
// whatever is a phone and no fax, mobiles first.
func (a *Audiences) phonesOf(d *salesforce.Object) (names []string) {
	chosen, ok := a.phones[strings.ToLower(d.Name)]
	if !ok {
		chosen, ok = standardMobile[d.Name]
	}
	if ok {
		for _, name := range chosen {
			if f, found := d.Field(name); found {
				names = append(names, f.Name)
			}
		}
		return names
	}
	var others []string
	for _, f := range d.Fields {
		switch lower := strings.ToLower(f.Name); {
		case f.Type != "phone" || strings.Contains(lower, "fax") || strings.Contains(lower, "assistant"):
		case strings.Contains(lower, "mobile"):
			names = append(names, f.Name)
		default:
			others = append(others, f.Name)
		}
	}
	return append(names, others...)
}

// statusOf is the field of the last status, "" when the object has none. A Person
// Account shows its Contact's.
func (a *Audiences) statusOf(d *salesforce.Object) string {
	for _, name := range []string{a.status, strings.TrimSuffix(a.status, "__c") + "__pc"} {
		if f, found := d.Field(name); found {
			return f.Name
		}
	}
	return ""
}

// memberKinds are who can be a member of a Campaign, the first one that is there:
// whoever was converted is both.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
var memberKinds = []string{people.Contact, people.Lead, people.Account}

const membersHint = "Give the integration user read access to Campaigns, Contacts and Leads: those are whom the campaign is for."

// membersColumns finds the columns for the members of a Campaign. Accounts are
// members where the org has turned that on.
func (a *Audiences) membersColumns(ctx context.Context, fields []campaign.Field) (*audienceColumns, error) {
	d, err := a.objects.Describe(ctx, memberObject)
	if err != nil {
		return nil, lacking(err, membersHint)
	}
	c := &audienceColumns{object: d.Name}
	kinds := map[string]*salesforce.Object{}
	for _, kind := range memberKinds {
		if _, found := d.Field(kind + "Id"); !found {
			if kind == people.Account {
				continue
			}
			return nil, &fault.Error{Class: fault.Auth, Op: opAudience, Code: CodeSchema, Fields: []string{kind + "Id"}, Hint: membersHint, Err: errors.New("a member's person is hidden")}
		}
		o, err := a.objects.Describe(ctx, kind)
		if err != nil {
			return nil, lacking(err, membersHint)
		}
		kinds[kind] = &o
		c.add(kind + "Id")
		for _, phone := range a.phonesOf(&o) {
			c.phones = append(c.phones, kind+"."+phone)
		}
		if name := a.statusOf(&o); name != "" {
			c.add(kind + "." + name)
		}
	}
	if len(c.phones) == 0 {
		return nil, unfit("Neither Contact nor Lead has a phone field that the integration user can see: give it access to them.")
	}
	c.add(c.phones...)
	for _, f := range fields {
		columns, err := a.memberField(ctx, &d, kinds, f)
		if err != nil {
			return nil, err
		}
		c.add(columns...)
	}
	return c, nil
}

// memberField finds the columns that a merge field of members is read from.
func (a *Audiences) memberField(ctx context.Context, member *salesforce.Object, kinds map[string]*salesforce.Object, f campaign.Field) ([]string, error) {
	switch {
	case strings.EqualFold(f.Object, memberObject):
		column, _, err := a.resolve(ctx, member, f)
		return []string{column}, err
	case strings.EqualFold(f.Object, campaignObject):
		d, err := a.objects.Describe(ctx, campaignObject)
		if err != nil {
			return nil, lacking(err, membersHint)
		}
		column, _, err := a.resolve(ctx, &d, f)
		return []string{campaignObject + "." + column}, err
	}
	named := ""
	for kind := range kinds {
		if strings.EqualFold(kind, f.Object) {
			named = kind
		}
	}
	if named == "" {
		return nil, unfit("The body names {!%s}, but members of a Campaign have fields of Contact, Lead, CampaignMember and Campaign only: write {!Contact.%s}, if that is meant.", f, f.Path)
	}
	var columns []string
	for _, kind := range memberKinds {
		if kinds[kind] == nil {
			continue
		}
		column, _, err := a.resolve(ctx, kinds[kind], f)
		switch {
		case err == nil:
			columns = append(columns, kind+"."+column)
		case kind == named || fault.ClassOf(err) != fault.Permanent:
			return nil, err
		}
	}
	return columns, nil
}
