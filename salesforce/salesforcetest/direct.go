package salesforcetest

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"
)

// Direct access stands beside the API: no session, no limits, no field-level
// security, nothing counted. Values are string (also ids, dates and picklists),
// float64, bool, time.Time in UTC, or nil.

// known finds an object for direct access.
func (s *Server) known(name string) (*object, error) {
	if o := s.schema.object(name); o != nil {
		return o, nil
	}
	return nil, fmt.Errorf("salesforcetest: there is no object %s", name)
}

// fill turns Go values into a record.
func (s *Server) fill(o *object, values map[string]any) (*record, error) {
	r := &record{obj: o}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f := o.field(name)
		if f == nil || f.src != fromBlob {
			return nil, fmt.Errorf("salesforcetest: %s has no field %s to write", o.name, name)
		}
		v, err := s.foreign(f, values[name])
		if err != nil {
			return nil, fmt.Errorf("salesforcetest: %s.%s: %w", o.name, name, err)
		}
		r.set = append(r.set, binding{f, v})
	}
	return r, nil
}

func (s *Server) foreign(f *field, in any) (value, error) {
	n := &node{kind: nodeString}
	switch x := in.(type) {
	case nil:
		return value{}, nil
	case string:
		n.text = x
	case bool:
		return boolValue(x), nil
	case int:
		return numberValue(float64(x)), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return value{}, fmt.Errorf("%v is not a number an org can hold", x)
		}
		return numberValue(x), nil
	case time.Time:
		n.text = x.UTC().Format(time.RFC3339Nano)
		if f.typ == typeDate {
			n.text = x.Format(dateOut)
		}
	default:
		return value{}, fmt.Errorf("a %T is no value of a field", in)
	}
	v, bad := s.convert(f, n)
	if bad != nil {
		return value{}, bad
	}
	return v, nil
}

// Insert makes a row as the org's other users do and returns its 18-character
// id. Required fields, lengths and uniqueness are enforced; an *Error says why not.
func (s *Server) Insert(object string, values map[string]any) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return "", err
	}
	r, err := s.fill(o, values)
	if err != nil {
		return "", err
	}
	seq, errs := s.insert(&tx{s: s}, r, true)
	if errs != nil {
		return "", errs[0]
	}
	return formatID(o.prefix, seq), nil
}

// Load is Insert for many rows at once, in their order. It stops at the first
// that is refused; those before it stay.
func (s *Server) Load(object string, rows []map[string]any) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(rows))
	for i, values := range rows {
		r, err := s.fill(o, values)
		if err != nil {
			return ids, fmt.Errorf("row %d: %w", i, err)
		}
		seq, errs := s.insert(&tx{s: s}, r, true)
		if errs != nil {
			return ids, fmt.Errorf("row %d: %w", i, errs[0])
		}
		ids = append(ids, formatID(o.prefix, seq))
	}
	return ids, nil
}

// live finds a row that is not deleted.
func (s *Server) live(object, id string) (*object, uint32, error) {
	o, err := s.known(object)
	if err != nil {
		return nil, 0, err
	}
	prefix, seq, good := parseID(id)
	if r := s.table(o).at(seq); !good || prefix != o.prefix || r == nil || r.state != rowLive {
		return nil, 0, fmt.Errorf("salesforcetest: %s has no row %s", object, id)
	}
	return o, seq, nil
}

// Update changes a row as another user would.
func (s *Server) Update(object, id string, values map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, seq, err := s.live(object, id)
	if err != nil {
		return err
	}
	r, err := s.fill(o, values)
	if err != nil {
		return err
	}
	if errs := s.update(&tx{s: s}, r, seq, true); errs != nil {
		return errs[0]
	}
	return nil
}

// Delete puts a row in the recycle bin.
func (s *Server) Delete(object, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, seq, err := s.live(object, id)
	if err != nil {
		return err
	}
	x := &tx{s: s}
	if errs := s.remove(x, o, seq, true); errs != nil {
		x.rollback(0)
		return errs[0]
	}
	return nil
}

// EmptyRecycleBin removes deleted rows for good: their ids are then unknown.
func (s *Server) EmptyRecycleBin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tables {
		for seq := range t.from(1) {
			if r := *t.at(seq); r.state == rowDeleted {
				r.state, r.blob = rowAbsent, ""
				t.put(seq, r)
			}
		}
	}
}

// copyRow is a row as a map, every field present. The lock must be held.
func (s *Server) copyRow(t *table, seq uint32) map[string]any {
	out := make(map[string]any, len(t.obj.fields))
	r := t.at(seq)
	vals := make([]value, len(t.obj.fields))
	unpack(r.blob, vals)
	for _, f := range t.obj.fields {
		v := vals[f.slot]
		if f.src != fromBlob {
			v = s.cell(t, seq, r, f)
		}
		out[f.name] = s.native(v)
	}
	return out
}

// Row returns a copy of a live row, and whether there is one.
func (s *Server) Row(object, id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, seq, err := s.live(object, id)
	if err != nil {
		return nil, false
	}
	return s.copyRow(s.table(o), seq), true
}

// ByKey returns copies of the live rows whose external id field has a value.
func (s *Server) ByKey(object, field, key string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return nil
	}
	f := o.field(field)
	if f == nil || !f.indexed() {
		return nil
	}
	v, bad := s.convert(f, &node{kind: nodeString, text: key})
	if bad != nil || v.k == kNull {
		return nil
	}
	var out []map[string]any
	for _, seq := range s.table(o).indexes[f.slot].find(v) {
		out = append(out, s.copyRow(s.table(o), seq))
	}
	return out
}

// Rows yields copies of the live rows in the order of their creation. The org
// goes on serving meanwhile: rows made during the walk may or may not be seen.
func (s *Server) Rows(object string) iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		for seq := uint32(1); ; seq++ {
			row, more := s.nextRow(object, &seq)
			if !more || !yield(row) {
				return
			}
		}
	}
}

func (s *Server) nextRow(object string, seq *uint32) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return nil, false
	}
	t := s.table(o)
	for at := range t.from(*seq) {
		if t.at(at).state == rowLive {
			*seq = at
			return s.copyRow(t, at), true
		}
	}
	return nil, false
}

// Count is the number of live rows of an object; 0 for an unknown one.
func (s *Server) Count(object string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return 0
	}
	return s.table(o).live
}
