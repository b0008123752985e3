package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// databases are what every test of the suite runs on. A second database is one
// more entry.
var databases = map[string]func(tb testing.TB) string{
	// A test's second run has a # in its name, which is no part of a path in a URL.
	"sqlite": func(tb testing.TB) string {
		return "sqlite://" + strings.ReplaceAll(filepath.Join(tb.TempDir(), "t.db"), "#", "%23")
	},
}

// onEach runs a test on a fresh store of each database.
func onEach(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{URL: fresh(t), Version: "test"})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			test(t, s)
		})
	}
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func merge(t *testing.T, s *store.Store, all ...message.Message) int {
	t.Helper()
	n, _, err := s.Merge(t.Context(), all)
	require.NoError(t, err)
	return n
}

func changed(t *testing.T, s *store.Store) []mirror.Change {
	t.Helper()
	c, err := s.Changed(t.Context(), 0, now, 10_000)
	require.NoError(t, err)
	return c
}

func settle(t *testing.T, s *store.Store, all ...mirror.Change) {
	t.Helper()
	settled := make([]mirror.Settlement, len(all))
	for i, c := range all {
		settled[i].Change = c
	}
	require.NoError(t, s.Settle(t.Context(), settled))
}

func outbound(n int, status message.Status, updated time.Time) message.Message {
	m := mirrortest.Text(n, now)
	m.Direction, m.Status, m.Updated = message.OutboundAPI, status, updated
	return m
}

func TestWhatIsNewsIsQueuedOnceAndWhole(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		var all []message.Message
		for n := range 1234 {
			all = append(all, mirrortest.Text(n, now.Add(-time.Duration(n)*time.Second)))
		}
		all[7].Body = "a \"quoted\" text\r\nwith \x00, 😀, \u2028 and \u202eright to left"
		all[8] = message.Message{SID: mirrortest.SID(8), Direction: message.OutboundAPI, Status: message.Failed, Created: now, Updated: now,
			ServiceSID: "MG1", To: "whatsapp:+14155550100", Price: "-0.00750", PriceUnit: "USD", ErrorCode: 30007, ErrorMessage: "filtered", Media: 3, Segments: 11}
		require.Equal(t, 1234, merge(t, s, all...))
		require.Zero(t, merge(t, s, all...))
		got := changed(t, s)
		require.Len(t, got, 1234)
		for i, c := range got {
			require.Equal(t, all[i], *c.Message)
		}
		settle(t, s, got...)
		require.Empty(t, changed(t, s))
		require.Zero(t, merge(t, s, all...), "what Salesforce has is no news")
	})
}

func TestAPageThatShowsASIDTwiceCountsItOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		queued, sent := outbound(1, message.Queued, now), outbound(1, message.Sent, now.Add(time.Second))
		require.Equal(t, 1, merge(t, s, sent, queued, sent))
		require.Equal(t, message.Sent, changed(t, s)[0].Message.Status)
	})
}

func TestAStatusNeverMovesBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		merge(t, s, outbound(1, message.Delivered, now.Add(9*time.Second)))
		for _, late := range []message.Status{message.Accepted, message.Queued, message.Sending, message.Sent, "something new"} {
			require.Zero(t, merge(t, s, outbound(1, late, now.Add(20*time.Second))), late)
		}
		settle(t, s, changed(t, s)...)
		require.Zero(t, merge(t, s, outbound(1, message.Sent, now.Add(30*time.Second))), "nor after it was written")
		require.Equal(t, 1, merge(t, s, outbound(1, message.Undelivered, now.Add(40*time.Second))), "the API corrects a final status")
		require.Zero(t, merge(t, s, outbound(1, message.Delivered, now.Add(39*time.Second))), "an older picture does not")
		require.Equal(t, 1, merge(t, s, outbound(1, message.Read, now.Add(41*time.Second))))
	})
}

func TestPricesThatComeLateAreNews(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		m := outbound(1, message.Delivered, now)
		merge(t, s, m)
		settle(t, s, changed(t, s)...)
		m.Price, m.PriceUnit = "-0.0075", "USD"
		require.Equal(t, 1, merge(t, s, m), "the same second, but more is known")
	})
}

// The condition in the upsert must be the pure function's: a random history,
// merged by racing sweeps, ends where message.News says.
func TestRacingSweepsEndWithTheNewest(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		statuses := []message.Status{message.Queued, message.Sending, message.Sent, message.Delivered, message.Undelivered, message.Failed, message.Read}
		for n := range 40 {
			var best message.Message
			done := make(chan error, 8)
			for i := range 8 {
				m := outbound(n, statuses[rand.N(len(statuses))], now.Add(time.Duration(i)*time.Second))
				if best.SID == "" || message.News(best.Seen(), m.Seen()) {
					best = m
				}
				go func() {
					_, _, err := s.Merge(context.Background(), []message.Message{m})
					done <- err
				}()
			}
			for range 8 {
				require.NoError(t, <-done)
			}
			got := changed(t, s)
			last := got[len(got)-1].Message
			require.Equal(t, best.Status.Rank(), last.Status.Rank())
			require.Equal(t, best.Updated, last.Updated, "%s and %s", best.Status, last.Status)
		}
	})
}

func TestAChangeThatWasOvertakenStaysQueued(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		merge(t, s, outbound(1, message.Queued, now))
		writing := changed(t, s)
		merge(t, s, outbound(1, message.Sent, now.Add(time.Second)))
		settle(t, s, writing...)
		left := changed(t, s)
		require.Len(t, left, 1)
		require.Equal(t, message.Sent, left[0].Message.Status)
	})
}

func TestASweepIsSettledOnlyWhenTheFirstOfItsChangesIs(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		merge(t, s, outbound(1, message.Queued, now))
		upTo, err := s.Newest(t.Context())
		require.NoError(t, err)
		merge(t, s, outbound(1, message.Sent, now.Add(time.Second)), mirrortest.Text(2, now))
		n, err := s.Unsettled(t.Context(), upTo, 10)
		require.NoError(t, err)
		require.Equal(t, 1, n, "the message waits since before, though its change is newer")
		settle(t, s, changed(t, s)...)
		n, err = s.Unsettled(t.Context(), upTo, 10)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestWhatIsPutOffFallsDueAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		merge(t, s, mirrortest.Text(1, now))
		c := changed(t, s)[0]
		later := now.Add(time.Hour)
		require.NoError(t, s.Settle(t.Context(), []mirror.Settlement{{Change: c, RetryAt: later}}))
		require.Empty(t, changed(t, s))
		due, err := s.NextDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, later, due)
		again, err := s.Changed(t.Context(), 0, later, 10)
		require.NoError(t, err)
		require.Equal(t, 1, again[0].Attempts)
		n, err := s.Unsettled(t.Context(), c.Seq, 10)
		require.NoError(t, err)
		require.Equal(t, 1, n, "it is still waiting")
	})
}

func TestQuarantineKeepsTheMessageUntilSomebodyDecides(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		merge(t, s, mirrortest.Text(1, now), mirrortest.Text(2, now), mirrortest.Text(3, now))
		why := mirror.Refusal{Code: "STRING_TOO_LONG", Fields: []string{"Body__c"}, Message: "too long", Hint: "Lengthen it.", At: now}
		var all []mirror.Settlement
		for _, c := range changed(t, s) {
			all = append(all, mirror.Settlement{Change: c, Refusal: &why})
		}
		require.NoError(t, s.Settle(ctx, all))
		q, err := s.Quarantine(ctx, 10)
		require.NoError(t, err)
		require.Len(t, q, 3)
		require.Equal(t, store.Quarantined{SID: mirrortest.SID(1), Refusal: why}, q[0])
		require.Zero(t, merge(t, s, mirrortest.Text(1, now)), "seen again unchanged, it stays refused")

		n, err := s.RetryQuarantined(ctx, mirrortest.SID(1), mirrortest.SID(99))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, mirrortest.Text(1, now), *changed(t, s)[0].Message)
		settle(t, s, changed(t, s)...)

		n, err = s.DropQuarantined(ctx, mirrortest.SID(2))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		redacted := mirrortest.Text(3, now)
		redacted.Body = ""
		require.Equal(t, 1, merge(t, s, redacted), "what changes in Twilio leaves quarantine by itself")
		settle(t, s, changed(t, s)...)
		counts, err := s.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, store.Counts{Messages: 3}, counts)
	})
}

func TestOpenMessagesAreThoseWhoseStatusMayStillChange(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		const lookback = 72 * time.Hour
		var want []message.SID
		for n, m := range []message.Message{
			outbound(0, message.Sent, now), outbound(1, message.Delivered, now), outbound(2, message.Scheduled, now),
			outbound(3, message.Sent, now), outbound(4, message.Scheduled, now), outbound(5, message.Read, now), outbound(6, "novel", now),
		} {
			if n == 2 || n == 3 {
				m.Created = now.Add(-30 * 24 * time.Hour)
				m.Sent = time.Time{}
			}
			if n == 4 {
				m.Created, m.Sent = now.Add(-40*24*time.Hour), time.Time{}
			}
			merge(t, s, m)
			if m.Open(now, lookback) {
				want = append(want, m.SID)
			}
		}
		require.NoError(t, s.Gone(t.Context(), mirrortest.SID(6)))
		want = want[:len(want)-1]
		open, err := s.Open(t.Context(), now, lookback, 10)
		require.NoError(t, err)
		var got []message.SID
		for _, m := range open {
			got = append(got, m.SID)
		}
		require.ElementsMatch(t, want, got)
		require.Equal(t, mirrortest.SID(2), got[0], "the oldest first")
	})
}

func TestACursorNeverMovesBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		at, err := s.Cursor(ctx, "full")
		require.NoError(t, err)
		require.True(t, at.IsZero())
		require.NoError(t, s.MoveCursor(ctx, "full", now))
		require.NoError(t, s.MoveCursor(ctx, "full", now.Add(-time.Hour)))
		at, err = s.Cursor(ctx, "full")
		require.NoError(t, err)
		require.Equal(t, now, at)
	})
}

func TestABackfillIsPlannedWithItsJobsOrNotAtAll(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		days := []mirror.Day{{Day: now.Truncate(24 * time.Hour), Since: now, Until: now.Add(time.Hour)}, {Day: now.Truncate(24 * time.Hour).Add(24 * time.Hour), Since: now, Until: now.Add(time.Hour)}}
		broken := errors.New("no job")
		require.ErrorIs(t, s.PlanDays(ctx, days, func(*sql.Tx, []mirror.Day) error { return broken }), broken)
		p, err := s.Progress(ctx)
		require.NoError(t, err)
		require.Zero(t, p.Days)

		var added []mirror.Day
		enqueue := func(_ *sql.Tx, d []mirror.Day) error { added = append(added, d...); return nil }
		require.NoError(t, s.PlanDays(ctx, days, enqueue))
		require.NoError(t, s.PlanDays(ctx, days, enqueue))
		require.Equal(t, days, added, "a window that waits already gets no second job")

		require.NoError(t, s.Finish(ctx, days[0], 100, 10))
		p, err = s.Progress(ctx)
		require.NoError(t, err)
		require.Equal(t, []any{2, 1, int64(100), int64(10)}, []any{p.Days, p.Done, p.Seen, p.Changed})
		require.NoError(t, s.Finish(ctx, days[1], 5, 5))
		require.NoError(t, s.PlanDays(ctx, days[:1], enqueue))
		p, err = s.Progress(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{p.Days, p.Done}, "a new backfill starts a new count")
	})
}

func TestUsageOutlivesARestart(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		hour := now.Truncate(time.Hour)
		require.NoError(t, s.SaveUsage(t.Context(), map[time.Time]int{hour: 7, hour.Add(-72 * time.Hour): 9}, now))
		require.NoError(t, s.SaveUsage(t.Context(), map[time.Time]int{hour: 8}, now))
		got, err := s.Usage(t.Context(), hour.Add(-96*time.Hour))
		require.NoError(t, err)
		require.Equal(t, map[time.Time]int{hour: 8}, got)
	})
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			url := fresh(t)
			s, err := store.Open(t.Context(), store.Options{URL: url})
			require.NoError(t, err)
			merge(t, s, mirrortest.Text(1, now))
			require.NoError(t, s.Close())
			s, err = store.Open(t.Context(), store.Options{URL: url})
			require.NoError(t, err)
			require.Equal(t, mirrortest.Text(1, now), *changed(t, s)[0].Message)
			at, err := s.LastActivity(t.Context())
			require.NoError(t, err)
			require.Equal(t, now, at)
			require.NoError(t, s.Close())
		})
	}
}

func TestASecondDaemonIsToldWhoHoldsTheStore(t *testing.T) {
	url := databases["sqlite"](t)
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	_, err = store.Open(t.Context(), store.Options{URL: url})
	var held *store.HeldError
	require.ErrorAs(t, err, &held)
	require.Contains(t, held.Error(), fmt.Sprintf("pid %d", os.Getpid()))
	require.NoError(t, s.Close())
	s, err = store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err, "given up, it can be taken")
	require.NoError(t, s.Close())
}

func TestANewerSchemaIsRefusedWithTheVersionThatWroteIt(t *testing.T) {
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			url := fresh(t)
			s, err := store.Open(t.Context(), store.Options{URL: url, Version: "9.9.9"})
			require.NoError(t, err)
			_, err = s.DB().Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			_, err = store.Open(t.Context(), store.Options{URL: url, Version: "1.0.0"})
			var newer *store.NewerError
			require.ErrorAs(t, err, &newer)
			require.Contains(t, err.Error(), "9.9.9")
		})
	}
}

func TestTheStoreIsReadableByItsOwnerOnly(t *testing.T) {
	url := databases["sqlite"](t)
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	defer s.Close() //nolint:errcheck // the test is about the file's mode
	info, err := os.Stat(url[len("sqlite://"):])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAFileThatIsNoDatabaseIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	require.NoError(t, os.WriteFile(path, []byte("this is a text file, and long enough to be mistaken for a header of something"), 0o600))
	_, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + path})
	require.ErrorContains(t, err, path)
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"", "sqlite://relative.db", "mysql://x/y", "sqlite:/"} {
		_, err := store.Open(t.Context(), store.Options{URL: url})
		require.Error(t, err, url)
	}
}

func TestAnEventIsKeptOverARestartAndOnlyOnce(t *testing.T) {
	path := "sqlite://" + filepath.Join(t.TempDir(), "t.db")
	e := message.Event{
		Kind: message.InboundEvent, SID: mirrortest.SID(1), From: "+14155550100", To: "+14155550199", Status: message.Received,
		Body: "a \"quoted\" text\r\n😀", Segments: 1, Received: now, OptOut: "STOP", Ref: "token",
		Media: []message.Media{{SID: "ME1", ContentType: "image/png", URL: "https://api.twilio.com/1"}},
	}
	s, err := store.Open(t.Context(), store.Options{URL: path})
	require.NoError(t, err)
	first, err := s.Keep(t.Context(), e)
	require.NoError(t, err)
	require.True(t, first)
	require.NoError(t, s.Close())

	s, err = store.Open(t.Context(), store.Options{URL: path})
	require.NoError(t, err)
	first, err = s.Keep(t.Context(), e)
	require.NoError(t, err)
	require.False(t, first)
	waiting, err := s.Waiting(t.Context(), now, 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, e, waiting[0].Event)
	require.NoError(t, s.Close())
	_, err = s.Keep(t.Context(), e)
	require.Error(t, err, "what cannot be kept is not accepted")
}

func TestEventsOfManyCallersShareACommitAndEachHasItsAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		const callers = 200
		firsts := make(chan bool, callers)
		for n := range callers {
			go func() {
				first, err := s.Keep(t.Context(), message.Event{Kind: message.StatusEvent, SID: mirrortest.SID(n / 2), Status: message.Sent, Received: now})
				firsts <- first && err == nil
			}()
		}
		news := 0
		for range callers {
			if <-firsts {
				news++
			}
		}
		require.Equal(t, callers/2, news)
		waiting, err := s.Waiting(t.Context(), now, callers)
		require.NoError(t, err)
		require.Len(t, waiting, callers/2)
		for i := 1; i < len(waiting); i++ {
			require.Greater(t, waiting[i].N, waiting[i-1].N)
		}
	})
}

func TestTextsAreForgottenWhenTheirStatusCanChangeNoMore(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		old, young, final := outbound(1, message.Sent, now), outbound(2, message.Sent, now), outbound(3, message.Delivered, now)
		old.Created = now.Add(-100 * time.Hour)
		old.Sent = old.Created
		merge(t, s, old, young, final)
		texts := func() (n int) {
			require.NoError(t, s.DB().QueryRowContext(t.Context(), `SELECT count(payload) FROM messages`).Scan(&n))
			return n
		}
		require.NoError(t, s.Forget(t.Context(), now, 72*time.Hour))
		require.Equal(t, 3, texts(), "what is not written yet is kept")
		settle(t, s, changed(t, s)...)
		require.Equal(t, 2, texts(), "a final one needs its text no more")
		require.NoError(t, s.Forget(t.Context(), now, 72*time.Hour))
		require.Equal(t, 1, texts())
	})
}
