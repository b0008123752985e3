package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// setup is `twiliosf org`, on the daemon's configuration.
func (w *world) setup() *orgsetup.Setup {
	w.t.Helper()
	cfg, err := w.load()
	require.NoError(w.t, err)
	setup, err := daemon.OpenSetup(cfg, w.orgHTTP)
	require.NoError(w.t, err)
	return setup
}

// emptyOrg puts an org without our objects in the place of the one that was there.
func (w *world) emptyOrg(sf salesforcetest.Options) {
	org := salesforcetest.NewServer(sf)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.org, w.orgs = org, append(w.orgs, org)
}

func TestAfterADeploymentToAnEmptyOrgEveryMessageComes(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.emptyOrg(salesforcetest.Options{DeployDelay: time.Minute})
		out, err := w.setup().Deploy(t.Context(), orgsetup.Order{})
		require.NoError(t, err)
		require.Empty(t, out.After.Differences)
		w.receive(30)
		w.start()
		w.untilMirrored(5 * time.Minute)
		require.Equal(t, 30, w.org.Count(object))
		require.Empty(t, w.status().MissingFields)
	})
}

// A daemon that was started too early says what is missing, and begins by itself.
func TestADaemonThatWaitsForItsObjectsBeginsOnceTheyAreDeployedBesideIt(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.emptyOrg(salesforcetest.Options{DeployDelay: time.Minute})
		w.receive(10)
		w.start()
		w.until(5*time.Minute, 5*time.Second, "noticed", func() bool { return len(w.conditions()) > 0 })
		setup := w.setup()
		out, err := setup.Deploy(t.Context(), orgsetup.Order{CheckOnly: true})
		require.NoError(t, err)
		require.Positive(t, out.Components)
		_, err = setup.Deploy(t.Context(), orgsetup.Order{})
		require.NoError(t, err)
		w.untilMirrored(time.Hour)
		require.Equal(t, 10, w.org.Count(object))
	})
}
