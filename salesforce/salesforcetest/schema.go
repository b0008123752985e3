package salesforcetest

import (
	"fmt"
	"strings"
)

// fieldType is the type name that describe reports.
type fieldType string

const (
	typeID        fieldType = "id"
	typeString    fieldType = "string"
	typeTextArea  fieldType = "textarea"
	typeDouble    fieldType = "double"
	typeInt       fieldType = "int"
	typeCurrency  fieldType = "currency"
	typePercent   fieldType = "percent"
	typeBoolean   fieldType = "boolean"
	typeDate      fieldType = "date"
	typeDateTime  fieldType = "datetime"
	typePicklist  fieldType = "picklist"
	typeReference fieldType = "reference"
	typePhone     fieldType = "phone"
	typeEmail     fieldType = "email"
	typeURL       fieldType = "url"
	typeBase64    fieldType = "base64"
)

// source says where a field's content lives, if not in the row's blob.
type source uint8

const (
	fromBlob source = iota
	fromID
	fromDeleted
	fromCreated
	fromModified
	fromCreatedBy
	fromModifiedBy
	fromParent // copied from the record a reference points at
)

// field is one field of an object, with what the integration user may do.
type field struct {
	slot        int
	name, label string
	help        string
	typ         fieldType
	length      int // text: UTF-16 units
	precision   int // numbers: digits in all
	scale       int // numbers: digits after the point
	custom      bool
	required    bool // must hold a value
	system      bool // the org writes it, nobody else
	unique      bool
	externalID  bool
	caseSens    bool
	idLookup    bool
	autoNumber  string // display format, "" when none
	nameField   bool
	values      []string // picklist, in order
	restricted  bool
	refTo       []string
	relName     string // child to parent, "" when none
	childRel    string // parent to child
	cascade     bool   // master-detail: goes with its parent
	restrictDel bool   // parent cannot be deleted while referenced
	fixed       bool   // can be set on create, never changed
	initial     value  // default on create
	src         source
	viaRef      string // fromParent: the reference
	viaField    string // fromParent: the field over there

	hidden   bool // field-level security: as if it did not exist
	readOnly bool // field-level security: visible, not writable
	secured  secured
	anything bool // refTo is every object
}

// longText tells types that cannot be filtered, sorted or grouped.
func (f *field) longText() bool {
	return f.typ == typeTextArea && f.length > 255 || f.typ == typeBase64
}

// textual tells types whose content is text.
func (f *field) textual() bool {
	switch f.typ {
	case typeString, typeTextArea, typePicklist, typePhone, typeEmail, typeURL, typeBase64:
		return true
	default:
		return false
	}
}

func (f *field) numeric() bool {
	switch f.typ {
	case typeDouble, typeInt, typeCurrency, typePercent:
		return true
	default:
		return false
	}
}

func (f *field) isID() bool { return f.typ == typeID || f.typ == typeReference }

// writable tells whether the API takes the field in a create (and an update).
func (f *field) writable() bool {
	return !f.system && f.src == fromBlob && f.autoNumber == "" && !f.readOnly
}

// indexed fields have a look-up from value to rows.
func (f *field) indexed() bool {
	return f.src == fromBlob && (f.externalID || f.unique || f.idLookup || f.typ == typeReference && f.name != "OwnerId")
}

// object is one sObject type.
type object struct {
	num           int
	name          string
	label, plural string
	prefix        string
	custom        bool
	fields        []*field // by slot
	byName        map[string]*field
	byRel         map[string]*field
	searchable    bool
	readOnly      bool // no API writes at all (Organization)
	uncreatable   bool // the API changes and deletes, but does not create
	rules         rules

	hidden                     bool // no read permission
	noCreate, noEdit, noDelete bool
	secured                    secured
}

func (o *object) add(f *field) error {
	key := strings.ToLower(f.name)
	if o.byName[key] != nil {
		return fmt.Errorf("field %s.%s is declared twice", o.name, f.name)
	}
	f.slot = len(o.fields)
	if f.slot > 255 {
		return fmt.Errorf("object %s has more than 256 fields", o.name)
	}
	o.fields = append(o.fields, f)
	o.byName[key] = f
	if f.relName != "" {
		rel := strings.ToLower(f.relName)
		if o.byRel[rel] != nil {
			return fmt.Errorf("relationship %s.%s is declared twice", o.name, f.relName)
		}
		o.byRel[rel] = f
	}
	return nil
}

// field finds a field by API name, any case. Nil when there is none.
func (o *object) field(name string) *field { return o.byName[strings.ToLower(name)] }

// visible finds a field that the integration user may see.
func (o *object) visible(name string) *field {
	if f := o.field(name); f != nil && !f.hidden {
		return f
	}
	return nil
}

// schema is all objects of the org.
type schema struct {
	objects  []*object
	byName   map[string]*object
	byPrefix map[string]*object
	twins    []twinned // with person accounts
}

func newSchema() *schema {
	return &schema{byName: map[string]*object{}, byPrefix: map[string]*object{}}
}

// object finds an sObject type by API name, any case. Nil when there is none.
func (s *schema) object(name string) *object { return s.byName[strings.ToLower(name)] }

func (s *schema) add(o *object) error {
	key := strings.ToLower(o.name)
	if s.byName[key] != nil {
		return fmt.Errorf("object %s is declared twice", o.name)
	}
	if s.byPrefix[o.prefix] != nil {
		return fmt.Errorf("object %s: key prefix %s is taken", o.name, o.prefix)
	}
	o.num = len(s.objects)
	s.objects = append(s.objects, o)
	s.byName[key] = o
	s.byPrefix[o.prefix] = o
	return nil
}

// newObject makes an object with the fields that every object has. OwnerId is
// left to the caller.
func newObject(name, label, plural, prefix string) *object {
	o := &object{
		name: name, label: label, plural: plural, prefix: prefix, searchable: true,
		byName: map[string]*field{}, byRel: map[string]*field{},
	}
	for _, f := range []*field{
		{name: "Id", label: "Record ID", typ: typeID, length: 18, src: fromID, idLookup: true, required: true},
		{name: "IsDeleted", label: "Deleted", typ: typeBoolean, src: fromDeleted, required: true},
		{name: "CreatedDate", label: "Created Date", typ: typeDateTime, src: fromCreated, required: true},
		{name: "CreatedById", label: "Created By ID", typ: typeReference, length: 18, refTo: []string{"User"}, relName: "CreatedBy", src: fromCreatedBy, required: true},
		{name: "LastModifiedDate", label: "Last Modified Date", typ: typeDateTime, src: fromModified, required: true},
		{name: "LastModifiedById", label: "Last Modified By ID", typ: typeReference, length: 18, refTo: []string{"User"}, relName: "LastModifiedBy", src: fromModifiedBy, required: true},
		{name: "SystemModstamp", label: "System Modstamp", typ: typeDateTime, src: fromModified, required: true},
	} {
		f.system = true
		if err := o.add(f); err != nil { // the seven names above differ
			panic(err)
		}
	}
	return o
}

func ownerField() *field {
	return &field{
		name: "OwnerId", label: "Owner ID", typ: typeReference, length: 18, required: true,
		refTo: []string{"User"}, relName: "Owner",
	}
}

// rules are what the org does with an object's rows beyond their fields. Each
// may be nil.
type rules struct {
	// complete fills in or refuses before anything else is checked.
	complete func(s *Server, r *record, seq uint32, vals []value) []*Error
	// verify refuses a row whose fields are right each by itself.
	verify func(s *Server, t *table, seq uint32, vals []value) []*Error
	// after writes the rows that go with a written one.
	after func(s *Server, x *tx, seq uint32, fresh bool) []*Error
}

// build makes the org's objects: the standard ones, then the source's.
func (s *schema) build(o *Options) error {
	if err := s.addStandard(); err != nil {
		return err
	}
	if o.PersonAccounts {
		if err := s.addPersonAccounts(); err != nil {
			return err
		}
	}
	if o.Schema != nil {
		if err := s.addSource(o.Schema); err != nil {
			return err
		}
	}
	if o.PersonAccounts {
		if err := s.addPersonCustom(); err != nil {
			return err
		}
	}
	s.openReferences()
	return s.check()
}

// openReferences lets references to "*" point at every object.
func (s *schema) openReferences() {
	var all []string
	for _, o := range s.objects {
		all = append(all, o.name)
	}
	for _, o := range s.objects {
		for _, f := range o.fields {
			if len(f.refTo) == 1 && f.refTo[0] == "*" {
				f.refTo, f.anything = all, true
			}
		}
	}
}

// check verifies that references point at objects that exist.
func (s *schema) check() error {
	for _, o := range s.objects {
		for _, f := range o.fields {
			for _, to := range f.refTo {
				if s.object(to) == nil {
					return fmt.Errorf("field %s.%s refers to %s, which does not exist", o.name, f.name, to)
				}
			}
		}
	}
	return nil
}
