package records

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func extraText(extra map[string]any) (string, error) {
	text, err := json.Marshal(extra, json.Deterministic(true))
	if err != nil {
		return "", fault.New(fault.Permanent, "archive read", errors.New("a record's own fields cannot be written as JSON"))
	}
	return string(text), nil
}

// Delete implements archive.Leaver. Media are details of their messages, and go
// with them.
func (a *Archive) Delete(ctx context.Context, ids []string) ([]error, error) {
	var results []salesforce.RowResult
	var err error
	if a.o.Eraser != nil {
		results, err = a.o.Eraser.Erase(ctx, a.names.Object, ids)
	} else {
		results, err = a.org.DeleteCollection(ctx, ids)
	}
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(results))
	for i, r := range results {
		if r.Err != nil && r.Err.Code != salesforce.CodeEntityIsDeleted {
			outcomes[i] = r.Err
		}
	}
	return outcomes, nil
}

// Mark implements archive.Leaver.
func (a *Archive) Mark(ctx context.Context, ids []string) ([]error, error) {
	p, err := a.messages.current(ctx)
	if err != nil {
		return nil, err
	}
	field, ok := p.columns[archive.ColArchived]
	if !ok {
		wrong := schemaProblems{}
		wrong.add(archive.ColArchived, "is missing or hidden, and archive.delete is false")
		return nil, wrong.fault(p.object)
	}
	rows := make([][]byte, len(ids))
	for i, id := range ids {
		rows[i] = append(appendField(p.record(nil), "id", id), `,"`+field.Name+`":true}`...)
	}
	results, err := updateAll(ctx, a.org, rows)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(results))
	for i, r := range results {
		if r.Err != nil {
			outcomes[i] = r.Err
		}
	}
	return outcomes, nil
}

// Restore implements archive.Returner.
func (a *Archive) Restore(ctx context.Context, messages []archive.Record, until time.Time) ([]error, error) {
	p, err := a.messages.current(ctx)
	if err != nil {
		return nil, err
	}
	return a.back(ctx, a.messages, p, len(messages), func(i int, which extent) []byte {
		r := messages[i]
		r.Values = append([]any(nil), r.Values...)
		r.Set(archive.ColAfter, until.UTC().Truncate(24*time.Hour))
		r.Set(archive.ColArchived, false)
		return append(p.restored(p.record(nil), &r, which), '}')
	})
}

// RestoreMedia implements archive.Returner. A medium names its message by the
// Message SID, because the record has another id now. Where a record keeps its
// parent for ever, one that is there refuses to be told it again.
func (a *Archive) RestoreMedia(ctx context.Context, media []archive.Record) ([]error, error) {
	p, err := a.medium.current(ctx)
	if err != nil {
		return nil, err
	}
	parent := p.columns[archive.ColMessage]
	return a.back(ctx, a.medium, p, len(media), func(i int, which extent) []byte {
		dst := p.restored(p.record(nil), &media[i], which)
		if which == nothing {
			return append(dst, '}')
		}
		dst = append(append(dst, `,"`+parent.RelationshipName+`":{"`+a.names.SID+`":`...), []byte(strconv.Quote(string(media[i].SID())))...)
		return append(dst, `}}`...)
	})
}

// back writes records by their key. One that is refused for its owner or its links
// is written without them, for those may be in the org no more.
func (a *Archive) back(ctx context.Context, plans *planner, p *plan, n int, row1 func(i int, which extent) []byte) ([]error, error) {
	outcomes, extents := make([]error, n), make([]extent, n)
	todo := make([]int, n)
	for i := range todo {
		todo[i] = i
	}
	for round := 0; len(todo) > 0; round++ {
		w := &write{
			op: "salesforce restore", object: p.object, raced: raced, doubt: plans.doubt, splits: mostSplits,
			send: func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
				return a.org.UpsertCollection(ctx, p.object, p.key, records)
			},
		}
		rows := make([]row, len(todo))
		for at, i := range todo {
			rows[at].record = row1(i, extents[i])
		}
		got, err := w.all(ctx, rows)
		if err != nil {
			return nil, aboutTheCall(err)
		}
		var again []int
		for at, i := range todo {
			outcomes[i] = got[at]
			if next, less := lesser(extents[i], fault.Of(got[at])); less && round < mostRepeats {
				extents[i] = next
				again = append(again, i)
			}
		}
		todo = again
	}
	return outcomes, nil
}

// lesser is how much of a record is written when it was refused with so much.
func lesser(was extent, f *fault.Error) (extent, bool) {
	switch {
	case f == nil:
		return was, false
	case f.Code == salesforce.CodeReadOnlyField && was != nothing:
		return nothing, true
	case !mayBeLinks(f) || was >= bare:
		return was, false
	case aboutOwner(f) && was == linked:
		return unowned, true
	default:
		return bare, true
	}
}

// restored appends what a record held, as far as the org takes it for a new one.
func (p *plan) restored(dst []byte, r *archive.Record, which extent) []byte {
	for _, c := range archive.Columns(r.Table) {
		f, ok := p.columns[c.Name]
		v := r.Get(c.Name)
		if !ok || v == nil || !f.Createable || c.Name == archive.ColMessage || leaves(f, which) {
			continue
		}
		if text := valueText(f, v); text != nil {
			dst = append(append(dst, `,"`+f.Name+`":`...), text...)
		}
	}
	extra, _ := r.Get(archive.ColExtra).(string) //nolint:errcheck // nil is none
	var own map[string]jsontext.Value
	if extra == "" || json.Unmarshal([]byte(extra), &own) != nil {
		return dst
	}
	for _, key := range p.extras() {
		f := p.columns[key]
		if v, ok := own[f.Name]; ok && f.Createable && !leaves(f, which) {
			dst = append(append(dst, `,"`+f.Name+`":`...), v...)
		}
	}
	return dst
}
