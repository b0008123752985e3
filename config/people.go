package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/sync/phone"
)

// People says whose number a number is.
type People struct {
	// Country is two capital letters.
	Country      string        `key:"country"`
	RefreshEvery time.Duration `key:"refresh_every"`
	Objects      []PhoneObject `key:"objects"`
	Link         string        `key:"link"`  // LinkUnique or LinkOff
	Owner        string        `key:"owner"` // OwnerRecord or OwnerIntegration
}

// PhoneObject is an object whose records have phone numbers.
type PhoneObject struct {
	Object string
	// Fields are its phone fields; none for a standard object with its usual ones.
	Fields []string
	// Lookup is the field of the message object that points to it; empty for a
	// standard object, whose lookup is named in Objects.
	Lookup string
}

// standardObjects are those whose phone fields are known, and whose lookups are
// named under salesforce.objects.message.
var standardObjects = []string{"Contact", "Lead", "Account", "Case"}

const phoneObjectForm = "write it such as {object: Patient__c, fields: [Mobile__c], lookup: Patient__c}"

// parsePhoneObjects reads the word form: names with commas between, in brackets
// or not.
func parsePhoneObjects(value string) (any, *problem) {
	value = strings.TrimSpace(value)
	value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
	out := []PhoneObject{}
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		o, p := namedObject(name)
		if p == nil && has(out, o.Object) {
			p = problemf("%s is given twice", o.Object)
		}
		if p != nil {
			return nil, p
		}
		out = append(out, o)
	}
	return out, nil
}

// namedObject is a standard object by its name alone. Salesforce's names know no
// case.
func namedObject(name string) (PhoneObject, *problem) {
	for _, object := range standardObjects {
		if strings.EqualFold(object, name) {
			return PhoneObject{Object: object}, nil
		}
	}
	return PhoneObject{}, problemf("the phone fields of %s are not known", quoteKey(name)).do(phoneObjectForm)
}

func has(all []PhoneObject, object string) bool {
	return slices.ContainsFunc(all, func(o PhoneObject) bool { return strings.EqualFold(o.Object, object) })
}

// phoneObjects reads the list form. Every fault in it is reported in its place.
func (r *nodeReader) phoneObjects(path string, n *yaml.Node) given {
	before := len(r.faults)
	out := []PhoneObject{}
	for _, item := range n.Content {
		at, item := r.place(item), follow(item)
		var o PhoneObject
		switch item.Kind {
		case yaml.MappingNode:
			o = r.phoneObject(path, at, item)
		case yaml.ScalarNode:
			p := (&key{kind: text}).wrongType(item)
			if p == nil {
				o, p = namedObject(item.Value)
			}
			if p != nil {
				r.fault(at, path, p)
			}
		default:
			r.fault(at, path, problemf("is a list within the list").do("name an object, or "+phoneObjectForm))
		}
		if o.Object != "" && has(out, o.Object) {
			r.fault(at, path, problemf("%s is given twice", o.Object).do("keep one of the two"))
		}
		out = append(out, o)
	}
	return given{value: out, at: r.place(n), bad: len(r.faults) > before}
}

// phoneObject reads one object in the mapping form.
func (r *nodeReader) phoneObject(path string, at origin, n *yaml.Node) PhoneObject {
	var o PhoneObject
	names := []string{"object", "fields", "lookup"}
	before := len(r.faults)
	for _, p := range r.entries(path, n) {
		full, value := join(path, quoteKey(p.key.Value)), follow(p.value)
		switch p.key.Value {
		case "object":
			o.Object = r.oneName(full, p.value, value)
		case "lookup":
			o.Lookup = r.oneName(full, p.value, value)
		case "fields":
			o.Fields = r.nameList(full, p.value, value)
		default:
			r.fault(r.place(p.key), full, suggest(p.key.Value, names))
		}
	}
	if len(r.faults) > before {
		return o
	}
	standard, unknown := namedObject(o.Object)
	switch {
	case o.Object == "":
		r.fault(at, path, problemf("names no object").do(phoneObjectForm))
	case unknown == nil:
		o.Object = standard.Object
		if o.Lookup != "" {
			name := strings.ToLower(o.Object)
			r.fault(at, path, problemf("the lookup of %s has a key of its own", o.Object).do("set salesforce.objects.message.%s", name))
		}
	case len(o.Fields) == 0:
		r.fault(at, path, unknown)
	case o.Lookup == "":
		r.fault(at, path, problemf("%s has no lookup", quoteKey(o.Object)).do(phoneObjectForm))
	}
	return o
}

func (r *nodeReader) oneName(path string, at, value *yaml.Node) string {
	if p := wrongAPIName(value); p != nil {
		r.fault(r.place(at), path, p)
		return ""
	}
	return value.Value
}

func (r *nodeReader) nameList(path string, at, value *yaml.Node) []string {
	if value.Kind != yaml.SequenceNode {
		r.fault(r.place(at), path, problemf("is no list").do("write it such as [Mobile__c, Phone__c]"))
		return nil
	}
	var all []string
	for _, item := range value.Content {
		if name := r.oneName(path, item, follow(item)); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// checkCountry wants one that numbers can be read by.
func checkCountry(value string) *problem {
	if phone.KnownCountry(value) {
		return nil
	}
	p := problemf("%s is no country", quote(value))
	if strings.EqualFold(value, "UK") {
		return p.do("the United Kingdom is GB")
	}
	return p.do("write its two letters in ISO 3166, such as US, GB or DE")
}

// shownObjects writes the list as it could stand in the file.
func shownObjects(all []PhoneObject) string {
	items := make([]string, len(all))
	for i, o := range all {
		items[i] = o.Object
		if len(o.Fields) == 0 {
			continue
		}
		items[i] = "{object: " + o.Object + ", fields: [" + strings.Join(o.Fields, ", ") + "]"
		if o.Lookup != "" {
			items[i] += ", lookup: " + o.Lookup
		}
		items[i] += "}"
	}
	return " [" + strings.Join(items, ", ") + "]"
}

// phoneObjectsSchema is the JSON Schema of the key.
func phoneObjectsSchema() []any {
	name := object{"type": "string", "pattern": apiName.String(), "maxLength": maxAPIName}
	mapping := object{
		"type": "object", "additionalProperties": false, "required": []string{"object"},
		"properties": object{"object": name, "lookup": name, "fields": object{"type": "array", "items": name}},
	}
	return []any{
		object{"type": "array", "items": object{"oneOf": []any{object{"enum": standardObjects}, mapping}}},
		object{"type": "string"},
	}
}
