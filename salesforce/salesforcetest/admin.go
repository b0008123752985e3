package salesforcetest

import (
	"fmt"
	"maps"
	"time"
)

// What an administrator of the org can take from the integration user, and what
// the org has counted.

// Deny are the object permissions to take away.
type Deny struct{ Read, Create, Edit, Delete bool }

// Restrict takes permissions on an object from the integration user; the zero
// Deny gives all back. Without Read the object does not exist for the API.
func (s *Server) Restrict(object string, deny Deny) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return err
	}
	o.secured.denied = deny
	o.secure()
	s.schemaChanged()
	return nil
}

// HideField takes field-level read access: the API then answers as if the field
// did not exist ("No such column"). With hide false it comes back.
func (s *Server) HideField(object, name string, hide bool) error {
	return s.secure(object, name, func(d *Deny) { d.Read = hide })
}

// ReadOnlyField takes field-level edit access, or gives it back.
func (s *Server) ReadOnlyField(object, name string, readOnly bool) error {
	return s.secure(object, name, func(d *Deny) { d.Edit = readOnly })
}

func (s *Server) secure(object, name string, change func(*Deny)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.known(object)
	if err != nil {
		return err
	}
	f := o.field(name)
	if f == nil {
		return fmt.Errorf("salesforcetest: %s has no field %s", object, name)
	}
	change(&f.secured.denied)
	f.secure()
	s.schemaChanged()
	return nil
}

// schemaChanged lets describe know that it is not what it was.
func (s *Server) schemaChanged() {
	next := time.Now().UTC().Truncate(time.Second)
	if !next.After(s.describe) {
		next = s.describe.Add(time.Second)
	}
	s.describe = next
}

// Calls is a copy of what was counted since the start or ResetCalls.
func (s *Server) Calls() Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Calls{Total: s.stats.total, Logins: s.stats.logins, ByOperation: maps.Clone(s.stats.byOp)}
}

// ResetCalls sets Calls to zero. The daily usage that the limit header reports
// goes on.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats = newStats()
}

// UseCalls counts n calls of other users against the daily limit.
func (s *Server) UseCalls(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.add(time.Now(), n)
}

// Writes is how often a row was written, its creation included; 0 for an unknown
// row. It stops counting at 65,535.
func (s *Server) Writes(object, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, seq, err := s.live(object, id)
	if err != nil {
		return 0
	}
	return int(s.table(o).at(seq).writes)
}
