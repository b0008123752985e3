package followup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/followup/followuptest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheQueueInMemoryKeepsTheContract(t *testing.T) {
	followuptest.TestQueue(t, func(*testing.T) followup.Queue { return &followuptest.Memory{} })
}

// world is an engine on a queue in memory.
type world struct {
	*followup.Engine
	t      *testing.T
	queue  *followuptest.Memory
	status *followuptest.Doer
	media  *followuptest.Doer
	health *health.Registry
	logs   *observer.ObservedLogs
	reg    *prometheus.Registry
	stop   func()
}

// run runs an engine in virtual time. setUp changes the doers before it starts.
func run(t *testing.T, setUp, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		w := &world{t: t, queue: &followuptest.Memory{}, status: &followuptest.Doer{}, media: &followuptest.Doer{},
			health: health.New(zap.NewNop(), nil), logs: logs, reg: prometheus.NewRegistry()}
		if setUp != nil {
			setUp(w)
		}
		var err error
		w.Engine, err = followup.New(followup.Ports{Queue: w.queue, Health: w.health, Doers: map[message.FollowUpKind]followup.Doer{
			message.FollowStatus: w.status, message.FollowMedia: w.media,
		}}, followup.Options{Log: zap.New(core), Metrics: w.reg})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		w.stop = func() {
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
		}
		synctest.Wait()
		test(w)
		cancel()
		if w.stop != nil {
			w.stop()
		}
	})
}

func (w *world) add(all ...message.FollowUp) {
	w.t.Helper()
	require.NoError(w.t, w.queue.Add(w.t.Context(), all))
	w.Wake()
}

func (w *world) waiting() int {
	n, err := w.queue.Waiting(w.t.Context(), message.FollowStatus, 1_000_000)
	require.NoError(w.t, err)
	return n
}

func (w *world) conditions() []string {
	names := []string{}
	for _, c := range w.health.Active() {
		names = append(names, c.Name)
	}
	return names
}

func many(n int) []message.FollowUp {
	all := make([]message.FollowUp, n)
	for i := range all {
		all[i] = followuptest.Status(i, "delivered")
	}
	return all
}

// metric is what a counter must show.
func metric(name string, lines ...string) io.Reader {
	text := "# HELP " + name + " Follow-ups settled, by kind and outcome: done, given_up, put_off.\n# TYPE " + name + " counter\n"
	for _, l := range lines {
		text += name + l + "\n"
	}
	return strings.NewReader(text)
}

// observed is a logger that w.logs hears.
func observed(w *world) *zap.Logger {
	core, logs := observer.New(zap.DebugLevel)
	w.logs = logs
	return zap.New(core)
}

func refuse(class fault.Class, code string) *fault.Error {
	return &fault.Error{Class: class, Op: "salesforce update", Code: code, Hint: "Do this.", Err: errors.New("no")}
}

func TestWhatIsQueuedIsDoneWithinAMoment(t *testing.T) {
	run(t, nil, func(w *world) {
		for range 3 {
			w.add(followuptest.Status(1, "delivered"))
			time.Sleep(time.Second)
		}
		require.Len(t, w.status.Done(), 3)
		require.Empty(t, w.media.Done())
		require.Zero(t, w.waiting())
		require.Empty(t, w.conditions())
	})
}

func TestAWakeUpThatWasLostCostsAMinute(t *testing.T) {
	run(t, nil, func(w *world) {
		require.NoError(t, w.queue.Add(t.Context(), many(1)))
		time.Sleep(61 * time.Second)
		require.Len(t, w.status.Done(), 1)
	})
}

func TestOnlyTheKindThatWasWokenIsLookedFor(t *testing.T) {
	run(t, nil, func(w *world) {
		require.NoError(t, w.queue.Add(t.Context(), append(many(1), message.FollowUp{Kind: message.FollowMedia, Key: "MM1"})))
		w.Wake(message.FollowMedia, message.FollowMedia, message.FollowMedia)
		w.Wake(message.FollowMedia)
		time.Sleep(time.Second)
		require.Len(t, w.media.Done(), 1)
	})
}

func TestManyAreDoneInBatchesAndOneCallAtATime(t *testing.T) {
	run(t, func(w *world) { w.status.Slow, w.media.Slow = time.Second, time.Second }, func(w *world) {
		all := many(1000)
		for i := range 1000 {
			all = append(all, message.FollowUp{Kind: message.FollowMedia, Key: fmt.Sprint("MM", i)})
		}
		w.add(all...)
		time.Sleep(4500 * time.Millisecond)
		require.NotEmpty(t, w.media.Done(), "kinds take turns")
		require.NotEmpty(t, w.status.Done(), "kinds take turns")
		require.Len(t, append(w.media.Batches(), w.status.Batches()...), 5, "one call at a time")
		time.Sleep(6 * time.Second)
		require.Equal(t, []int{200, 200, 200, 200, 200}, w.status.Batches())
		require.Equal(t, []int{200, 200, 200, 200, 200}, w.media.Batches())
		require.Zero(t, w.waiting())
	})
}

func TestOneThatIsRefusedIsGivenUpAndToldOnce(t *testing.T) {
	run(t, func(w *world) {
		w.status.One = func(f message.FollowUp) error {
			if f.Key <= followuptest.Status(9, "").Key {
				return refuse(fault.Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(50)...)
		time.Sleep(time.Second)
		require.Len(t, w.status.Done(), 40)
		require.Zero(t, w.waiting())
		require.Equal(t, []string{"last-status-refused"}, w.conditions())
		c := w.health.Active()[0]
		require.Equal(t, health.Notice, c.Severity)
		require.Contains(t, c.Cause, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
		require.Equal(t, "Do this.", c.Remedy)
		given := w.logs.FilterMessage("follow-up given up").All()
		require.Len(t, given, 10)
		require.Equal(t, followuptest.Status(0, "").Key, given[0].ContextMap()["record"])
		require.NoError(t, testutil.GatherAndCompare(w.reg, metric("twiliosf_followups_total", `{kind="last-status",outcome="done"} 40`, `{kind="last-status",outcome="given_up"} 10`), "twiliosf_followups_total"))
		time.Sleep(25 * time.Hour)
		require.Empty(t, w.conditions(), "it has not happened again for a day")
	})
}

func TestWhatPeopleHaveSaidIsNotNamedByTheirNumbers(t *testing.T) {
	run(t, func(w *world) {
		w.media.One = func(message.FollowUp) error { return refuse(fault.Permanent, "X") }
	}, func(w *world) {
		w.stop()
		w.stop = nil
		e, err := followup.New(followup.Ports{Queue: w.queue, Health: w.health, Doers: map[message.FollowUpKind]followup.Doer{
			message.FollowOptIn: w.media, message.FollowMember: w.media,
		}},
			followup.Options{Log: observed(w)})
		require.NoError(t, err)
		require.NoError(t, w.queue.Add(t.Context(), []message.FollowUp{{Kind: message.FollowOptIn, Key: "+14155550100:*", OptIn: &message.OptIn{Message: "SM1"}},
			{Kind: message.FollowMember, Key: "701:+14155550100", Member: &message.Member{Campaign: "701", Number: "+14155550100"}}}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Run(ctx), context.DeadlineExceeded)
		for _, l := range w.logs.All() {
			require.NotContains(t, fmt.Sprint(l.ContextMap()), "4155550100")
		}
		require.Len(t, w.logs.FilterField(zap.String("record", "SM1")).All(), 1)
		require.Len(t, w.logs.FilterField(zap.String("record", "701")).All(), 1)
	})
}

func TestWhatWroteToADeletedRecordIsGivenUpInSilence(t *testing.T) {
	run(t, func(w *world) {
		w.status.One = func(message.FollowUp) error {
			return &fault.Error{Class: fault.Permanent, Op: "salesforce update", Code: "ENTITY_IS_DELETED", Err: followup.ErrGone}
		}
	}, func(w *world) {
		w.add(many(3)...)
		time.Sleep(time.Second)
		require.Zero(t, w.waiting())
		require.Empty(t, w.conditions())
		require.NoError(t, testutil.GatherAndCompare(w.reg, metric("twiliosf_followups_total", `{kind="last-status",outcome="given_up"} 3`), "twiliosf_followups_total"))
	})
}

func TestAParentThatIsMissingIsWaitedForAndThenGivenUp(t *testing.T) {
	missing := func(message.FollowUp) error {
		return fault.New(fault.Transient, "salesforce upsert", followup.ErrNoParent)
	}
	run(t, func(w *world) { w.status.One = missing }, func(w *world) {
		w.add(many(1)...)
		time.Sleep(20 * time.Minute)
		require.Equal(t, 1, w.waiting())
		w.status.Locked(func() { w.status.One = nil }) // the parent comes
		time.Sleep(8 * time.Minute)
		require.Len(t, w.status.Done(), 1)
		require.Empty(t, w.conditions())
	})
	run(t, func(w *world) { w.status.One = missing }, func(w *world) {
		w.add(many(1)...)
		time.Sleep(3 * time.Hour)
		require.Zero(t, w.waiting())
		require.Empty(t, w.conditions())
	})
}

func TestWhatIsNotThereYetIsAskedForAFewTimes(t *testing.T) {
	tries, there := 0, 100
	nothing := func(message.FollowUp) error {
		tries++
		if tries >= there {
			return nil
		}
		return fault.New(fault.Transient, "twilio list media", followup.ErrNothingYet)
	}
	run(t, func(w *world) { w.status.One = nothing }, func(w *world) {
		w.add(many(1)...)
		time.Sleep(time.Hour)
		w.status.Locked(func() { require.Equal(t, 4, tries, "and then believed") })
		require.Zero(t, w.waiting())
		require.Empty(t, w.conditions())
		require.NoError(t, testutil.GatherAndCompare(w.reg, metric("twiliosf_followups_total", `{kind="last-status",outcome="done"} 1`, `{kind="last-status",outcome="put_off"} 3`), "twiliosf_followups_total"))
		w.status.Locked(func() { tries, there = 0, 2 })
		w.add(many(1)...)
		time.Sleep(10 * time.Second)
		w.status.Locked(func() { require.Equal(t, 2, tries) })
		require.Len(t, w.status.Done(), 1)
	})
}

func TestOthersArePutOffLongerEachTimeAndHoldNothingUp(t *testing.T) {
	var tries []time.Time
	locked := true
	run(t, func(w *world) {
		w.status.One = func(f message.FollowUp) error {
			if f.Key == followuptest.Status(0, "").Key && locked {
				tries = append(tries, time.Now())
				return refuse(fault.Transient, "UNABLE_TO_LOCK_ROW")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(10)...)
		time.Sleep(time.Second)
		require.Len(t, w.status.Done(), 9, "the others are done")
		time.Sleep(time.Hour)
		w.status.Locked(func() {
			require.Greater(t, len(tries), 8)
			require.Less(t, len(tries), 30)
			require.Less(t, tries[1].Sub(tries[0]), 4*time.Second)
			require.Greater(t, tries[8].Sub(tries[7]), 2*time.Minute)
		})
		require.Equal(t, []string{"last-status-waits"}, w.conditions(), "it has lasted")
		w.status.Locked(func() { locked = false })
		time.Sleep(10 * time.Minute)
		require.Len(t, w.status.Done(), 10)
		require.Empty(t, w.conditions())
	})
}

func TestWhoeverAsksForTimeGetsIt(t *testing.T) {
	tries := 0
	run(t, func(w *world) {
		w.status.One = func(message.FollowUp) error {
			tries++
			return &fault.Error{Class: fault.Throttled, Op: "salesforce update", After: time.Hour, Err: errors.New("full")}
		}
	}, func(w *world) {
		w.add(many(1)...)
		time.Sleep(59 * time.Minute)
		w.status.Locked(func() { require.Equal(t, 1, tries) })
		time.Sleep(2 * time.Minute)
		w.status.Locked(func() { require.Equal(t, 2, tries) })
	})
}

func TestAFieldThatIsMissingIsOneConditionUntilItIsThere(t *testing.T) {
	missing := true
	run(t, func(w *world) {
		w.status.Batch = func([]message.FollowUp) error {
			if !missing {
				return nil
			}
			f := refuse(fault.Auth, "SCHEMA")
			f.After = 10 * time.Minute
			return f
		}
		w.status.One = func(f message.FollowUp) error {
			if f.Key == followuptest.Status(3, "").Key {
				return &fault.Error{Class: fault.Throttled, Op: "salesforce update", After: 9 * time.Hour, Err: errors.New("full")}
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(4)...)
		w.add(message.FollowUp{Kind: message.FollowMedia, Key: "MM1"})
		time.Sleep(time.Second)
		require.Equal(t, []string{"last-status-waits"}, w.conditions())
		require.Equal(t, health.Notice, w.health.Active()[0].Severity)
		require.True(t, w.health.Ready())
		require.Len(t, w.media.Done(), 1, "the other kinds go on")
		for range 100 {
			w.Wake()
			time.Sleep(time.Second)
		}
		require.Len(t, w.status.Batches(), 1, "the org is left alone, whoever wakes")
		w.status.Locked(func() { missing = false })
		time.Sleep(10 * time.Minute)
		require.Len(t, w.status.Done(), 3)
		require.Equal(t, 1, w.waiting())
		require.Empty(t, w.conditions(), "what waits now waits for another reason")
	})
}

func TestALoginThatFailsIsToldByWhoeverWritesMessages(t *testing.T) {
	run(t, func(w *world) {
		w.status.Batch = func([]message.FollowUp) error {
			f := refuse(fault.Auth, "invalid_grant")
			f.Condition = "salesforce-login"
			return f
		}
	}, func(w *world) {
		w.add(many(3)...)
		time.Sleep(time.Hour)
		require.Empty(t, w.conditions())
		require.Equal(t, 3, w.waiting())
		require.Less(t, len(w.status.Batches()), 120)
	})
}

func TestOneThatSpoilsEveryCallIsFound(t *testing.T) {
	bad := followuptest.Status(137, "").Key
	run(t, func(w *world) {
		w.status.Batch = func(batch []message.FollowUp) error {
			if slices.ContainsFunc(batch, func(f message.FollowUp) bool { return f.Key == bad }) {
				return refuse(fault.Permanent, "JSON_PARSER_ERROR")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(400)...)
		time.Sleep(time.Second)
		require.Len(t, w.status.Done(), 399)
		require.Zero(t, w.waiting())
		require.Equal(t, []string{"last-status-refused"}, w.conditions())
		require.Less(t, len(w.status.Batches()), 40)
	})
}

func TestAnOutageCostsFewCallsAndLosesNothing(t *testing.T) {
	down := true
	run(t, func(w *world) {
		w.status.Batch = func([]message.FollowUp) error {
			if down {
				return refuse(fault.Transient, "SERVER_UNAVAILABLE")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(1000)...)
		time.Sleep(10 * time.Minute)
		require.Less(t, len(w.status.Batches()), 30)
		require.LessOrEqual(t, slices.Min(w.status.Batches()), 25, "smaller ones while it lasts")
		require.Equal(t, []string{"last-status-waits"}, w.conditions())
		w.status.Locked(func() { down = false })
		time.Sleep(2 * time.Minute)
		require.Len(t, w.status.Done(), 1000)
		require.Empty(t, w.conditions())
	})
}

func TestAStopWaitsForTheCallInFlightAndRemembersIt(t *testing.T) {
	run(t, func(w *world) { w.status.Slow = 3 * time.Second }, func(w *world) {
		w.add(many(300)...)
		time.Sleep(time.Second)
		began := time.Now()
		w.stop()
		w.stop = nil
		require.InDelta(t, 2, time.Since(began).Seconds(), 0.5)
		require.Equal(t, 100, w.waiting(), "what was done is not done again")
	})
}

func TestAStopCutsOffACallThatHangs(t *testing.T) {
	run(t, func(w *world) { w.status.Slow = time.Hour }, func(w *world) {
		w.add(many(3)...)
		time.Sleep(time.Second)
		began := time.Now()
		w.stop()
		w.stop = nil
		require.Equal(t, 5*time.Second, time.Since(began))
		require.Equal(t, 3, w.waiting())
		require.Empty(t, w.conditions())
	})
}

func TestAStoreThatFailsIsToldAndTriedAgain(t *testing.T) {
	run(t, nil, func(w *world) {
		w.queue.Fail(errors.New("disk full"))
		w.Wake()
		time.Sleep(time.Minute)
		require.Equal(t, []string{"store"}, w.conditions())
		w.queue.Fail(nil)
		w.add(many(2)...)
		time.Sleep(10 * time.Second)
		require.Len(t, w.status.Done(), 2)
	})
}

// few is a doer that takes three at a time.
type few struct{ followuptest.Doer }

func (*few) Limit() int { return 3 }

func TestADoerMayTakeFewerAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue, doer := &followuptest.Memory{}, &few{}
		e, err := followup.New(followup.Ports{Queue: queue, Health: health.New(zap.NewNop(), nil),
			Doers: map[message.FollowUpKind]followup.Doer{message.FollowStatus: doer}}, followup.Options{})
		require.NoError(t, err)
		require.NoError(t, queue.Add(t.Context(), many(7)))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Run(ctx), context.DeadlineExceeded)
		require.Equal(t, []int{3, 3, 1}, doer.Batches())
	})
}

func TestAnEngineNeedsItsPorts(t *testing.T) {
	_, err := followup.New(followup.Ports{}, followup.Options{})
	require.Error(t, err)
	_, err = followup.New(followup.Ports{Queue: &followuptest.Memory{}, Health: health.New(zap.NewNop(), nil),
		Doers: map[message.FollowUpKind]followup.Doer{message.FollowMedia: nil}}, followup.Options{})
	require.ErrorContains(t, err, "media")
}

// What fails one by one is an outage too, where each is asked for by itself.
func TestAnOutageThatIsToldForEachCostsFewCallsToo(t *testing.T) {
	down := true
	var told *observer.ObservedLogs
	run(t, func(w *world) {
		var core zapcore.Core
		core, told = observer.New(zap.InfoLevel)
		w.health = health.New(zap.New(core), nil)
		w.status.One = func(message.FollowUp) error {
			if down {
				return refuse(fault.Transient, "SERVER_UNAVAILABLE")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(10_000)...)
		time.Sleep(time.Minute)
		require.Less(t, len(w.status.Batches()), 15)
		require.Equal(t, []string{"last-status-waits"}, w.conditions())
		time.Sleep(time.Hour)
		require.Equal(t, 1, told.Len(), "once, and not with every batch")
		w.status.Locked(func() { down = false })
		time.Sleep(time.Hour)
		require.Len(t, w.status.Done(), 10_000)
		require.Empty(t, w.conditions())
	})
}

func TestAFewThatArePutOffTogetherKeepNobodyWaiting(t *testing.T) {
	locked := followuptest.Status(9, "").Key
	run(t, func(w *world) {
		w.status.One = func(f message.FollowUp) error {
			if f.Key <= locked {
				return refuse(fault.Transient, "UNABLE_TO_LOCK_ROW")
			}
			return nil
		}
	}, func(w *world) {
		w.add(many(10)...)
		for n := range 60 {
			time.Sleep(time.Second)
			w.add(followuptest.Status(100+n, "delivered"))
		}
		time.Sleep(300 * time.Millisecond)
		require.Len(t, w.status.Done(), 60)
	})
}

// counted is a queue that counts the looks at it.
type counted struct {
	*followuptest.Memory
	looks atomic.Int32
}

func (c *counted) Due(ctx context.Context, kind message.FollowUpKind, now time.Time, limit int) ([]followup.Queued, error) {
	c.looks.Add(1)
	return c.Memory.Due(ctx, kind, now, limit)
}

func TestAnEngineThatIsWokenAllTheTimeLooksNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := &counted{Memory: &followuptest.Memory{}}
		e, err := followup.New(followup.Ports{Queue: queue, Health: health.New(zap.NewNop(), nil),
			Doers: map[message.FollowUpKind]followup.Doer{message.FollowStatus: &followuptest.Doer{}}}, followup.Options{})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		go func() {
			for ctx.Err() == nil {
				e.Wake()
				time.Sleep(time.Millisecond)
			}
		}()
		require.ErrorIs(t, e.Run(ctx), context.DeadlineExceeded)
		require.InDelta(t, 40, queue.looks.Load(), 3)
		time.Sleep(time.Second)
	})
}
