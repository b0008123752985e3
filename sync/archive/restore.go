package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Wanted says which messages are to come back: all that every given part says.
type Wanted struct {
	Number string    `json:"number,omitzero"` // of either side, in E.164
	Since  time.Time `json:"since,omitzero"`  // created then or later
	Until  time.Time `json:"until,omitzero"`  // created before
	All    bool      `json:"all,omitzero"`    // needed where nothing else is said
	DryRun bool      `json:"dry_run,omitzero"`
}

// Restored is what came of it.
type Restored struct {
	Matched  int      `json:"matched"`  // messages that are archived and wanted
	Restored int      `json:"restored"` // of them
	Media    int      `json:"media"`
	Refused  int      `json:"refused"` // by the org
	Problems []string `json:"problems"`
}

// most problems are told.
const mostProblems = 20

func (r *Restored) problem(err error) {
	if len(r.Problems) < mostProblems {
		r.Problems = append(r.Problems, err.Error())
	}
}

// Restore brings archived messages back, their media after them. A message that
// is in the org is left alone, so it may be repeated, and goes on where it was
// stopped. A file that is damaged is told of, and the others are read.
func (e *Engine) Restore(ctx context.Context, w Wanted) (Restored, error) {
	out := Restored{Problems: []string{}}
	switch nothing := w.Number == "" && w.Since.IsZero() && w.Until.IsZero(); {
	case w.All != nothing:
		return out, errors.New("say which messages: by number, by since and until, or all of them")
	case !w.Until.IsZero() && !w.Since.Before(w.Until):
		return out, errors.New("since must be before until")
	case !e.one.TryAcquire(1):
		return out, ErrBusy
	}
	defer e.one.Release(1)
	if err := e.recall(ctx); err != nil {
		return out, err
	}
	all, err := e.Target.List(ctx, manifests)
	if err != nil {
		return out, err
	}
	for _, name := range all {
		m, err := e.manifest(ctx, name)
		if err == nil {
			err = (&restoring{e: e, w: w, out: &out, run: m, parents: map[string]bool{}}).do(ctx)
		}
		d, isDamaged := errors.AsType[*DamagedError](err)
		switch {
		case isDamaged:
			out.problem(d)
			e.noteDamaged(d)
		case err != nil:
			return out, err
		}
	}
	return out, nil
}

// restoring is one run's files on their way back.
type restoring struct {
	e       *Engine
	w       Wanted
	out     *Restored
	run     *Manifest
	batch   []Record
	parents map[string]bool // record ids, in the archive, of messages that came back
	back    []message.SID
}

func (r *restoring) do(ctx context.Context) (err error) {
	err = r.files(ctx, Messages, r.message)
	if err == nil || isDamaged(err) {
		err = errors.Join(err, r.flushMessages(ctx))
	}
	if len(r.parents) == 0 || err != nil && !isDamaged(err) {
		return err
	}
	r.batch = nil
	mediaErr := r.files(ctx, Media, r.medium)
	if mediaErr == nil || isDamaged(mediaErr) {
		mediaErr = errors.Join(mediaErr, r.flushMedia(ctx))
	}
	if mediaErr != nil && !isDamaged(mediaErr) {
		return mediaErr
	}
	// Last, so that a restore that was killed is done again.
	return errors.Join(err, mediaErr, r.e.Absent.Returned(ctx, r.back))
}

func isDamaged(err error) bool {
	_, is := errors.AsType[*DamagedError](err)
	return is
}

// files reads a table's files of the months that are wanted. A damaged one does
// not keep the others from being read.
func (r *restoring) files(ctx context.Context, t Table, row func(context.Context, *Record) error) (damage error) {
	for i := range r.run.Files {
		f := &r.run.Files[i]
		if f.Table != t || !r.w.month(f.Month) {
			continue
		}
		err := r.e.readFile(ctx, f, func(rec *Record) error { return row(ctx, rec) })
		switch {
		case isDamaged(err):
			damage = err
		case err != nil:
			return err
		}
	}
	return damage
}

// month says whether a file of that month may hold what is wanted.
func (w *Wanted) month(month string) bool {
	from, err := time.Parse("2006-01", month)
	if err != nil {
		return true
	}
	return (w.Until.IsZero() || from.Before(w.Until)) && (w.Since.IsZero() || from.AddDate(0, 1, 0).After(w.Since))
}

func (w *Wanted) wants(r *Record) bool {
	at := r.Created()
	return (w.Since.IsZero() || !at.Before(w.Since)) && (w.Until.IsZero() || at.Before(w.Until)) &&
		(w.Number == "" || r.Involves(strings.TrimPrefix(w.Number, "whatsapp:")))
}

func (r *restoring) message(ctx context.Context, rec *Record) error {
	if !r.w.wants(rec) {
		return nil
	}
	if r.batch = append(r.batch, *rec); len(r.batch) < BatchSize {
		return nil
	}
	return r.flushMessages(ctx)
}

// flushMessages restores those of the batch that have left the org, and whose
// latest copy is of this run.
func (r *restoring) flushMessages(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	sids := make([]message.SID, len(r.batch))
	for i := range r.batch {
		sids[i] = r.batch[i].SID()
	}
	where, err := r.e.Absent.Where(ctx, sids)
	if err != nil {
		return err
	}
	var gone []Record
	for _, rec := range r.batch {
		if where[rec.SID()] == r.run.Run {
			gone = append(gone, rec)
		}
	}
	r.batch = r.batch[:0]
	r.out.Matched += len(gone)
	if r.w.DryRun || len(gone) == 0 {
		return nil
	}
	if err := r.e.Budget(); err != nil {
		return err
	}
	outcomes, err := r.e.Returner.Restore(ctx, gone, time.Now().Add(RestoredFor))
	if err != nil {
		return err
	}
	for i := range gone {
		if r.settled(outcomes[i], gone[i].SID()) {
			r.parents[gone[i].ID()] = true
			r.back = append(r.back, gone[i].SID())
			r.out.Restored++
			r.e.metrics.count("restored", 1)
		}
	}
	return nil
}

// settled notes a refusal.
func (r *restoring) settled(err error, sid message.SID) bool {
	if err == nil {
		return true
	}
	r.out.Refused++
	r.out.problem(fmt.Errorf("%s: %w", sid, err))
	return false
}

func (r *restoring) medium(ctx context.Context, rec *Record) error {
	if !r.parents[rec.Parent()] {
		return nil
	}
	if r.batch = append(r.batch, *rec); len(r.batch) < BatchSize {
		return nil
	}
	return r.flushMedia(ctx)
}

func (r *restoring) flushMedia(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	outcomes, err := r.e.Returner.RestoreMedia(ctx, r.batch)
	if err != nil {
		return err
	}
	for i := range r.batch {
		switch sid := r.batch[i].SID(); {
		case r.settled(outcomes[i], sid):
			r.out.Media++
		case fault.ClassOf(outcomes[i]) != fault.Permanent: // it comes with its message the next time
			r.back = slices.DeleteFunc(r.back, func(s message.SID) bool { return s == sid })
		}
	}
	r.batch = r.batch[:0]
	return nil
}
