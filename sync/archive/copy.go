package archive

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// copying is a run that is being written.
type copying struct {
	e     *Engine
	c     Criteria
	run   Run
	begun bool
	named bool   // its manifest may be there
	after string // the record id of the last message looked at
	parts parts
}

// newRunID names a run by its time. Two may begin in one second, and a store that
// was lost knows none of those that are in the target.
func newRunID(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // it never fails
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:])
}

// copyRun writes the next run's files and commits its manifest. It is false when
// no message is left that may be archived. after is the record id after which it
// looks, and then the last that it has looked at.
func (e *Engine) copyRun(ctx context.Context, c Criteria, after *string) (Run, bool, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	w := &copying{e: e, c: c, run: Run{ID: newRunID(now), State: Writing, Began: now}, after: *after}
	w.parts = parts{e: e, run: w.run.ID}
	err := w.pages(ctx)
	*after = w.after
	if err == nil && w.begun {
		err = w.commit(ctx)
	}
	if err != nil && w.begun && !w.named && ctx.Err() == nil {
		// What is half written would only take room until the next run throws it away.
		if err := e.discard(ctx, &w.run); err != nil {
			e.log.Warn("a run of the archive that failed is thrown away later", zap.String("run", w.run.ID), zap.Error(err))
		}
	}
	return w.run, w.begun && err == nil, err
}

func (w *copying) pages(ctx context.Context) error {
	for w.run.Messages < w.e.o.RunRows {
		if err := w.e.Budget(); err != nil {
			if w.begun { // what has been read is not read in vain
				return nil
			}
			return err
		}
		limit := min(w.e.o.PageRows, w.e.o.RunRows-w.run.Messages)
		page, err := w.e.Source.Page(ctx, w.c, w.after, limit)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		last := page[len(page)-1].ID()
		if last <= w.after {
			return fault.New(fault.Permanent, "archive read", fmt.Errorf("the org's records are not in the order of their ids: %s after %s", last, w.after))
		}
		w.after = last
		if page, err = w.allowed(ctx, page); err != nil {
			return err
		}
		if len(page) > 0 {
			if err := w.write(ctx, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// allowed looks at each record once more: what the org answers is believed to be
// old enough only when its own time says so.
func (w *copying) allowed(ctx context.Context, page []Record) ([]Record, error) {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].ID()
	}
	refused, err := w.e.Departures.Refused(ctx, ids, time.Now())
	if err != nil {
		return nil, err
	}
	kept := page[:0]
	for _, r := range page {
		at := r.Created()
		young := at.IsZero() || !at.Before(w.c.Before) || r.Status() == message.Scheduled && !at.Before(w.c.Scheduled)
		if !refused[r.ID()] && r.SID() != "" && !young {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

func (w *copying) write(ctx context.Context, page []Record) error {
	if !w.begun {
		if err := w.e.Journal.Begin(ctx, w.run); err != nil {
			return err
		}
		w.begun = true
	}
	media, err := w.e.media(ctx, page)
	if err != nil {
		return err
	}
	for i := range page {
		r := &page[i]
		of, month := media[r.ID()], r.Created().UTC().Format("2006-01")
		c := Copy{ID: r.ID(), SID: r.SID(), Created: r.Created(), Modified: r.Modified(), Record: r.Digest(), Media: DigestOf(of)}
		for j := range of {
			if err := w.parts.add(ctx, &of[j], month, nil); err != nil {
				return err
			}
		}
		if err := w.parts.add(ctx, r, month, &c); err != nil {
			return err
		}
		w.run.Messages++
		w.run.Media += len(of)
	}
	w.e.metrics.count("copied", len(page))
	return w.e.Journal.Update(ctx, w.run)
}

// media reads the media of messages, by their messages' record ids.
func (e *Engine) media(ctx context.Context, of []Record) (map[string][]Record, error) {
	ids := make([]string, len(of))
	for i := range of {
		ids[i] = of[i].ID()
	}
	all, err := e.Source.Media(ctx, ids)
	if err != nil {
		return nil, err
	}
	by := map[string][]Record{}
	for _, r := range all {
		by[r.Parent()] = append(by[r.Parent()], r)
	}
	return by, nil
}

// commit writes the manifest, last of all. From then on the files are a part of
// the archive.
func (w *copying) commit(ctx context.Context) error {
	if err := w.parts.end(ctx); err != nil {
		return err
	}
	m := Manifest{
		Schema: SchemaVersion, Run: w.run.ID, Account: w.e.o.Account, Written: time.Now().UTC(), Before: w.c.Before,
		Messages: w.run.Messages, Media: w.run.Media, Files: w.parts.files,
	}
	for _, f := range m.Files {
		if m.FirstSID == "" || f.FirstSID < m.FirstSID {
			m.FirstSID = f.FirstSID
		}
		m.LastSID = max(m.LastSID, f.LastSID)
	}
	data, err := json.MarshalIndent(&m, "", "  ")
	if err != nil {
		return fmt.Errorf("archive: encode a manifest: %w", err)
	}
	w.named = true
	if err := w.e.Target.Put(ctx, manifestName(m.Run), append(data, '\n')); err != nil {
		return err
	}
	if _, err := w.e.manifest(ctx, manifestName(m.Run)); err != nil {
		return err
	}
	run := w.run
	run.State = Leaving
	if err := w.e.Journal.Update(ctx, run); err != nil {
		return err
	}
	w.run = run
	return nil
}

// manifest reads one.
func (e *Engine) manifest(ctx context.Context, name string) (*Manifest, error) {
	data, err := e.Target.Get(ctx, name)
	if err != nil {
		return nil, damaged(name, err)
	}
	var m Manifest
	switch err := json.Unmarshal(data, &m); {
	case err != nil:
		return nil, damaged(name, err)
	case m.Schema > SchemaVersion:
		return nil, fault.New(fault.Permanent, "archive read "+name, fmt.Errorf("a newer version wrote it (schema %d, this one knows %d)", m.Schema, SchemaVersion))
	case manifestName(m.Run) != name || m.Schema < 1:
		return nil, damaged(name, fmt.Errorf("it is of the run %q", m.Run))
	}
	return &m, nil
}

// discard throws a run away that is not committed: nothing has left for it. Its
// manifest may be there, and goes first.
func (e *Engine) discard(ctx context.Context, r *Run) error {
	files, err := e.Contents.Files(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, name := range append([]string{manifestName(r.ID)}, names(files)...) {
		if err := e.Target.Remove(ctx, name); err != nil {
			return err
		}
	}
	return e.Contents.Discard(ctx, r.ID)
}

func names(files []File) []string {
	all := make([]string, len(files))
	for i := range files {
		all[i] = files[i].Name
	}
	return all
}

func isFault(err error) bool { return fault.Of(err) != nil }
