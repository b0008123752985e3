package daemon_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

// remembered is one message as a dead daemon's store knows it.
type remembered struct {
	status  string
	waiting bool // to be written
	refused bool
}

// look opens a copy of the store as the daemon left it, so that the next one
// finds it untouched. It answers nil while there is none.
func (w *crashWorld) look(t *testing.T) *store.Store {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"twiliosf.db", "twiliosf.db-wal"} {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(dir, "twiliosf.db"), Version: "test"})
	require.NoError(t, err, "the store is not readable after the kill")
	return st
}

func memory(t *testing.T, st *store.Store) map[string]remembered {
	t.Helper()
	rows, err := st.DB().QueryContext(t.Context(), `SELECT sid, status, seq IS NOT NULL, refusal IS NOT NULL FROM messages`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	all := map[string]remembered{}
	for rows.Next() {
		var sid string
		var m remembered
		require.NoError(t, rows.Scan(&sid, &m.status, &m.waiting, &m.refused))
		all[sid] = m
	}
	require.NoError(t, rows.Err())
	return all
}

// requireKept looks at both sides after a kill.
func (w *crashWorld) requireKept(t *testing.T) {
	t.Helper()
	w.books.requireGood(t)
	st := w.look(t)
	defer func() { require.NoError(t, st.Close()) }()
	known := memory(t, st)
	for sid, m := range known {
		switch {
		case m.waiting, w.mailing.isRefused(w.Twilio, sid):
		case m.refused:
			require.True(t, w.people.wasUnwanted(sid), "%s is in quarantine for no reason", sid)
		default:
			require.Equal(t, m.status, w.books.status(sid), "the store takes %s for written", sid)
		}
	}
	w.line.requireEvents(t, st)
	w.requireCursor(t, st, known)
}

// requireCursor is P3: what was listed before the cursor is in the org or in
// quarantine. Older than yesterday is a backfill's.
func (w *crashWorld) requireCursor(t *testing.T, st *store.Store, known map[string]remembered) {
	t.Helper()
	cursor, err := st.Cursor(t.Context(), "full")
	require.NoError(t, err)
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	for m := range w.Twilio.Messages() {
		at := m.Created
		if !m.Sent.IsZero() {
			at = m.Sent
		}
		// The cursor is the whole second of the newest message that a walk saw: what
		// was sent in an earlier second was there when it began.
		if at.Before(yesterday) || !at.Truncate(time.Second).Before(cursor) {
			continue
		}
		// One that was in quarantine leaves it for another try when it changes in
		// Twilio: behind the cursor it waits only then.
		again := known[m.SID].waiting && w.books.wasRefused(m.SID)
		// What the outbox is to write back waits in its part of the store.
		back := w.mailing.isRefused(w.Twilio, m.SID)
		require.True(t, w.books.status(m.SID) != "" || known[m.SID].refused || again || back,
			"the cursor is at %s, but %s of %s is neither in the org nor in quarantine", cursor, m.SID, at)
	}
}

// requireEqual compares both sides when all is over and no daemon runs.
func (w *crashWorld) requireEqual(t *testing.T) {
	t.Helper()
	w.requireKept(t)
	st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(w.dir, "twiliosf.db")})
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	quarantine, err := st.Quarantine(t.Context(), 1_000_000)
	require.NoError(t, err)
	refused := w.people.unwantedNow()
	got := make([]string, len(quarantine))
	for i, q := range quarantine {
		got[i] = string(q.SID)
	}
	slices.Sort(refused)
	require.NotEmpty(t, refused)
	require.Equal(t, refused, got, "what the org refuses is in quarantine, and nothing else")
	for _, sid := range refused {
		require.Empty(t, w.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid))
		require.True(t, w.Twilio.Delete(sid)) // out of the comparison
	}
	c := sandbox.Compare(w.Twilio, w.Org)
	require.True(t, c.Clean(), "%s: %v", c, c.Examples)
	require.Equal(t, c.Messages, c.Records)
	days, err := st.Progress(t.Context())
	require.NoError(t, err)
	require.NotZero(t, days.Days)
	require.Equal(t, days.Days, days.Done, "days of backfills")
	counts, err := st.Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, counts.Waiting)
	require.Equal(t, c.Messages+len(refused)+w.mailing.taken(), counts.Messages)
}
