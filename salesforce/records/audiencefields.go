package records

import (
	"context"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// resolve follows a merge field's path from an object, and writes it as the org does.
// numeric says that its value is a number.
func (a *Audiences) resolve(ctx context.Context, from *salesforce.Object, f campaign.Field) (column string, numeric bool, err error) {
	steps := strings.Split(f.Path, ".")
	at, way := from, ""
	for _, step := range steps[:len(steps)-1] {
		parent, found := relationship(at, step)
		if !found {
			return "", false, unknownField(f, at, step, relationships(at))
		}
		way += parent.RelationshipName + "."
		if len(parent.ReferenceTo) != 1 { // an owner is a user or a queue: what both have
			return a.ofAnyone(f, at, way, steps)
		}
		d, err := a.objects.Describe(ctx, parent.ReferenceTo[0])
		if code := fault.CodeOf(err); code == salesforce.CodeNotFound || code == salesforce.CodeInvalidType {
			return "", false, unfit("The body names {!%s}, but the integration user may not see %s: give it read access, or take the field out.", f, parent.ReferenceTo[0])
		} else if err != nil {
			return "", false, err
		}
		at = &d
	}
	last := steps[len(steps)-1]
	field, found := at.Field(last)
	if !found {
		return "", false, unknownField(f, at, last, fieldNames(at))
	}
	switch field.Type {
	case "address", "location", "base64", "complexvalue", "anyType", "json":
		return "", false, unfit("The body names {!%s}, whose type %s is no text: name a part of it, as MailingCity is one of MailingAddress.", f, field.Type)
	}
	return way + field.Name, isNumber(field), nil
}

// anyonesFields are what can be asked of a reference to several objects.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_name.htm
var anyonesFields = []string{"Name", "FirstName", "LastName", "Alias", "Email", "Phone", "Title", "Username", "Type"}

func (a *Audiences) ofAnyone(f campaign.Field, at *salesforce.Object, way string, steps []string) (string, bool, error) {
	last := steps[len(steps)-1]
	i := slices.IndexFunc(anyonesFields, func(name string) bool { return strings.EqualFold(name, last) })
	if i < 0 || strings.Count(way, ".") != len(steps)-1 {
		return "", false, unknownField(f, at, last, anyonesFields)
	}
	return way + anyonesFields[i], false, nil
}

func relationship(o *salesforce.Object, name string) (salesforce.Field, bool) {
	for _, f := range o.Fields {
		if f.Type == "reference" && f.RelationshipName != "" && strings.EqualFold(f.RelationshipName, name) {
			return f, true
		}
	}
	return salesforce.Field{}, false
}

func relationships(o *salesforce.Object) (names []string) {
	for _, f := range o.Fields {
		if f.RelationshipName != "" {
			names = append(names, f.RelationshipName)
		}
	}
	return names
}

func fieldNames(o *salesforce.Object) []string {
	names := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
	}
	return names
}

// unknownField is the fault of a merge field that the org does not have.
func unknownField(f campaign.Field, at *salesforce.Object, name string, known []string) *fault.Error {
	hint := ""
	if near := nearestOf(name, known); near != "" {
		hint = " The nearest that there is: " + near + "."
	}
	e := unfit("The body names {!%s}, but %s has no %s, or the integration user may not see it.%s", f, at.Name, name, hint)
	e.Code, e.Fields = salesforce.CodeInvalidField, []string{at.Name + "." + name}
	return e
}

// nearestOf is the name that was most likely meant, "" when none is close.
func nearestOf(name string, known []string) string {
	plain := strings.NewReplacer("_", "")
	fold := func(s string) string { return strings.TrimSuffix(plain.Replace(strings.ToLower(s)), "c") }
	best, at := "", 3+len(name)/10 // two letters that changed places count as two slips
	if len(name) <= 3 {
		at = 2
	}
	for _, k := range known {
		if d := levenshtein.ComputeDistance(fold(name), fold(k)); d < at {
			best, at = k, d
		}
	}
	return best
}
