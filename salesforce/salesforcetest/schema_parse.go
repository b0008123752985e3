package salesforcetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readOnlyObjects are described and queried, and written by nobody's API calls.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_listview.htm
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmemberstatus.htm
var readOnlyObjects = []string{"Organization", "ListView", "CampaignMemberStatus"}

// addStandard adds the built-in objects.
func (s *schema) addStandard() error {
	var o *object
	for line := range strings.SplitSeq(strings.TrimSpace(standardObjects), "\n") {
		if head, isObject := strings.CutPrefix(line, "object "); isObject {
			w := strings.Fields(head)
			half := 2 + (len(w)-2)/2
			o = newObject(w[0], strings.Join(w[2:half], " "), strings.Join(w[half:], " "), w[1])
			o.readOnly = slices.Contains(readOnlyObjects, o.name)
			o.uncreatable = o.name == "ContentDocument"
			o.rules = standardRules[o.name]
			if err := s.add(o); err != nil {
				return err
			}
			continue
		}
		f, err := parseStandardField(line)
		if err == nil {
			err = o.add(f)
		}
		if err != nil {
			return fmt.Errorf("standard field %q: %w", line, err)
		}
	}
	return nil
}

func parseStandardField(line string) (*field, error) {
	part := strings.Split(line, "|")
	if len(part) != 4 {
		return nil, fmt.Errorf("want four parts, got %d", len(part))
	}
	if part[2] == "owner" {
		return ownerField(), nil
	}
	f := &field{name: part[0], label: part[1]}
	word, arg, _ := strings.Cut(part[2], " ")
	if err := f.setStandardType(word, arg); err != nil {
		return nil, err
	}
	err := f.setFlags(part[3])
	return f, err
}

func (f *field) setStandardType(word, arg string) error {
	var err error
	switch word {
	case "string":
		f.typ = typeString
		f.length, err = strconv.Atoi(arg)
	case "area":
		f.typ = typeTextArea
		f.length, err = strconv.Atoi(arg)
	case "phone":
		f.typ, f.length = typePhone, 40
	case "email":
		f.typ, f.length = typeEmail, 80
	case "url":
		f.typ, f.length = typeURL, 255
	case "int":
		f.typ, f.precision = typeInt, 8
	case "currency":
		f.typ, f.precision, f.scale = typeCurrency, 18, 0
	case "bool":
		f.typ, f.required, f.initial = typeBoolean, true, boolValue(false)
	case "date":
		f.typ = typeDate
	case "datetime":
		f.typ = typeDateTime
	case "pick":
		f.typ, f.length, f.values = typePicklist, 255, strings.Split(arg, ";")
	case "ref":
		to, rel, _ := strings.Cut(arg, " ")
		f.typ, f.length, f.refTo, f.relName = typeReference, 18, strings.Split(to, ","), rel
	case "base64":
		f.typ, f.length = typeBase64, 50<<20
	case "auto":
		f.typ, f.length, f.autoNumber, f.required = typeString, 30, arg, true
	default:
		return fmt.Errorf("unknown type %q", word)
	}
	return err
}

func (f *field) setFlags(flags string) error {
	flags, initial, hasDefault := strings.Cut(flags, "default=")
	if hasDefault {
		f.initial = textValue(initial)
		if f.typ == typeBoolean {
			f.initial = boolValue(initial == "true")
		}
	}
	for flag := range strings.FieldsSeq(flags) {
		via, isVia := strings.CutPrefix(flag, "via=")
		switch {
		case isVia:
			f.viaRef, f.viaField, _ = strings.Cut(via, ".")
			f.src = fromParent
		case flag == "required":
			f.required = true
		case flag == "system":
			f.system = true
		case flag == "name":
			f.nameField = true
		case flag == "idlookup":
			f.idLookup = true
		case flag == "fixed":
			f.fixed = true
		case flag == "cascade":
			f.cascade = true
		default:
			return fmt.Errorf("unknown flag %q", flag)
		}
	}
	return nil
}
