package mirror_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// backlog is the store's, with jobs kept in memory.
type backlog struct {
	*store.Store
	planned []mirror.Day
}

func (b *backlog) Plan(ctx context.Context, days []mirror.Day) error {
	return b.PlanDays(ctx, days, func(_ *sql.Tx, added []mirror.Day) error {
		b.planned = append(b.planned, added...)
		return nil
	})
}

// world is a mirror between an account and an org in memory, with a real store.
type world struct {
	*mirror.Mirror
	account *mirrortest.Account
	org     *mirrortest.Org
	store   *store.Store
	backlog *backlog
	health  *health.Registry
	stop    func()
}

// start runs a mirror until the test ends. It must be called in a bubble.
func start(t *testing.T, account *mirrortest.Account, org *mirrortest.Org) *world {
	t.Helper()
	return startWith(t, account, org, func(*mirror.Ports) {})
}

// startWith is start with other ports.
func startWith(t *testing.T, account *mirrortest.Account, org *mirrortest.Org, change func(*mirror.Ports)) *world {
	t.Helper()
	return startAs(t, account, org, mirror.Options{}, change)
}

func startAs(t *testing.T, account *mirrortest.Account, org *mirrortest.Org, o mirror.Options, change func(*mirror.Ports)) *world {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + t.TempDir() + "/m.db"})
	require.NoError(t, err)
	w := &world{account: account, org: org, store: st, backlog: &backlog{Store: st}, health: health.New(zap.NewNop(), nil)}
	ports := mirror.Ports{
		Source: account, Sink: org, People: mirror.Strangers{}, Ledger: st, Open: st, Changes: st, Cursors: st, Backlog: w.backlog, Events: st, Health: w.health,
	}
	change(&ports)
	w.Mirror, err = mirror.New(ports, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var inbox sync.WaitGroup
	inbox.Go(func() { w.Inbox.Run(ctx) })
	go func() { ended <- w.Writer.Run(ctx) }()
	w.stop = func() {
		cancel()
		inbox.Wait()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.NoError(t, st.Close())
	}
	return w
}

// run is a test in virtual time.
func run(t *testing.T, account *mirrortest.Account, org *mirrortest.Org, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, account, org)
		defer w.stop()
		test(t, w)
	})
}

func texts(n int, newest time.Time, every time.Duration) []message.Message {
	var all []message.Message
	for i := range n {
		all = append(all, mirrortest.Text(i, newest.Add(-time.Duration(i)*every)))
	}
	return all
}

func (w *world) cursor(t *testing.T) time.Time {
	t.Helper()
	at, err := w.store.Cursor(t.Context(), "full")
	require.NoError(t, err)
	return at
}

func conditions(h *health.Registry) []string {
	names := []string{}
	for _, c := range h.Active() {
		names = append(names, c.Name)
	}
	return names
}

func TestEveryMessageBecomesOneRecord(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 300 * time.Millisecond}, func(t *testing.T, w *world) {
		w.account.Put(texts(2500, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
		for sid := range w.account.All() {
			require.Equal(t, 1, w.org.Writes(sid))
		}
	})
}

func TestAQuietAccountCostsOneTwilioCallAndNoSalesforceCall(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		w.account.Put(texts(900, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		calls, writes := w.account.Calls(), w.org.Calls()
		for range 10 {
			time.Sleep(15 * time.Minute)
			require.NoError(t, w.Sweeper.Full(t.Context()))
		}
		require.Equal(t, calls+10, w.account.Calls())
		require.Equal(t, writes, w.org.Calls())
	})
}

func TestTheCursorWaitsForSalesforce(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	org := &mirrortest.Org{Fail: func(int) (error, bool) {
		if down.Load() {
			return fault.New(fault.Transient, "upsert", errors.New("503")), false
		}
		return nil, false
	}}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		w.account.Put(texts(300, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		before := w.cursor(t)
		require.True(t, before.Before(time.Now().Add(-time.Hour)), "moved to %s with nothing in Salesforce", before)
		require.Contains(t, conditions(w.health), "salesforce-unreachable")

		down.Store(false)
		time.Sleep(2 * time.Minute)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.WithinDuration(t, time.Now(), w.cursor(t), time.Hour)
		require.Equal(t, w.account.All(), w.org.All())
		require.Empty(t, conditions(w.health))
	})
}

func TestAWriteWithUnknownOutcomeIsRepeated(t *testing.T) {
	lost := 0
	org := &mirrortest.Org{Fail: func(int) (error, bool) {
		if lost < 3 {
			lost++
			return fault.New(fault.Uncertain, "upsert", errors.New("connection reset")), true
		}
		return nil, false
	}}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		w.account.Put(texts(500, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, w.account.All(), w.org.All())
		require.Equal(t, 3, lost)
	})
}

func TestOneRefusedRecordHoldsNobodyUp(t *testing.T) {
	refused := mirrortest.SID(42)
	org := &mirrortest.Org{Refuse: func(m message.Message) error {
		if m.SID == refused && m.Status == message.Received {
			return &fault.Error{Class: fault.Permanent, Op: "upsert", Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Fields: []string{"Body__c"}}
		}
		return nil
	}}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		w.account.Put(texts(450, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Len(t, w.org.All(), 449)
		require.WithinDuration(t, time.Now(), w.cursor(t), time.Minute, "quarantine settles")

		q, err := w.store.Quarantine(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, q, 1)
		require.Equal(t, refused, q[0].SID)
		require.Equal(t, []string{"Body__c"}, q[0].Refusal.Fields)
		require.Equal(t, []string{"quarantine"}, conditions(w.health))

		// The admin mends the rule and retries.
		org.Refuse = nil
		n, err := w.store.RetryQuarantined(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.Writer.Wake()
		synctest.Wait()
		require.Equal(t, w.account.All(), w.org.All())
	})
}

func TestASIDHasOneWriteInFlight(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{Latency: 20 * time.Second}, func(t *testing.T, w *world) {
		m := mirrortest.Text(1, time.Now())
		m.Direction, m.Status = message.OutboundAPI, message.Queued
		for i, status := range []message.Status{message.Queued, message.Sending, message.Sent, message.Delivered} {
			m.Status, m.Updated = status, m.Updated.Add(time.Duration(i)*time.Second)
			w.account.Put(m)
			_, _, err := w.store.Merge(t.Context(), []message.Message{m})
			require.NoError(t, err)
			w.Writer.Wake()
			time.Sleep(5 * time.Second)
		}
		time.Sleep(10 * time.Minute)
		require.Zero(t, w.org.Overlaps())
		require.Equal(t, message.Delivered, w.org.All()[m.SID].Status)
	})
}

func TestWhenStorageIsFullInsertsWaitAndUpdatesGoOn(t *testing.T) {
	var full atomic.Bool
	full.Store(true)
	org := &mirrortest.Org{}
	org.Refuse = func(m message.Message) error {
		if full.Load() && m.Body == "new" {
			return &fault.Error{Class: fault.Throttled, Op: "upsert", Code: "STORAGE_LIMIT_EXCEEDED", Condition: "salesforce-storage", After: 5 * time.Minute}
		}
		return nil
	}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		known, fresh := mirrortest.Text(1, time.Now()), mirrortest.Text(2, time.Now())
		known.Status, known.Direction, fresh.Body = message.Sent, message.OutboundAPI, "new"
		w.account.Put(known, fresh)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		known.Status, known.Updated = message.Delivered, time.Now().UTC().Truncate(time.Second)
		w.account.Put(known)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, message.Delivered, w.org.All()[known.SID].Status)
		require.Equal(t, []string{"salesforce-storage"}, conditions(w.health))
		q, err := w.store.Quarantine(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, q, "a full org refuses nobody for good")

		full.Store(false)
		time.Sleep(10 * time.Minute)
		require.Equal(t, w.account.All(), w.org.All())
		require.Empty(t, conditions(w.health))
	})
}

func TestMessagesThatArriveOrMoveDuringAWalkAreNotLost(t *testing.T) {
	account := &mirrortest.Account{}
	run(t, account, &mirrortest.Org{Latency: 100 * time.Millisecond}, func(t *testing.T, w *world) {
		queued := texts(3000, time.Now(), time.Second)
		for i := range queued {
			queued[i].Direction = message.OutboundAPI
			if i%3 == 0 {
				queued[i].Status, queued[i].Sent = message.Queued, time.Time{}
			}
		}
		account.Put(queued...)
		pages, fresh := 0, 10_000
		account.BeforePage = func() {
			time.Sleep(time.Second)
			pages++
			if pages > 10 {
				return
			}
			for i := range 1000 { // a thousand arrive a page, and a hundred that waited are sent
				account.Put(mirrortest.Text(fresh, time.Now()))
				fresh++
				if at := (pages-1)*300 + i*3; i < 100 && at < len(queued) {
					m := queued[at]
					m.Status, m.Sent = message.Sent, time.Now().UTC().Truncate(time.Second)
					m.Updated = m.Sent
					account.Put(m)
				}
			}
		}
		for range 3 {
			require.NoError(t, w.Sweeper.Full(t.Context()))
			time.Sleep(15 * time.Minute)
		}
		require.Len(t, account.All(), 13_000)
		require.Equal(t, account.All(), w.org.All())
	})
}

func TestTheFirstRunReadsBackInDays(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		w.account.Put(texts(45*72, time.Now(), 20*time.Minute)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.LessOrEqual(t, len(w.org.All()), 1000, "the open-ended sweep leaves closed days to the backfill")
		for _, d := range w.backlog.planned {
			require.NoError(t, w.Backfill.Day(t.Context(), d))
		}
		s, err := w.Backfill.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, s.Days, s.Done)
		require.InDelta(t, 1, s.Share, 0)
		oldest := time.Now()
		for _, m := range w.org.All() {
			if m.At().Before(oldest) {
				oldest = m.At()
			}
		}
		start := time.Now().Add(-30 * 24 * time.Hour).UTC().Truncate(24 * time.Hour)
		require.False(t, oldest.Before(start), "nothing is read from before sync.start")
		require.WithinDuration(t, start, oldest, time.Hour)
		for sid, m := range w.account.All() {
			if m.At().After(oldest) {
				require.Contains(t, w.org.All(), sid)
			}
		}
		// A second first run, after the cursor was lost, plans and writes nothing twice.
		planned := len(w.backlog.planned)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Len(t, w.backlog.planned, planned)
	})
}

func TestABackfillBringsExactlyItsRange(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		until := time.Now().UTC().Truncate(24 * time.Hour).Add(-5 * 24 * time.Hour)
		since := until.Add(-3 * 24 * time.Hour)
		for n, at := range []time.Time{since.Add(-time.Second), since, since.Add(24 * time.Hour), until.Add(-time.Second), until} {
			w.account.Put(mirrortest.Text(n, at))
		}
		require.NoError(t, w.Backfill.Request(t.Context(), since, until))
		for _, d := range w.backlog.planned {
			require.NoError(t, w.Backfill.Day(t.Context(), d))
		}
		require.Len(t, w.org.All(), 3)
		require.Contains(t, w.org.All(), mirrortest.SID(1))
		require.Contains(t, w.org.All(), mirrortest.SID(3))
	})
}

func TestABackfillThatEndsBeforeItBeginsIsRefused(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		require.Error(t, w.Backfill.Request(t.Context(), time.Now(), time.Now().Add(-time.Hour)))
	})
}

func TestABackfillOutlastsAnOutage(t *testing.T) {
	account := &mirrortest.Account{}
	run(t, account, &mirrortest.Org{}, func(t *testing.T, w *world) {
		day := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
		account.Put(mirrortest.Text(1, day.Add(time.Hour)))
		back := time.Now().Add(2 * time.Hour)
		account.Fail = func() error {
			if time.Now().Before(back) {
				return fault.New(fault.Transient, "twilio list", errors.New("503"))
			}
			return nil
		}
		require.NoError(t, w.Backfill.Day(t.Context(), mirror.Day{Day: day, Since: day, Until: day.Add(24 * time.Hour)}))
		require.Len(t, w.org.All(), 1)
		require.Empty(t, conditions(w.health))
	})
}

func TestTheActiveSweepCallsNobodyWhenNobodyTalks(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		require.NoError(t, w.Sweeper.Active(t.Context()))
		require.Zero(t, w.account.Calls())

		w.account.Put(texts(20, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		calls := w.account.Calls()
		time.Sleep(11 * time.Minute)
		require.NoError(t, w.Sweeper.Active(t.Context()))
		require.Equal(t, calls, w.account.Calls())
	})
}

// until is a user who looks on until then.
type until struct{ time.Time }

func (u *until) Watched(now time.Time) bool { return now.Before(u.Time) }

func TestTheActiveSweepRunsWhileAUserLooksOnAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user := &until{time.Now().Add(time.Minute)}
		w := startWith(t, &mirrortest.Account{}, &mirrortest.Org{}, func(p *mirror.Ports) { p.Watches = user })
		defer w.stop()
		require.NoError(t, w.Sweeper.Active(t.Context()))
		require.Equal(t, 1, w.account.Calls(), "of an account that is empty")
		time.Sleep(time.Minute)
		require.NoError(t, w.Sweeper.Active(t.Context()))
		require.Equal(t, 1, w.account.Calls())

		w.account.Put(texts(20, time.Now(), time.Second)...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		time.Sleep(48 * time.Hour)
		user.Time = time.Now().Add(time.Minute)
		calls := w.account.Calls()
		w.account.Put(mirrortest.Text(50, time.Now()))
		require.NoError(t, w.Sweeper.Active(t.Context()))
		synctest.Wait()
		require.Equal(t, calls+1, w.account.Calls())
		require.Contains(t, w.org.All(), mirrortest.SID(50))
	})
}

func TestAReplyInAnActiveConversationArrivesWithTheNextActiveSweep(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		sent := mirrortest.Text(1, time.Now())
		sent.Direction, sent.Status = message.OutboundAPI, message.Sent
		w.account.Put(sent)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		for n := range 8 {
			time.Sleep(15 * time.Second)
			w.account.Put(mirrortest.Text(10+n, time.Now()))
			calls := w.account.Calls()
			require.NoError(t, w.Sweeper.Active(t.Context()))
			require.Equal(t, calls+1, w.account.Calls())
			synctest.Wait()
			require.Contains(t, w.org.All(), mirrortest.SID(10+n))
		}
		// The status of what was sent minutes ago follows as well.
		sent.Status, sent.Updated = message.Delivered, time.Now().UTC().Truncate(time.Second)
		w.account.Put(sent)
		require.NoError(t, w.Sweeper.Active(t.Context()))
		synctest.Wait()
		require.Equal(t, message.Delivered, w.org.All()[sent.SID].Status)
	})
}

func TestOpenStatusesAreRefreshed(t *testing.T) {
	for name, n := range map[string]int{"few, by SID": 7, "many, by a walk": 400} {
		t.Run(name, func(t *testing.T) {
			run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
				open := texts(n, time.Now(), time.Second)
				for i := range open {
					open[i].Direction, open[i].Status = message.OutboundAPI, message.Sent
				}
				w.account.Put(open...)
				require.NoError(t, w.Sweeper.Full(t.Context()))
				time.Sleep(20 * time.Hour)
				w.account.Delete(open[0].SID)
				for i := range open[1:] {
					open[i+1].Status, open[i+1].Updated = message.Delivered, time.Now().UTC().Truncate(time.Second)
				}
				w.account.Put(open[1:]...)
				calls := w.account.Calls()
				require.NoError(t, w.Sweeper.Refresh(t.Context()))
				require.LessOrEqual(t, w.account.Calls()-calls, 8)
				synctest.Wait()
				for _, m := range open[1:] {
					require.Equal(t, message.Delivered, w.org.All()[m.SID].Status)
				}
				// What Twilio deleted keeps its record, and is not asked for again.
				require.Contains(t, w.org.All(), open[0].SID)
				calls = w.account.Calls()
				require.NoError(t, w.Sweeper.Refresh(t.Context()))
				require.Equal(t, calls, w.account.Calls())
			})
		})
	}
}

func TestWrongTwilioCredentialsAreOneConditionWithTheRemedy(t *testing.T) {
	account := &mirrortest.Account{}
	run(t, account, &mirrortest.Org{}, func(t *testing.T, w *world) {
		account.Fail = func() error {
			return &fault.Error{Class: fault.Auth, Op: "twilio list", Code: "20003", Condition: "twilio-credentials", Hint: "Check twilio.api_key_secret."}
		}
		require.Error(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, []string{"twilio-credentials"}, conditions(w.health))
		require.Equal(t, "Check twilio.api_key_secret.", w.health.Active()[0].Remedy)
		require.False(t, w.health.Ready())
		account.Fail = nil
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.True(t, w.health.Ready())
	})
}

func TestTheFakesKeepThePortsContracts(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	mirrortest.TestSource(t, now, func(*testing.T) mirrortest.SourceUnderTest {
		a := &mirrortest.Account{}
		return mirrortest.SourceUnderTest{Source: a, Put: a.Put}
	})
	mirrortest.TestSink(t, now, func(*testing.T) mirrortest.SinkUnderTest {
		refused, drafts := map[message.SID]bool{}, 0
		o := &mirrortest.Org{Refuse: func(m message.Message) error {
			if refused[m.SID] {
				return fault.New(fault.Permanent, "upsert", errors.New("refused"))
			}
			return nil
		}}
		return mirrortest.SinkUnderTest{
			Sink: o, Refuse: func(sid message.SID) { refused[sid] = true },
			Bodies: func(sid message.SID) []string {
				if m, ok := o.All()[sid]; ok {
					return []string{m.Body}
				}
				return nil
			},
			PutDraft: func() string {
				drafts++
				id := fmt.Sprintf("a00%015d", drafts)
				o.PutDraft(id)
				return id
			},
			DeleteDraft: o.DeleteDraft, Draft: o.Draft,
		}
	})
}

func TestAConditionOfRecordsPutOffEndsWhicheverWayTheyGo(t *testing.T) {
	var full atomic.Bool
	full.Store(true)
	refused := false
	org := &mirrortest.Org{Refuse: func(m message.Message) error {
		switch {
		case full.Load():
			return &fault.Error{Class: fault.Throttled, Op: "upsert", Code: "STORAGE_LIMIT_EXCEEDED", Condition: "salesforce-storage", After: time.Hour}
		case m.Body == "refused":
			refused = true
			return fault.New(fault.Permanent, "upsert", errors.New("refused"))
		}
		return nil
	}}
	run(t, &mirrortest.Account{}, org, func(t *testing.T, w *world) {
		changing, bad := mirrortest.Text(1, time.Now()), mirrortest.Text(2, time.Now())
		changing.Status, changing.Direction, bad.Body = message.Sent, message.OutboundAPI, "refused"
		w.account.Put(changing, bad)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, []string{"salesforce-storage"}, conditions(w.health))

		// One is written because it changes, before its pause is over; the other is
		// refused for good when its pause is over.
		full.Store(false)
		changing.Status, changing.Updated = message.Delivered, time.Now().UTC().Truncate(time.Second).Add(time.Second)
		w.account.Put(changing)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		require.Equal(t, []string{"salesforce-storage"}, conditions(w.health), "one still waits")
		time.Sleep(2 * time.Hour)
		require.True(t, refused)
		require.Equal(t, []string{"quarantine"}, conditions(w.health))
	})
}

func TestOpenStatusesThatStayOpenKeepNoOtherWaiting(t *testing.T) {
	run(t, &mirrortest.Account{}, &mirrortest.Org{}, func(t *testing.T, w *world) {
		// More than are asked for at a time, and so old that no walk shows them.
		all := texts(180, time.Now(), time.Second)
		for i := range all {
			all[i].Direction, all[i].Status = message.OutboundAPI, message.Queued
		}
		w.account.Put(all...)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		w.account.HideFromWalks()
		for i := range all {
			all[i].Status, all[i].Updated = message.Sent, time.Now().UTC().Truncate(time.Second).Add(time.Minute)
		}
		w.account.Put(all...)
		for range 4 {
			time.Sleep(time.Hour)
			require.NoError(t, w.Sweeper.Refresh(t.Context()))
		}
		synctest.Wait()
		require.Equal(t, w.account.All(), w.org.All())
	})
}
