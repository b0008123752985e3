package salesforcetest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
)

// Elements of SFDX source that this package reads or knowingly leaves aside.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customobject.htm
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm

type sfdxObject struct {
	XMLName     xml.Name `xml:"CustomObject"`
	Label       string   `xml:"label"`
	PluralLabel string   `xml:"pluralLabel"`
	NameField   struct {
		Type          string `xml:"type"`
		Label         string `xml:"label"`
		DisplayFormat string `xml:"displayFormat"`
	} `xml:"nameField"`
	SharingModel string `xml:"sharingModel"`
	EnableSearch bool   `xml:"enableSearch"`
}

type sfdxField struct {
	XMLName          xml.Name `xml:"CustomField"`
	FullName         string   `xml:"fullName"`
	Label            string   `xml:"label"`
	Help             string   `xml:"inlineHelpText"`
	Type             string   `xml:"type"`
	Length           int      `xml:"length"`
	Precision        int      `xml:"precision"`
	Scale            int      `xml:"scale"`
	Required         bool     `xml:"required"`
	ExternalID       bool     `xml:"externalId"`
	Unique           bool     `xml:"unique"`
	CaseSensitive    bool     `xml:"caseSensitive"`
	DefaultValue     string   `xml:"defaultValue"`
	Formula          string   `xml:"formula"`
	ReferenceTo      string   `xml:"referenceTo"`
	RelationshipName string   `xml:"relationshipName"`
	DeleteConstraint string   `xml:"deleteConstraint"`
	DisplayFormat    string   `xml:"displayFormat"`
	Reparentable     bool     `xml:"reparentableMasterDetail"`
	ValueSet         struct {
		Restricted bool `xml:"restricted"`
		Definition struct {
			Values []struct {
				FullName string `xml:"fullName"`
				Default  bool   `xml:"default"`
			} `xml:"value"`
		} `xml:"valueSetDefinition"`
	} `xml:"valueSet"`
}

func (s *schema) addSourceObject(tree fs.FS, root, name string) error {
	if s.object(name) != nil {
		return nil // fields on a standard object
	}
	file := path.Join(root, name, name+".object-meta.xml")
	var x sfdxObject
	if err := decodeXML(tree, file, &x); err != nil {
		return err
	}
	o, err := s.newSourceObject(name, &x)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return s.add(o)
}

// newSourceObject makes a custom object without its fields, under the next key
// prefix.
func (s *schema) newSourceObject(name string, x *sfdxObject) (*object, error) {
	n := 0
	for _, o := range s.objects {
		if o.custom {
			n++
		}
	}
	prefix := "a" + string(base62[n/62%62]) + string(base62[n%62])
	o := newObject(name, x.Label, x.PluralLabel, prefix)
	o.custom, o.searchable = true, x.EnableSearch
	nf, err := x.nameField()
	if err == nil {
		err = o.add(nf)
	}
	if err != nil {
		return nil, err
	}
	switch x.SharingModel {
	case "ReadWrite", "Read", "Private":
		err = o.add(ownerField())
		return o, err
	case "ControlledByParent":
		return o, nil
	default:
		return nil, fmt.Errorf("sharing model %q is not supported", x.SharingModel)
	}
}

// nameField is the object's Name: text, or a number that the org gives.
func (x *sfdxObject) nameField() (*field, error) {
	f := &field{name: "Name", label: x.NameField.Label, typ: typeString, length: 80, nameField: true}
	switch x.NameField.Type {
	case "Text":
	case "AutoNumber":
		f.autoNumber, f.required = x.NameField.DisplayFormat, true
		if strings.Count(f.autoNumber, "{") != 1 || !strings.Contains(f.autoNumber, "0}") {
			return nil, fmt.Errorf("display format %q has no {000}", f.autoNumber)
		}
	default:
		return nil, fmt.Errorf("name field type %q is not supported", x.NameField.Type)
	}
	return f, nil
}

func (s *schema) addSourceFields(tree fs.FS, dir string, o *object) error {
	files, err := fs.ReadDir(tree, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name() < files[j].Name() })
	for _, file := range files {
		name := path.Join(dir, file.Name())
		var x sfdxField
		if err := decodeXML(tree, name, &x); err != nil {
			return err
		}
		if want := x.FullName + ".field-meta.xml"; want != file.Name() {
			return fmt.Errorf("%s: holds the field %s", name, x.FullName)
		}
		f, err := x.field()
		if err == nil {
			err = o.add(f)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// field turns the source of a custom field into one of ours.
func (x *sfdxField) field() (*field, error) {
	if !strings.HasSuffix(x.FullName, "__c") || x.Label == "" {
		return nil, errors.New("a custom field needs a name that ends in __c and a label")
	}
	if x.Formula != "" {
		return nil, errors.New("formula fields are not supported")
	}
	f := &field{
		name: x.FullName, label: x.Label, help: x.Help, custom: true, length: x.Length,
		precision: x.Precision, scale: x.Scale, required: x.Required, externalID: x.ExternalID,
		unique: x.Unique, caseSens: x.CaseSensitive && x.Unique, idLookup: x.ExternalID,
	}
	if err := x.setType(f); err != nil {
		return nil, err
	}
	if x.DefaultValue != "" && f.typ != typeBoolean {
		n, err := strconv.ParseFloat(x.DefaultValue, 64)
		if !f.numeric() || err != nil {
			return nil, fmt.Errorf("default value %q: only checkboxes, picklists and, if it is a plain number, numbers may have one", x.DefaultValue)
		}
		f.initial = numberValue(n)
	}
	return f, nil
}

func (x *sfdxField) setType(f *field) error {
	switch x.Type {
	case "Text":
		f.typ = typeString
	case "TextArea":
		f.typ, f.length = typeTextArea, 255
	case "LongTextArea":
		f.typ = typeTextArea
	case "Number":
		f.typ = typeDouble
	case "Currency":
		f.typ = typeCurrency
	case "Percent":
		f.typ = typePercent
	case "Checkbox":
		f.typ, f.required, f.initial = typeBoolean, true, boolValue(x.DefaultValue == "true")
	case "Date":
		f.typ = typeDate
	case "DateTime":
		f.typ = typeDateTime
	case "Phone":
		f.typ, f.length = typePhone, 40
	case "Email":
		f.typ, f.length = typeEmail, 80
	case "Url":
		f.typ, f.length = typeURL, 255
	case "AutoNumber":
		f.typ, f.length, f.autoNumber, f.required = typeString, 30, x.DisplayFormat, true
	case "Picklist":
		x.setPicklist(f)
	case "Lookup", "MasterDetail":
		x.setReference(f)
	default:
		return fmt.Errorf("field type %q is not supported", x.Type)
	}
	if f.textual() && f.length <= 0 {
		return fmt.Errorf("a %s needs a length", x.Type)
	}
	if f.numeric() && f.precision <= 0 {
		return fmt.Errorf("a %s needs a precision", x.Type)
	}
	if (f.externalID || f.unique) && f.longText() {
		return fmt.Errorf("a %s cannot be an external id or unique", x.Type)
	}
	return nil
}

func (x *sfdxField) setPicklist(f *field) {
	f.typ, f.length, f.restricted = typePicklist, 255, x.ValueSet.Restricted
	for _, v := range x.ValueSet.Definition.Values {
		f.values = append(f.values, v.FullName)
		if v.Default {
			f.initial = textValue(v.FullName)
		}
	}
}

func (x *sfdxField) setReference(f *field) {
	f.typ, f.length, f.refTo = typeReference, 18, []string{x.ReferenceTo}
	f.relName = strings.TrimSuffix(x.FullName, "c") + "r"
	if x.RelationshipName != "" {
		f.childRel = x.RelationshipName + "__r"
	}
	f.cascade = x.Type == "MasterDetail" || x.DeleteConstraint == "Cascade"
	f.restrictDel = x.DeleteConstraint == "Restrict"
	f.required = f.required || x.Type == "MasterDetail"
	f.fixed = x.Type == "MasterDetail" && !x.Reparentable
}
