package salesforcetest

import (
	"fmt"
	"slices"
	"strings"
)

// checkRow verifies a row as it would be stored. seq is 0 for an insert. Only
// what the write touches is checked on an update, as in an org.
func (s *Server) checkRow(t *table, seq uint32, r *record, vals []value) []*Error {
	if errs := s.checkRequired(r, seq, vals); errs != nil {
		return errs
	}
	var errs []*Error
	for _, b := range r.set {
		if e := s.checkValue(b.field, b.v); e != nil {
			errs = append(errs, e)
		}
	}
	if errs != nil {
		return errs
	}
	for _, b := range r.set {
		if e := s.checkUnique(t, seq, b); e != nil {
			return []*Error{e}
		}
	}
	if t.obj.rules.verify != nil {
		return t.obj.rules.verify(s, t, seq, vals)
	}
	return nil
}

func (s *Server) checkRequired(r *record, seq uint32, vals []value) []*Error {
	var missing []string
	for _, f := range r.obj.fields {
		if !f.required || f.system || f.autoNumber != "" || f.typ == typeBoolean {
			continue
		}
		if vals[f.slot].k == kNull && (seq == 0 || r.has(f)) {
			missing = append(missing, f.name)
		}
	}
	if missing == nil {
		return nil
	}
	return []*Error{refuse("REQUIRED_FIELD_MISSING",
		"Required fields are missing: ["+strings.Join(missing, ", ")+"]", missing...)}
}

func (s *Server) checkValue(f *field, v value) *Error {
	switch {
	case v.k == kText && f.typ == typePicklist:
		if f.restricted && !slices.ContainsFunc(f.values, func(p string) bool { return strings.EqualFold(p, v.s) }) {
			return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f.label+": bad value for restricted picklist field: "+v.s, f.name)
		}
		if utf16Len(v.s) > 255 {
			return tooLong(f, v.s)
		}
	case f.typ == typeBase64:
		if len(v.s) > f.length {
			return refuse("FIELD_INTEGRITY_EXCEPTION", f.label+": the file is larger than allowed here", f.name)
		}
	case v.k == kText && utf16Len(v.s) > f.length:
		return tooLong(f, v.s)
	case v.k == kText && f.typ == typeEmail:
		local, domain, at := strings.Cut(v.s, "@")
		if !at || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(v.s, " ,;") {
			return refuse("INVALID_EMAIL_ADDRESS", f.label+": invalid email address: "+v.s, f.name)
		}
	case v.k == kRef && f.name == "OwnerId":
		return s.checkOwner(v)
	}
	return nil
}

// tooLong names the field by its label and echoes the whole value, as the org does.
func tooLong(f *field, text string) *Error {
	return refuse("STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label, text, f.length), f.name)
}

func (s *Server) checkOwner(v value) *Error {
	_, seq := v.target()
	users := s.schema.object("User")
	if s.table(users).at(seq).get(users.field("IsActive").slot).n == 1 {
		return nil
	}
	return refuse("INACTIVE_OWNER_OR_USER", "operation performed with inactive user ["+s.refText(v)[:15]+"] as owner", "OwnerId")
}

func (s *Server) checkUnique(t *table, seq uint32, b binding) *Error {
	if !b.field.unique || b.v.k == kNull {
		return nil
	}
	for _, other := range t.indexes[b.field.slot].find(b.v) {
		if other != seq {
			return refuse("DUPLICATE_VALUE", fmt.Sprintf("duplicate value found: %s duplicates value on record with id: %s",
				b.field.name, formatID(t.obj.prefix, other)[:15]))
		}
	}
	return nil
}
