package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// wholeRefusal is from how many records on a run that meets nothing but refusals
// is taken to be refused as a whole.
const wholeRefusal = 5

// leave takes the messages of a run, whose manifest is committed, out of the org.
func (e *Engine) leave(ctx context.Context, r *Run) error {
	if err := e.wereGoing(ctx, r); err != nil {
		return err
	}
	if err := e.checkRun(ctx, r.ID); err != nil {
		d, ok := errors.AsType[*DamagedError](err)
		if !ok {
			return err
		}
		r.State, r.Ended, r.Problem = Blocked, time.Now().UTC(), d.Error()
		return errors.Join(e.Journal.Update(ctx, *r), d)
	}
	for {
		if err := e.Budget(); err != nil {
			return err
		}
		batch, err := e.Departures.Next(ctx, r.ID, Waiting, BatchSize)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := e.leaveSome(ctx, r, batch); err != nil {
			return err
		}
		if err := e.Journal.Update(ctx, *r); err != nil {
			return err
		}
	}
	r.State, r.Ended, r.Problem = Done, time.Now().UTC(), ""
	if err := e.Journal.Update(ctx, *r); err != nil {
		return err
	}
	e.log.Info("a run of the archive has ended", zap.String("run", r.ID), zap.Int("messages", r.Messages), zap.Int("left", r.Left),
		zap.Int("changed", r.Changed), zap.Int("refused", r.Refused))
	return nil
}

// wereGoing finds out what became of messages that were about to leave when the
// daemon was killed, or when a call's answer was lost.
func (e *Engine) wereGoing(ctx context.Context, r *Run) error {
	for {
		batch, err := e.Departures.Next(ctx, r.ID, Going, BatchSize)
		if err != nil || len(batch) == 0 {
			return err
		}
		there, err := e.again(ctx, batch)
		if err != nil {
			return err
		}
		settled := make([]Settlement, len(batch))
		for i, c := range batch {
			settled[i] = Settlement{ID: c.ID, SID: c.SID, Outcome: PutBack}
			if _, is := there[c.ID]; !is {
				settled[i].Outcome = Left
				r.Left++
			}
		}
		if err := e.Departures.Settle(ctx, r.ID, settled); err != nil {
			return err
		}
	}
}

// again reads messages as they are now, by their record ids.
func (e *Engine) again(ctx context.Context, of []Copy) (map[string]*Record, error) {
	all, err := e.Source.Again(ctx, idsOf(of))
	if err != nil {
		return nil, err
	}
	by := make(map[string]*Record, len(all))
	for i := range all {
		by[all[i].ID()] = &all[i]
	}
	return by, nil
}

func idsOf(of []Copy) []string {
	ids := make([]string, len(of))
	for i := range of {
		ids[i] = of[i].ID
	}
	return ids
}

// leaveSome takes at most BatchSize messages out of the org, or marks them. From
// before they are looked at for the last time the mirror leaves them alone, so
// that only others can change them then.
func (e *Engine) leaveSome(ctx context.Context, r *Run, batch []Copy) error {
	noted := map[string]bool{}
	if e.o.Delete {
		var err error
		if noted, err = e.Departures.Leave(ctx, r.ID, idsOf(batch)); err != nil {
			return err
		}
	}
	var settled []Settlement
	var going []Copy
	for _, c := range batch {
		if e.o.Delete && !noted[c.ID] {
			settled = append(settled, Settlement{ID: c.ID, SID: c.SID, Outcome: Stays})
		} else {
			going = append(going, c)
		}
	}
	still, more, err := e.unchanged(ctx, going)
	if err != nil {
		return err
	}
	settled = append(settled, more...)
	some, stop, err := e.depart(ctx, r, still)
	if err != nil {
		return err
	}
	settled = append(settled, some...)
	if err := e.Departures.Settle(ctx, r.ID, settled); err != nil {
		return err
	}
	moved := e.tally(r, settled)
	if stop == nil && !moved {
		return fault.New(fault.Transient, "archive delete", errors.New("the org lets none of the records go for now"))
	}
	return stop
}

// unchanged keeps those that are still as they were copied, with all of their
// media, and settles the others.
func (e *Engine) unchanged(ctx context.Context, of []Copy) (still []Copy, settled []Settlement, err error) {
	if len(of) == 0 {
		return nil, nil, nil
	}
	there, err := e.again(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	records := make([]Record, 0, len(there))
	for _, r := range there {
		records = append(records, *r)
	}
	media := map[string][]Record{}
	if len(records) > 0 {
		if media, err = e.media(ctx, records); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range of {
		now, is := there[c.ID]
		switch {
		case !is: // somebody has deleted it, or we did when no answer came
			settled = append(settled, Settlement{ID: c.ID, SID: c.SID, Outcome: Left})
		case !now.Modified().Equal(c.Modified) || now.Digest() != c.Record || DigestOf(media[c.ID]) != c.Media:
			settled = append(settled, Settlement{ID: c.ID, SID: c.SID, Outcome: Stays})
		default:
			still = append(still, c)
		}
	}
	return still, settled, nil
}

// depart deletes or marks records. stop says why the run cannot go on, though it
// is known what became of these.
func (e *Engine) depart(ctx context.Context, r *Run, of []Copy) (settled []Settlement, stop, err error) {
	if len(of) == 0 {
		return nil, nil, nil
	}
	do, outcome := e.Leaver.Mark, Marked
	if e.o.Delete {
		do, outcome = e.Leaver.Delete, Left
	}
	outcomes, err := do(ctx, idsOf(of))
	if err != nil {
		return nil, nil, err
	}
	var refused error
	n := 0
	for i, c := range of {
		s := Settlement{ID: c.ID, SID: c.SID, Outcome: outcome}
		switch class := fault.ClassOf(outcomes[i]); {
		case outcomes[i] == nil:
		case class == fault.Permanent, class == fault.Auth:
			s.Outcome, s.Until = RefusedOne, time.Now().Add(refusedFor)
			refused = outcomes[i]
			n++
		default:
			s.Outcome = PutBack
		}
		settled = append(settled, s)
	}
	if n == len(of) && n >= wholeRefusal && r.Left == 0 {
		for i := range settled {
			settled[i].Outcome = PutBack
		}
		return settled, &RefusedError{n, refused}, nil
	}
	if n > 0 {
		e.noteRefused(n, refused)
	}
	return settled, nil, nil
}

// RefusedError says that the org lets none of its records go.
type RefusedError struct {
	Records int
	Err     error // of one of them
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the org refused all %d records that were tried: %v", e.Records, e.Err)
}

// Unwrap gives the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// tally counts what was settled, and answers whether anything was.
func (e *Engine) tally(r *Run, settled []Settlement) (moved bool) {
	by := map[Outcome]int{}
	for _, s := range settled {
		by[s.Outcome]++
	}
	r.Left += by[Left] + by[Marked]
	r.Changed += by[Stays]
	r.Refused += by[RefusedOne]
	for outcome, name := range map[Outcome]string{Left: "deleted", Marked: "marked", Stays: "stayed", RefusedOne: "refused"} {
		e.metrics.count(name, by[outcome])
	}
	return by[PutBack] < len(settled)
}
