package health_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/twiliosf/twiliosf/sync/health"
)

var login = health.Condition{
	Name: "salesforce-login", Severity: health.Degraded,
	Cause: "The key is not known to the org.", Remedy: "Check salesforce.client_id.",
}

func TestAConditionIsLoggedWhenItComesAndWhenItGoesAndNotBetween(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	r := health.New(zap.New(core), nil)
	for range 100 {
		r.Raise(login)
	}
	r.Clear("salesforce-login")
	r.Clear("salesforce-login")
	require.Len(t, logs.All(), 2)
	require.Equal(t, "Check salesforce.client_id.", logs.All()[0].ContextMap()["remedy"])
}

func TestAConditionWhoseCauseChangesKeepsItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := health.New(zap.NewNop(), nil)
		r.Raise(login)
		time.Sleep(time.Hour)
		other := login
		other.Cause = "The user is frozen."
		r.Raise(other)
		require.Len(t, r.Active(), 1)
		require.Equal(t, "The user is frozen.", r.Active()[0].Cause)
		require.Equal(t, time.Hour, time.Since(r.Active()[0].Since))
	})
}

func TestOneTroubleThatTwoCallersMeetIsLoggedOnce(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	r := health.New(zap.New(core), nil)
	other := login
	other.Cause = "The key is not known to the org: query."
	for range 3 {
		r.Raise(login)
		r.Raise(other)
	}
	require.Equal(t, 1, logs.Len())
	other.Remedy = "Ask the org's administrator."
	r.Raise(other)
	require.Equal(t, 2, logs.Len(), "there is something else to do")
}

func TestOnlyABlockingConditionTakesReadinessAway(t *testing.T) {
	r := health.New(zap.NewNop(), nil)
	r.Raise(login)
	require.True(t, r.Ready())
	blocked := login
	blocked.Severity = health.Blocking
	r.Raise(blocked)
	require.False(t, r.Ready())
	r.Clear(login.Name)
	require.True(t, r.Ready())
}

func TestTheWorstConditionIsShownFirst(t *testing.T) {
	r := health.New(zap.NewNop(), nil)
	r.Raise(health.Condition{Name: "a", Severity: health.Notice})
	r.Raise(health.Condition{Name: "b", Severity: health.Blocking})
	r.Raise(login)
	var names []string
	for _, c := range r.Active() {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"b", "salesforce-login", "a"}, names)
}

func TestTheMetricFollowsTheCondition(t *testing.T) {
	reg := prometheus.NewRegistry()
	r := health.New(zap.NewNop(), reg)
	r.Raise(login)
	worse := login
	worse.Severity = health.Blocking
	r.Raise(worse)
	n, err := testutil.GatherAndCount(reg, "twiliosf_condition")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	r.Clear(login.Name)
	n, err = testutil.GatherAndCount(reg, "twiliosf_condition")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestWatchersHearEveryChangeAndNothingElse(t *testing.T) {
	r := health.New(zap.NewNop(), nil)
	heard := 0
	r.OnChange(func() { heard++ })
	r.Raise(login)
	r.Raise(login)
	r.Clear(login.Name)
	r.Clear(login.Name)
	require.Equal(t, 2, heard)
}

func TestWhatTheDaemonShowsCanBeReadBack(t *testing.T) {
	for _, severity := range []health.Severity{health.Notice, health.Degraded, health.Blocking} {
		raw, err := json.Marshal(health.Condition{Name: "store", Severity: severity})
		require.NoError(t, err)
		var back health.Condition
		require.NoError(t, json.Unmarshal(raw, &back))
		require.Equal(t, severity, back.Severity)
	}
	var s health.Severity
	require.Error(t, s.UnmarshalText([]byte("catastrophic")))
}
