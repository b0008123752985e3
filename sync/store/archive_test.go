package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// kept notes messages as copies of a run whose manifest is committed.
func kept(t *testing.T, s *store.Store, run string, all ...message.Message) (ids []string) {
	t.Helper()
	a, ctx := s.Archive(), t.Context()
	require.NoError(t, a.Begin(ctx, archive.Run{ID: run, Began: now}))
	var copies []archive.Copy
	for i, m := range all {
		copies = append(copies, archive.Copy{ID: fmt.Sprintf("a00%d", i), SID: m.SID, Created: m.Created, Modified: now, Record: archive.Digest{1, byte(i)}, Media: archive.Digest{2}})
		ids = append(ids, copies[i].ID)
	}
	name := "messages/month=2026-03/" + run + "-1.parquet"
	require.NoError(t, a.Intend(ctx, run, name))
	f := archive.File{Name: name, Table: archive.Messages, Month: "2026-03", Rows: len(all), Bytes: 7, SHA256: "ab", FirstSID: "a", LastSID: "b"}
	require.NoError(t, a.Keep(ctx, run, f, copies))
	got, err := a.Files(ctx, run)
	require.NoError(t, err)
	require.Equal(t, []archive.File{f}, got)
	require.NoError(t, a.Update(ctx, archive.Run{ID: run, State: archive.Leaving, Began: now, Messages: len(all)}))
	next, err := a.Next(ctx, run, archive.Waiting, 1000)
	require.NoError(t, err)
	require.Equal(t, copies, next)
	return ids
}

func TestWhatLeavesIsTheMirrorsNoMoreUntilItIsBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		a, ctx := s.Archive(), t.Context()
		written, open, queued, young := outbound(1, message.Delivered, now), outbound(2, message.Sent, now), outbound(3, message.Sent, now), outbound(4, message.Sent, now)
		young.Created = now.Add(48 * time.Hour)
		merge(t, s, written, open)
		settle(t, s, changed(t, s)...)
		merge(t, s, queued)
		ids := kept(t, s, "r1", written, open, queued)
		noted, err := a.Leave(ctx, "r1", append(ids, "a009"))
		require.NoError(t, err)
		require.Equal(t, map[string]bool{ids[0]: true, ids[1]: true}, noted, "what is queued to be written stays")
		settle(t, s, changed(t, s)...)

		for _, m := range []message.Message{written, open} {
			m.Status, m.Updated, m.Price = message.Read, now.Add(time.Hour), "-1"
			require.Zero(t, merge(t, s, m), "a sweep")
		}
		require.Equal(t, 1, merge(t, s, young), "what is newer is not even looked up")
		settle(t, s, changed(t, s)...)
		still, err := s.Open(ctx, now, 72*time.Hour, 10)
		require.NoError(t, err)
		for _, o := range still {
			require.NotEqual(t, open.SID, o.SID, "its status is asked for no more")
		}
		_, err = s.Keep(ctx, message.Event{Kind: message.StatusEvent, SID: open.SID, Status: message.Delivered, Received: now.Add(time.Minute)})
		require.NoError(t, err)
		events, err := s.Waiting(ctx, now.Add(time.Hour), 10)
		require.NoError(t, err)
		_, changes, err := s.Fold(ctx, events)
		require.NoError(t, err)
		require.Empty(t, changes, "a late status writes nothing")

		require.NoError(t, a.Settle(ctx, "r1", []archive.Settlement{
			{ID: ids[0], SID: written.SID, Outcome: archive.Left}, {ID: ids[1], SID: open.SID, Outcome: archive.RefusedOne, Until: now.Add(time.Hour)},
			{ID: ids[2], SID: queued.SID, Outcome: archive.Stays},
		}))
		where, err := a.Where(ctx, []message.SID{written.SID, open.SID, queued.SID})
		require.NoError(t, err)
		require.Equal(t, map[message.SID]string{written.SID: "r1"}, where)
		for at, is := range map[time.Time]bool{now: true, now.Add(2 * time.Hour): false} {
			refused, err := a.Refused(ctx, ids, at)
			require.NoError(t, err)
			require.Equal(t, is, refused[ids[1]])
		}
		open.Status, open.Updated = message.Delivered, now.Add(time.Hour)
		require.Equal(t, 1, merge(t, s, open), "what stayed is the mirror's again")
		require.NoError(t, a.Returned(ctx, []message.SID{written.SID}))
		written.Status, written.Updated = message.Read, now.Add(time.Hour)
		require.Equal(t, 1, merge(t, s, written), "what is back too")
	})
}

func TestOneCallersArchivedMessageDoesNotShiftAnothersChanges(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		var all []message.Message
		for n := range 120 {
			all = append(all, mirrortest.Text(n, now.Add(-time.Duration(n)*time.Second)))
		}
		require.NoError(t, s.Archive().Learn(t.Context(), "r1", []archive.Copy{{SID: all[0].SID, Created: all[0].Created}, {SID: all[60].SID, Created: all[60].Created}}))
		n, changes, err := s.Merge(t.Context(), all)
		require.NoError(t, err)
		require.Equal(t, 118, n)
		read := map[mirror.Seq]message.SID{}
		for _, c := range changed(t, s) {
			read[c.Seq] = c.Message.SID
		}
		for _, c := range changes {
			require.Equal(t, read[c.Seq], c.Message.SID)
			require.NotEqual(t, all[60].SID, c.Message.SID)
		}
	})
}

func TestARunIsRememberedUntilItIsThrownAway(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		a, ctx := s.Archive(), t.Context()
		m := mirrortest.Text(1, now)
		kept(t, s, "r1", m)
		r, open, err := a.Open(ctx)
		require.NoError(t, err)
		require.True(t, open)
		require.Equal(t, archive.Leaving, r.State)
		require.NoError(t, a.Update(ctx, archive.Run{ID: "r1", State: archive.Done, Began: now, Ended: now.Add(time.Second), Left: 1, Problem: "p"}))
		_, open, err = a.Open(ctx)
		require.NoError(t, err)
		require.False(t, open)
		none, err := a.Next(ctx, "r1", archive.Waiting, 10)
		require.NoError(t, err)
		require.Empty(t, none, "a run that has ended needs its copies no more")
		require.NoError(t, a.Begin(ctx, archive.Run{ID: "r2", Began: now}))
		require.NoError(t, a.Intend(ctx, "r2", "x"))
		require.NoError(t, a.Discard(ctx, "r2"))
		files, err := a.Files(ctx, "r2")
		require.NoError(t, err)
		require.Empty(t, files)
		all, err := a.Runs(ctx, 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "p", all[0].Problem)
	})
}
