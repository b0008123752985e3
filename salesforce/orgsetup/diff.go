package orgsetup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// messageObject is the one whose names can be mapped.
const messageObject = "TwilioSF_Message__c"

// Options say how the org's names differ from ours. The zero value: they do not.
type Options struct {
	// Message is the API name of the message object, and Fields are the API names of
	// its fields by ours; "-" is a field that is not used.
	Message string
	Fields  map[string]string
}

// Setup is one org and what it ought to have.
type Setup struct {
	org     *salesforce.Org
	objects []metadata.Object
	access  metadata.Access
	mapped  bool
	o       Options
}

// New reads what we ship. It calls nobody.
func New(org *salesforce.Org, o Options) (*Setup, error) {
	s := &Setup{org: org, o: o, mapped: o.Message != "" && o.Message != messageObject}
	for ours, theirs := range o.Fields {
		s.mapped = s.mapped || ours != theirs
	}
	var err error
	if s.objects, err = metadata.Objects(); err == nil {
		s.access, err = metadata.IntegrationAccess()
	}
	if err != nil {
		return nil, fmt.Errorf("the metadata in this binary: %w", err)
	}
	return s, nil
}

// Mapped tells whether the org has other names than ours. Then everything is put
// right by hand.
func (s *Setup) Mapped() bool { return s.mapped }

// Diff compares the org with what we ship, object by object and field by field,
// as the user sees it whom we are logged in as.
func (s *Setup) Diff(ctx context.Context) (*Report, error) {
	who, err := s.org.Identity(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{Username: who.Username, Instance: who.Instance, userID: who.UserID, untaught: true, Differences: []Difference{}}
	for _, o := range s.objects {
		if err := s.diffObject(ctx, r, s.named(o)); err != nil {
			return nil, err
		}
	}
	if !s.mapped {
		if err := s.diffSet(ctx, r); err != nil {
			return nil, err
		}
	}
	s.settleCures(r)
	return r, nil
}

// named puts the org's names into an object of ours.
func (s *Setup) named(o metadata.Object) needed {
	n := needed{name: o.Name, ours: o.Ours, access: s.access.Objects[o.Name]}
	if s.mapped && o.Name == messageObject {
		n.name, n.mapped = s.o.Message, true
	}
	for _, f := range o.Fields {
		field := neededField{Field: f, edit: s.access.Fields[o.Name+"."+f.Name].Edit}
		if s.mapped && f.ReferenceTo == messageObject {
			field.ReferenceTo = s.o.Message
		}
		if n.mapped {
			if field.Name = s.o.Fields[f.Name]; field.Name == "" || field.Name == "-" {
				continue
			}
		}
		n.fields = append(n.fields, field)
	}
	return n
}

// needed is an object as the org ought to have it.
type needed struct {
	name         string
	ours, mapped bool
	access       metadata.ObjectAccess
	fields       []neededField
}

type neededField struct {
	metadata.Field

	edit bool
}

func (s *Setup) diffObject(ctx context.Context, r *Report, n needed) error {
	r.Objects++
	r.Fields += len(n.fields)
	o, err := s.org.Describe(ctx, n.name)
	if fault.CodeOf(err) == salesforce.CodeNotFound {
		return s.absent(ctx, r, &n)
	}
	if err != nil {
		return err
	}
	r.untaught = r.untaught && !n.ours
	if lacks := notAllowed(n.access, &o); lacks != "" {
		r.Differences = append(r.Differences, Difference{
			Object: n.name, Kind: ReadOnly, Says: "may not be " + lacks + " by the integration user",
		}.cured(ByAssign))
	}
	var absent []string
	for _, f := range n.fields {
		have, found := o.Field(f.Name)
		if !found {
			absent = append(absent, f.Name)
			continue
		}
		c := comparison{object: n.name, want: f.Field, have: have, edit: f.edit, mapped: n.mapped}
		r.Differences = append(r.Differences, c.differences()...)
	}
	if len(absent) == 0 {
		return nil
	}
	return s.absentFields(ctx, r, n.name, absent)
}

// notAllowed says what the daemon does with records and the user may not.
func notAllowed(want metadata.ObjectAccess, have *salesforce.Object) string {
	var lacks []string
	if want.Create && !have.Createable {
		lacks = append(lacks, "created")
	}
	if want.Edit && !have.Updateable {
		lacks = append(lacks, "edited")
	}
	if want.Delete && !have.Deletable {
		lacks = append(lacks, "deleted")
	}
	return strings.Join(lacks, " or ")
}

// absent tells of an object that the user does not see.
func (s *Setup) absent(ctx context.Context, r *Report, n *needed) error {
	defined, known, err := s.defined(ctx, n.name)
	d := Difference{Object: n.name}
	switch {
	case err != nil:
		return err
	case len(defined) > 0:
		r.untaught = r.untaught && !n.ours
		d.Kind, d.Says = Hidden, "is hidden from the integration user"
		d = d.cured(ByAssign)
	case !known:
		d.Kind, d.Says = MissingHidden, "is missing or hidden"
	default:
		d.Kind, d.Says = Missing, fmt.Sprintf("is missing, with its %d fields", len(n.fields))
	}
	if d.Cure == "" {
		if d = d.cured(ByHand); n.ours {
			d = d.cured(ByDeploy)
		}
	}
	r.Differences = append(r.Differences, d)
	return nil
}

func (s *Setup) absentFields(ctx context.Context, r *Report, object string, names []string) error {
	defined, known, err := s.defined(ctx, object)
	if err != nil {
		return err
	}
	for _, name := range names {
		d := Difference{Object: object, Field: name, Kind: Missing, Says: "is missing"}
		switch {
		case defined[strings.ToLower(name)]:
			d.Kind, d.Says = Hidden, "is hidden from the integration user"
			d = d.cured(ByAssign)
		case !known:
			d.Kind, d.Says = MissingHidden, "is missing or hidden"
			fallthrough
		default:
			d = d.cured(ByDeploy)
		}
		r.Differences = append(r.Differences, d)
	}
	return nil
}

// defined are an object's fields, whoever may see them, in lower case. known is
// false where the user may not ask.
func (s *Setup) defined(ctx context.Context, object string) (fields map[string]bool, known bool, err error) {
	names, err := s.org.DefinedFields(ctx, object)
	switch c := fault.ClassOf(err); {
	case c == fault.Permanent, c == fault.Auth && fault.CodeOf(err) != salesforce.CodeInvalidSession:
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	fields = map[string]bool{}
	for _, name := range names {
		fields[strings.ToLower(name)] = true
	}
	return fields, true, nil
}

// diffSet looks at the permission set.
func (s *Setup) diffSet(ctx context.Context, r *Report) (err error) {
	r.set, r.assigned, err = s.org.PermissionSetAssigned(ctx, metadata.IntegrationSet, r.userID)
	d := Difference{Object: metadata.IntegrationSet}
	switch {
	case err != nil || r.assigned:
		return err
	case r.set:
		d.Kind, d.Says = NotAssigned, "is not assigned to "+r.Username
		d = d.cured(ByAssign)
	default:
		d.Kind, d.Says = Missing, "is missing"
		d = d.cured(ByDeploy)
	}
	r.Differences = append(r.Differences, d)
	return nil
}

// settleCures puts right who cures what, once all is known: a permission set that
// is assigned and yet does not give what it should is deployed anew, and an org
// with names of its own is nobody's but its administrator's.
func (s *Setup) settleCures(r *Report) {
	for i := range r.Differences {
		switch d := &r.Differences[i]; {
		case s.mapped:
			d.Cure, d.Remedy = ByHand, "Put it right in Setup, or correct salesforce.objects: what has other names than ours is not deployed."
		case d.Cure == ByAssign && r.assigned:
			*d = d.cured(ByDeploy)
			d.Remedy = "twiliosf org deploy deploys the permission set that gives it anew."
		}
	}
}

// components are what a deployment has to bring.
func (s *Setup) components(r *Report, all bool) ([]metadata.Component, error) {
	every, err := metadata.Components()
	if err != nil || all || r.untaught {
		return every, err
	}
	wanted := map[metadata.Component]bool{}
	whole := map[string]bool{}
	for i := range r.Differences {
		d := &r.Differences[i]
		switch {
		case d.Cure != ByDeploy:
		case d.Field == "" && d.Kind != ReadOnly && d.Kind != Hidden:
			whole[d.Object] = true
		default:
			wanted[metadata.Component{Type: "CustomField", Name: d.Name()}] = d.Kind != ReadOnly && d.Kind != Hidden
		}
	}
	if !r.has(ByDeploy) {
		return nil, nil
	}
	maps.DeleteFunc(wanted, func(_ metadata.Component, yes bool) bool { return !yes })
	return slices.DeleteFunc(every, func(c metadata.Component) bool {
		// Access to what is new comes with the permission sets, whichever it is.
		sets := c.Type == "PermissionSet" || c.Type == "CustomPermission"
		return !sets && !wanted[c] && !whole[c.Object()]
	}), nil
}
