package records

import (
	"context"
	"errors"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// errUnbound stands for a message that is to be upserted by its SID.
var errUnbound = errors.New("no record of its own")

var errNowhere = errors.New("a rejected message without a record to show it on")

// bound writes the messages whose record's id is known, and answers the others.
// Their outcomes are errUnbound until they have been written.
func (s *Messages) bound(ctx context.Context, p *plan, batch []mirror.Record, outcomes []error) (rest []*mirror.Record, err error) {
	shared := rejections(batch)
	rows, places := boundRows(p, batch, shared, outcomes)
	if len(rows) > 0 {
		got, err := s.byID(ctx, p, rows)
		if err != nil {
			return nil, err
		}
		for i, at := range places {
			if outcomes[at] = got[i]; fault.CodeOf(got[i]) == salesforce.CodeEntityIsDeleted {
				outcomes[at] = afterwards(&batch[at])
			}
		}
	}
	for i := range batch {
		if at, told := shared[batch[i].ID]; told && at.on != i {
			if outcomes[i] = outcomes[at.on]; errors.Is(outcomes[i], errUnbound) {
				outcomes[i] = afterwards(&batch[i])
			}
		}
		if !errors.Is(outcomes[i], errUnbound) {
			continue
		}
		if why := s.orphans.take(batch[i].Message.SID); why != nil {
			outcomes[i] = why
			continue
		}
		rest = append(rest, &batch[i])
	}
	return rest, nil
}

// boundRows are the rows of the messages whose record's id is known, and their places
// in the batch. Of those that cannot be written by an id the outcomes say why.
func boundRows(p *plan, batch []mirror.Record, shared map[string]shared, outcomes []error) (rows []row, places []int) {
	for i := range batch {
		r := &batch[i]
		switch at, told := shared[r.ID]; {
		case told && at.on != i: // its record is written with another one's row
		case r.ID != "":
			row := boundRow(p, r)
			if told && at.latest != i {
				row = alsoRejected(p, row, batch[at.latest].Message.SID)
			}
			rows, places = append(rows, row), append(places, i)
		case r.Rejected:
			outcomes[i] = fault.New(fault.Permanent, "salesforce update", errNowhere)
		default:
			outcomes[i] = errUnbound
		}
	}
	return rows, places
}

// shared is where in a batch a record is written, and which of several messages that
// stand for refused sends of it is the latest.
type shared struct{ on, latest int }

// rejections finds the records that a batch has rejected messages of. A call takes no
// id twice, so all that is to be said of a record goes with its own message, or with
// the latest of those.
func rejections(batch []mirror.Record) map[string]shared {
	var all map[string]shared
	for i := range batch {
		r := &batch[i]
		if !r.Rejected || r.ID == "" {
			continue
		}
		if all == nil {
			all = map[string]shared{}
		}
		if at, known := all[r.ID]; !known || !r.Message.Created.Before(batch[at.latest].Message.Created) {
			all[r.ID] = shared{i, i}
		}
	}
	for i := range batch {
		if at, told := all[batch[i].ID]; told && !batch[i].Rejected {
			all[batch[i].ID] = shared{i, at.latest}
		}
	}
	return all
}

// alsoRejected is a row that also tells of what Twilio has refused before.
func alsoRejected(p *plan, r row, sid message.SID) row {
	r.record = append(p.rejected(r.record[:len(r.record)-1], sid), '}')
	return r
}

// afterwards says what comes of a message whose record has been deleted. It gets
// a new one, because one message is one record (P2); what Twilio rejected was
// never a message, and there is nothing left to tell of it.
func afterwards(r *mirror.Record) error {
	if r.Rejected {
		return nil
	}
	return errUnbound
}

func boundRow(p *plan, r *mirror.Record) row {
	if !r.Rejected {
		all := func(string) bool { return true }
		return row{record: append(p.begin(r.ID, r.Message, all), '}'), id: r.ID, sid: r.Message.SID}
	}
	// Its status and its error are told by whoever sent it: by now the record may
	// show another attempt, or ask for one.
	record := p.begin(r.ID, r.Message, func(string) bool { return false })
	return row{record: append(p.rejected(record, r.Message.SID), '}'), id: r.ID}
}

// begin begins a record that is written by its id, with some of the message's
// columns. It lacks the closing brace.
func (p *plan) begin(id string, m *message.Message, some func(standard string) bool) []byte {
	record := append(make([]byte, 0, 512), p.head...)
	record = appendField(record, "id", id)
	for i := range p.fields {
		if f := &p.fields[i]; some(f.standard) {
			record = f.write(append(record, f.prefix...), m)
		}
	}
	return record
}

// rejected adds the SID under which Twilio lists what it has refused.
func (p *plan) rejected(record []byte, sid message.SID) []byte {
	if name := p.draft[rejectedSID]; name != "" && sid != "" {
		record = appendField(record, name, string(sid))
	}
	return record
}

// byID writes rows by their records' ids. A row that cannot get its SID because
// another record has it gets that one out of the way first.
func (s *Messages) byID(ctx context.Context, p *plan, rows []row) ([]error, error) {
	w := s.updating(p.object, s.planner.doubt)
	outcomes, err := w.all(ctx, rows)
	if err != nil {
		return nil, err
	}
	for n := range mostRepeats {
		again := s.makeWay(ctx, p, rows, outcomes, n == 0)
		if len(again) == 0 {
			return outcomes, nil
		}
		freed := make([]row, len(again))
		for i, at := range again {
			freed[i] = rows[at]
		}
		got, err := w.all(ctx, freed)
		for i, at := range again {
			if outcomes[at] = err; err == nil {
				outcomes[at] = got[i]
			}
		}
	}
	for i, outcome := range outcomes {
		if rows[i].sid != "" && fault.CodeOf(outcome) == salesforce.CodeDuplicateValue {
			// Made again each time that it was taken away: no verdict on the record.
			outcomes[i] = fault.New(fault.Transient, w.op, outcome)
		}
	}
	return outcomes, nil
}

// updating writes records by their ids. One that is gone is a Permanent fault of
// the code ENTITY_IS_DELETED, whatever words Salesforce has for it.
func (s *Messages) updating(object string, doubt func(error)) *write {
	return &write{
		op: "salesforce update", object: object, doubt: doubt, splits: mostSplits,
		send: func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
			results, err := s.org.UpdateCollection(ctx, records)
			for i := range results {
				if gone(results[i].Err) {
					results[i].Err = deleted(results[i].Err)
				}
			}
			return results, err
		},
	}
}

// gone is true when the record of an id is no more: in the recycle bin, or purged
// from it, when Salesforce knows the id no longer. A lookup to a record that does
// not exist has the same code, and names its field.
func gone(f *fault.Error) bool {
	switch {
	case f == nil:
		return false
	case f.Code == "INVALID_CROSS_REFERENCE_KEY":
		return len(f.Fields) == 0 || len(f.Fields) == 1 && strings.EqualFold(f.Fields[0], "Id")
	default:
		return f.Code == salesforce.CodeEntityIsDeleted || f.Code == salesforce.CodeNotFound
	}
}

func deleted(f *fault.Error) *fault.Error {
	d := *f
	d.Class, d.Code, d.Fields, d.Hint, d.After = fault.Permanent, salesforce.CodeEntityIsDeleted, nil, "", 0
	return &d
}
