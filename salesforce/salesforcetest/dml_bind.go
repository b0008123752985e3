package salesforcetest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// binding is one field of a write with its new content.
type binding struct {
	field *field
	v     value
}

// record is the payload of one written row, understood.
type record struct {
	obj  *object
	id   string // as given; "" none
	set  []binding
	errs []*Error // faults of this row alone
	src  *node    // the payload, for hooks; nil when written directly
}

func (r *record) has(f *field) bool {
	for i := range r.set {
		if r.set[i].field == f {
			return true
		}
	}
	return false
}

func (r *record) valueOf(f *field) value {
	for i := range r.set {
		if r.set[i].field == f {
			return r.set[i].v
		}
	}
	return value{}
}

// bind reads a JSON object as a row of o. An error refuses the request as a
// whole; what is wrong with the row alone is left in its errs.
func (s *Server) bind(o *object, n *node) (*record, *Error) {
	if n.kind != nodeObject {
		return nil, jsonError("Cannot deserialize instance of " + o.name + " from " + tokenName(n))
	}
	r := &record{obj: o, src: n, set: make([]binding, 0, len(n.kids))}
	for i := range n.kids {
		kid := &n.kids[i]
		switch {
		case kid.key == "attributes":
			continue
		case strings.EqualFold(kid.key, "Id"):
			if kid.kind != nodeString && kid.kind != nodeNull {
				return nil, cannotRead("id", kid)
			}
			r.id = kid.text
			continue
		}
		if err := s.bindMember(r, kid); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (s *Server) bindMember(r *record, kid *node) *Error {
	f := r.obj.visible(kid.key)
	if f == nil {
		rel := r.obj.byRel[strings.ToLower(kid.key)]
		if rel == nil || rel.hidden || kid.kind != nodeObject && kid.kind != nodeNull {
			return noSuchColumn(r.obj.name, kid.key)
		}
		return s.bindParent(r, rel, kid)
	}
	if r.has(f) {
		return jsonError("Duplicate field '" + kid.key + "'")
	}
	v, bad := s.convert(f, kid)
	if bad != nil {
		if bad.Code == "JSON_PARSER_ERROR" {
			return bad
		}
		r.errs = append(r.errs, bad)
		return nil
	}
	r.set = append(r.set, binding{f, v})
	return nil
}

// bindParent resolves "Parent__r": {"ExtId__c": "x"}.
func (s *Server) bindParent(r *record, rel *field, kid *node) *Error {
	if r.has(rel) {
		return jsonError("Duplicate field '" + kid.key + "'")
	}
	if kid.kind == nodeNull {
		r.set = append(r.set, binding{field: rel})
		return nil
	}
	parent := s.schema.object(rel.refTo[0])
	f, key, err := foreignKey(r.obj, parent, kid)
	if err != nil {
		return err
	}
	v, err := s.convert(f, key)
	if err != nil {
		return err
	}
	rows := s.table(parent).indexes[f.slot].find(v)
	switch len(rows) {
	case 1:
		r.set = append(r.set, binding{rel, refValue(parent, rows[0])})
	case 0:
		r.errs = append(r.errs, refuse("INVALID_FIELD", fmt.Sprintf(
			"Foreign key external ID: %s not found for field %s in entity %s", strings.ToLower(key.text), f.name, parent.name)))
	default:
		r.errs = append(r.errs, refuse("INVALID_FIELD", "More than one record found for external id field: "+f.name))
	}
	return nil
}

// foreignKey finds the one external id that names a parent.
func foreignKey(child, parent *object, n *node) (*field, *node, *Error) {
	var key *node
	for i := range n.kids {
		if n.kids[i].key == "attributes" {
			continue
		}
		if key != nil {
			return nil, nil, fail(400, "INVALID_FIELD", "More than 1 field provided in an external foreign key reference in entity: "+child.name)
		}
		key = &n.kids[i]
	}
	if key == nil {
		return nil, nil, fail(400, "INVALID_FIELD", "No external foreign key provided in entity: "+child.name)
	}
	f := parent.visible(key.key)
	if f == nil {
		return nil, nil, noSuchColumn(parent.name, key.key)
	}
	if f.src != fromBlob || !f.externalID && !f.idLookup {
		return nil, nil, fail(400, "INVALID_FIELD", "Field "+f.name+" is not an external id or indexed in entity "+parent.name)
	}
	return f, key, nil
}

// tokenName is what the org calls a JSON value in its errors.
func tokenName(n *node) string {
	switch n.kind {
	case nodeString:
		return "VALUE_STRING value " + n.text
	case nodeNumber:
		if strings.ContainsAny(n.text, ".eE") {
			return "VALUE_NUMBER_FLOAT value " + n.text
		}
		return "VALUE_NUMBER_INT value " + n.text
	case nodeBool:
		return "VALUE_" + strings.ToUpper(n.text) + " value " + n.text
	case nodeArray:
		return "START_ARRAY value ["
	case nodeObject:
		return "START_OBJECT value {"
	default:
		return "VALUE_NULL value null"
	}
}

func cannotRead(what string, n *node) *Error {
	e := jsonError("Cannot deserialize instance of " + what + " from " + tokenName(n) + " or request may be missing a required field")
	e.off = 1 + n.off
	return e
}

// convert reads a JSON value as content of a field. Texts lose the blanks at
// both ends, and an empty text is null.
func (s *Server) convert(f *field, n *node) (value, *Error) {
	if n.kind == nodeNull {
		return value{}, nil
	}
	if n.kind == nodeString && f.typ != typeBase64 && n.text == "" {
		return value{}, nil
	}
	switch {
	case f.typ == typeBase64:
		return convertBytes(n)
	case f.textual():
		if n.kind != nodeString {
			return value{}, cannotRead("string", n)
		}
		return s.convertText(f, n.text)
	case f.numeric():
		return convertNumber(f, n)
	case f.typ == typeBoolean:
		if n.kind == nodeBool || n.kind == nodeString && (n.text == "true" || n.text == "false") {
			return boolValue(n.text == "true"), nil
		}
		return value{}, cannotRead("boolean", n)
	case n.kind != nodeString:
		return value{}, cannotRead(string(f.typ), n)
	case f.typ == typeDate:
		if days, good := parseDate(n.text); good {
			return value{k: kDate, n: days}, nil
		}
		return value{}, cannotRead("date", n)
	case f.typ == typeDateTime:
		if ms, good := s.timeIn(n.text); good {
			return timeValue(ms), nil
		}
		return value{}, cannotRead("datetime", n)
	default:
		return s.convertRef(f, n.text)
	}
}

func (s *Server) timeIn(text string) (int64, bool) {
	ms, good := parseTime(text)
	if days, isDate := parseDate(text); !good && isDate {
		ms, good = days*dayMs, true // a bare date is midnight
	}
	if !s.opts.KeepMilliseconds {
		ms = time.UnixMilli(ms).Unix() * 1000
	}
	return ms, good
}

func (s *Server) convertText(f *field, text string) (value, *Error) {
	if strings.IndexByte(text, 0) >= 0 {
		return value{}, refuse("FIELD_INTEGRITY_EXCEPTION", f.label+": the value contains a character that is not allowed: U+0000", f.name)
	}
	text = trimBlanks(text)
	if text == "" {
		return value{}, nil
	}
	return textValue(text), nil
}

// trimBlanks removes what the org removes at both ends of a text: every
// character up to the space.
func trimBlanks(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// parseNumber reads a decimal number: no hexadecimal, no names.
func parseNumber(text string) (float64, bool) {
	for i := range len(text) {
		if !digit(text[i]) && strings.IndexByte("+-.eE", text[i]) < 0 {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}

func convertNumber(f *field, n *node) (value, *Error) {
	if n.kind != nodeNumber && n.kind != nodeString {
		return value{}, cannotRead("double", n)
	}
	x, good := parseNumber(n.text)
	if !good {
		return value{}, cannotRead("double", n)
	}
	if f.typ == typeInt && x != math.Trunc(x) {
		return value{}, cannotRead("int", n)
	}
	unit := math.Pow10(f.scale)
	if rounded := math.Round(x*unit) / unit; !math.IsInf(rounded, 0) && !math.IsNaN(rounded) {
		x = rounded
	}
	if math.Abs(x) >= math.Pow10(f.precision-f.scale) {
		return value{}, refuse("NUMBER_OUTSIDE_VALID_RANGE", f.label+": value outside of valid range on numeric field: "+n.text, f.name)
	}
	return numberValue(x), nil
}

func (s *Server) convertRef(f *field, id string) (value, *Error) {
	prefix, seq, good := parseID(id)
	if !good {
		return value{}, refuse("MALFORMED_ID", f.label+": id value of incorrect type: "+id, f.name)
	}
	o := s.schema.byPrefix[prefix]
	allowed := false
	for _, to := range f.refTo {
		allowed = allowed || o != nil && o.name == to
	}
	if !allowed {
		return value{}, refuse("FIELD_INTEGRITY_EXCEPTION", f.label+": id value of incorrect type: "+id, f.name)
	}
	r := s.table(o).at(seq)
	if r == nil {
		return value{}, refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	}
	if r.state == rowDeleted {
		return value{}, refuse("ENTITY_IS_DELETED", "entity is deleted")
	}
	return refValue(o, seq), nil
}
