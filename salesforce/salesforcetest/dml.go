package salesforcetest

import (
	"fmt"
	"strconv"
	"strings"
)

// tx remembers what a request changed so that it can be taken back.
type tx struct {
	s    *Server
	undo []undoStep
}

type undoStep struct {
	t   *table
	seq uint32
	was row
}

func (x *tx) put(t *table, seq uint32, now row) {
	page := t.pages[seq/pageRows]
	x.undo = append(x.undo, undoStep{t, seq, page[seq%pageRows]})
	t.put(seq, now)
}

// rollback restores every row, newest change first. Row numbers stay used, as
// the ids of a rolled back insert do in an org.
func (x *tx) rollback(to int) {
	for i := len(x.undo) - 1; i >= to; i-- {
		u := x.undo[i]
		u.t.put(u.seq, u.was)
	}
	x.undo = x.undo[:to]
}

// scratch returns a clear array of values for a row of o.
func (s *Server) scratch(o *object) []value {
	if cap(s.vals) < len(o.fields) {
		s.vals = make([]value, 256)
	}
	vals := s.vals[:len(o.fields)]
	clear(vals)
	return vals
}

// insert makes a row. by is the number of the user who writes.
func (s *Server) insert(x *tx, r *record, free bool) (uint32, []*Error) {
	o, t := r.obj, s.table(r.obj)
	if !free {
		if errs := s.mayInsert(r); errs != nil {
			return 0, errs
		}
	}
	vals := s.scratch(o)
	for _, f := range o.fields {
		vals[f.slot] = f.initial
	}
	if f := o.byName["ownerid"]; f != nil {
		vals[f.slot] = refValue(s.schema.object("User"), max(s.user, 1))
	}
	for _, b := range r.set {
		if b.v.k != kNull || b.field.typ != typeBoolean {
			vals[b.field.slot] = b.v
		}
	}
	if o.rules.complete != nil {
		if errs := o.rules.complete(s, r, 0, vals); errs != nil {
			return 0, errs
		}
	}
	if errs := s.checkRow(t, 0, r, vals); errs != nil {
		return 0, errs
	}
	seq := t.reserve()
	s.derive(t, vals, true)
	now := s.now()
	s.packing = pack(s.packing, vals)
	x.put(t, seq, row{
		blob: string(s.packing), created: now, modified: now,
		createdBy: s.user, modifiedBy: s.user, state: rowLive, writes: 1,
	})
	return seq, s.consequences(x, o, seq, true)
}

// consequences runs what follows from a write. If that fails, nothing was written.
func (s *Server) consequences(x *tx, o *object, seq uint32, fresh bool) []*Error {
	if o.rules.after == nil {
		return nil
	}
	mark := len(x.undo) - 1 // the write itself
	errs := o.rules.after(s, x, seq, fresh)
	if errs != nil {
		x.rollback(mark)
	}
	return errs
}

func (s *Server) mayInsert(r *record) []*Error {
	if r.obj.noCreate || r.obj.readOnly || r.obj.uncreatable {
		return []*Error{refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: "+r.obj.label)}
	}
	if r.id != "" {
		return []*Error{refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")}
	}
	if s.storageUsedKB()+2 > s.opts.StorageMB*1024 {
		e := refuse("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")
		e.status = s.opts.StorageStatus
		return []*Error{e}
	}
	return s.mayWriteFields(r, true)
}

// mayWriteFields refuses fields that only the org writes or that the user's
// field-level security leaves read-only.
func (s *Server) mayWriteFields(r *record, fresh bool) []*Error {
	var names []string
	for _, b := range r.set {
		if !b.field.writable() || b.field.fixed && !fresh {
			names = append(names, b.field.name)
		}
	}
	if names == nil {
		return nil
	}
	return notWritable(names)
}

func notWritable(names []string) []*Error {
	return []*Error{refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+strings.Join(names, ", ")+
		". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", names...)}
}

// update changes a live row.
func (s *Server) update(x *tx, r *record, seq uint32, free bool) []*Error {
	t := s.table(r.obj)
	if !free {
		if r.obj.noEdit || r.obj.readOnly {
			return []*Error{refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")}
		}
		if errs := s.mayWriteFields(r, false); errs != nil {
			return errs
		}
		if errs := s.mayWriteTwin(r, seq); errs != nil {
			return errs
		}
	}
	was := t.at(seq)
	vals := s.scratch(r.obj)
	unpack(was.blob, vals)
	for _, b := range r.set {
		vals[b.field.slot] = b.v
		if b.v.k == kNull && b.field.typ == typeBoolean {
			vals[b.field.slot] = boolValue(false)
		}
	}
	if complete := r.obj.rules.complete; complete != nil {
		if errs := complete(s, r, seq, vals); errs != nil {
			return errs
		}
	}
	if errs := s.checkRow(t, seq, r, vals); errs != nil {
		return errs
	}
	s.derive(t, vals, false)
	now := *was
	s.packing = pack(s.packing, vals)
	now.blob, now.modified, now.modifiedBy = string(s.packing), s.now(), s.user
	if now.writes < 1<<16-1 {
		now.writes++
	}
	x.put(t, seq, now)
	return s.consequences(x, r.obj, seq, false)
}

// derive fills what the org computes: automatic numbers, full names, closed flags.
func (s *Server) derive(t *table, vals []value, fresh bool) {
	o := t.obj
	for _, f := range o.fields {
		if f.autoNumber != "" && fresh {
			t.auto++
			vals[f.slot] = textValue(autoNumber(f.autoNumber, t.auto))
		}
	}
	if f := o.byName["name"]; f != nil && f.system && o.byName["lastname"] != nil {
		full := vals[o.byName["firstname"].slot].s + " " + vals[o.byName["lastname"].slot].s
		vals[f.slot] = textValue(trimBlanks(full))
	}
	if f := o.byName["isclosed"]; f != nil {
		status := vals[o.byName["status"].slot].s
		vals[f.slot] = boolValue(status == "Closed" || status == "Completed")
	}
}

// autoNumber renders a display format such as MSG-{0000}.
func autoNumber(format string, n int) string {
	head, rest, _ := strings.Cut(format, "{")
	zeros, tail, _ := strings.Cut(rest, "}")
	return fmt.Sprintf("%s%0"+strconv.Itoa(len(zeros))+"d%s", head, n, tail)
}

// remove puts a row in the recycle bin, after its children were seen to:
// details go along, look-ups are emptied, a restricting look-up forbids it.
func (s *Server) remove(x *tx, o *object, seq uint32, free bool) []*Error {
	if !free && (o.noDelete || o.readOnly) {
		return []*Error{refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")}
	}
	if !free && s.isTwin(o, seq) {
		return []*Error{refuse("DELETE_FAILED", "Your attempt to delete the record could not be completed because it is the contact of a person account")}
	}
	parent := refValue(o, seq)
	for _, child := range s.schema.objects {
		for _, f := range child.fields {
			ix := s.table(child).indexes[f.slot]
			if ix == nil || f.typ != typeReference {
				continue
			}
			for _, kid := range append([]uint32(nil), ix.find(parent)...) {
				if errs := s.release(x, child, kid, f); errs != nil {
					return errs
				}
			}
		}
	}
	t := s.table(o)
	now := *t.at(seq)
	now.state, now.modified, now.modifiedBy = rowDeleted, s.now(), s.user
	x.put(t, seq, now)
	return nil
}

func (s *Server) release(x *tx, child *object, kid uint32, f *field) []*Error {
	switch {
	case s.table(child).at(kid).state != rowLive, f.name == "PersonContactId": // gone, or going
		return nil
	case f.cascade, f.name == "AccountId" && s.isTwin(child, kid):
		return s.remove(x, child, kid, true)
	case f.restrictDel:
		return []*Error{refuse("DELETE_FAILED", "Your attempt to delete the record could not be completed because it is associated with other records: "+child.plural)}
	default:
		return s.update(x, &record{obj: child, set: []binding{{field: f}}}, kid, true)
	}
}

// storageUsedKB counts 2 KB for every live row outside of setup objects.
func (s *Server) storageUsedKB() int {
	kb := 0
	for _, t := range s.tables {
		switch t.obj.name {
		case "Organization", "User", "PermissionSet", "PermissionSetAssignment", "ContentVersion", "ContentDocument", "ContentDocumentLink":
		case "Campaign":
			kb += 8 * t.live
		case "CampaignMember":
			kb += t.live
		default:
			kb += 2 * t.live
		}
	}
	return kb
}
