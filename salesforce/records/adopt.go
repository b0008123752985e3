package records

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// CodeSecondRecord is the code of the fault that a message has a second record,
// which cannot be merged into the first.
const CodeSecondRecord = "SECOND_RECORD"

// A stranger is the record that the mirror has made of a message before it was
// known that a draft became that message. Its children move to the draft's
// record, and it is deleted. Whatever of this is cut short is done again by the
// next write, which is refused as this one was, until the stranger is gone.
const (
	media       = "TwilioSF_Media__c"
	mediaParent = "Message__c"
	childHint   = "The mirror has made a second record of the same message, whose media cannot be moved to the first: give the integration user edit access to them, then retry."
	deleteHint  = "The mirror has made a second record of the same message, which cannot be deleted: give the integration user delete access, or delete that record, then retry."
)

// stranger stands in the way of the row at a place.
type stranger struct {
	id string
	at int
}

// makeWay takes strangers out of the way of rows that were refused their SID, and
// answers the places of those to write again: where no stranger is seen that is
// the first time only, as it may have gone by itself.
func (s *Messages) makeWay(ctx context.Context, p *plan, rows []row, outcomes []error, first bool) (again []int) {
	places := map[string]int{} // by SID, as Salesforce compares it
	var sids []message.SID
	for i, outcome := range outcomes {
		if rows[i].sid != "" && fault.CodeOf(outcome) == salesforce.CodeDuplicateValue {
			places[strings.ToLower(string(rows[i].sid))] = i
			sids = append(sids, rows[i].sid)
		}
	}
	if len(sids) == 0 {
		return nil
	}
	failed := func(err error) []int {
		for _, at := range places {
			outcomes[at] = err
		}
		return nil
	}
	found, err := s.strangers(ctx, p, rows, places, sids)
	if err != nil {
		return failed(err)
	}
	if err := s.moveChildren(ctx, rows, found, outcomes); err != nil {
		return failed(err)
	}
	if err := s.deleteStrangers(ctx, found, outcomes); err != nil {
		return failed(err)
	}
	for _, at := range places {
		visible := slices.ContainsFunc(found, func(f stranger) bool { return f.at == at })
		if fault.CodeOf(outcomes[at]) == salesforce.CodeDuplicateValue && (visible || first) {
			again = append(again, at)
		}
	}
	slices.Sort(again)
	return again
}

// strangers finds the records that have the SIDs.
func (s *Messages) strangers(ctx context.Context, p *plan, rows []row, places map[string]int, sids []message.SID) (found []stranger, err error) {
	q := soql.Query{Fields: []string{"Id", p.key}, From: p.object, Where: []string{soql.In(p.key, sids)}}
	err = s.each(ctx, q, func(record map[string]any) {
		at, ok := places[strings.ToLower(textOf(record, p.names["Message_SID__c"]))]
		if id := textOf(record, "Id"); ok && id != rows[at].id {
			found = append(found, stranger{id, at})
		}
	})
	return found, err
}

// child is one of a stranger's, on its way to the row at a place.
type child struct {
	row
	at int
}

// moveChildren gives the media of strangers to the records that stay. The outcome
// of a row whose media cannot be moved says so.
func (s *Messages) moveChildren(ctx context.Context, rows []row, found []stranger, outcomes []error) error {
	all, err := s.children(ctx, rows, found)
	if err != nil {
		return err
	}
	w := s.updating(media, func(error) {})
	for some := range slices.Chunk(all, salesforce.MaxCollection) {
		moves := make([]row, len(some))
		for i := range some {
			moves[i] = some[i].row
		}
		got, err := w.all(ctx, moves)
		if err != nil {
			return err
		}
		for i, err := range got {
			if err != nil && fault.CodeOf(err) != salesforce.CodeEntityIsDeleted {
				outcomes[some[i].at] = inTheWay(err, childHint)
			}
		}
	}
	return nil
}

// children finds the media of strangers.
func (s *Messages) children(ctx context.Context, rows []row, found []stranger) (all []child, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	places := make(map[string]int, len(found))
	ids := make([]string, len(found))
	for i, f := range found {
		places[f.id], ids[i] = f.at, f.id
	}
	q := soql.Query{Fields: []string{"Id", mediaParent}, From: media, Where: []string{soql.In(mediaParent, ids)}}
	err = s.each(ctx, q, func(record map[string]any) {
		if at, ok := places[textOf(record, mediaParent)]; ok {
			moved := appendField([]byte(`{"attributes":{"type":"`+media+`"}`), "id", textOf(record, "Id"))
			all = append(all, child{row{record: append(appendField(moved, mediaParent, rows[at].id), '}')}, at})
		}
	})
	if fault.CodeOf(err) == salesforce.CodeInvalidType {
		return nil, nil // an org without media
	}
	return all, err
}

// deleteStrangers deletes those whose children have moved.
func (s *Messages) deleteStrangers(ctx context.Context, found []stranger, outcomes []error) error {
	var ids []string
	var of []int
	for _, f := range found {
		if fault.CodeOf(outcomes[f.at]) == salesforce.CodeDuplicateValue {
			ids, of = append(ids, f.id), append(of, f.at)
		}
	}
	results, err := s.org.DeleteCollection(ctx, ids)
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Err != nil && !gone(r.Err) {
			outcomes[of[i]] = inTheWay(r.Err, deleteHint)
		}
	}
	return nil
}

// inTheWay is the fault of a stranger that stays. What the user may not do is a
// verdict on this one record only, not on the access as a whole.
func inTheWay(err error, hint string) error {
	f := &fault.Error{Class: fault.ClassOf(err), Op: "salesforce merge", Code: CodeSecondRecord, Hint: hint, After: fault.After(err), Err: err}
	if f.Class == fault.Auth {
		f.Class, f.After = fault.Permanent, 0
	}
	return f
}

// each calls found for the records of a query.
func (s *Messages) each(ctx context.Context, q soql.Query, found func(map[string]any)) error {
	text, err := q.Build()
	if err != nil {
		return fault.New(fault.Permanent, "salesforce query", fmt.Errorf("%s: %w", q.From, err))
	}
	return s.org.Query(ctx, text, func(record map[string]any) error {
		found(record)
		return nil
	})
}
