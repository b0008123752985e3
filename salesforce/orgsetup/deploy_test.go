package orgsetup_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestAnEmptyOrgIsCheckedDeployedOpenedAndThenHasEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{DeployDelay: time.Minute})
		setup, w := setupOf(t, s, orgsetup.Options{}), &watcher{}
		all, err := metadata.Components()
		require.NoError(t, err)
		out, err := setup.Deploy(t.Context(), w.order(orgsetup.Order{}))
		require.NoError(t, err)
		require.NotEmpty(t, out.Before.Differences)
		require.Empty(t, out.After.Differences)
		require.Equal(t, len(all), out.Deployed)
		require.Len(t, w.asked, 1)
		require.Contains(t, w.asked[0], "Nothing is deleted")
		require.Equal(t, "check Pending", w.stages[0])
		require.Equal(t, "deploy Succeeded", w.stages[len(w.stages)-1])
		require.Contains(t, w.stages, "check Succeeded")
		said := strings.Join(w.said, "\n")
		for _, part := range []string{"Compared 11 objects", "Salesforce has checked", "Deployed", "Assigned the permission set " + set, "no differences"} {
			require.Contains(t, said, part)
		}
		require.Equal(t, 2, s.Deployments())

		again := &watcher{}
		out, err = setup.Deploy(t.Context(), again.order(orgsetup.Order{}))
		require.NoError(t, err)
		require.Empty(t, out.Remaining().Differences)
		require.Equal(t, 2, s.Deployments(), "the second time nothing is deployed")
		require.Empty(t, again.asked)
	})
}

func TestCheckOnlyChangesNothing(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{})
	setup, w := setupOf(t, s, orgsetup.Options{}), &watcher{}
	out, err := setup.Deploy(t.Context(), w.order(orgsetup.Order{CheckOnly: true}))
	require.NoError(t, err)
	require.Empty(t, w.asked)
	require.Zero(t, out.Deployed)
	require.Nil(t, out.After)
	require.Equal(t, 1, s.Deployments())
	require.Equal(t, names(out.Before), names(diff(t, setup)))
}

func TestWhoSaysNoHasNothingDeployed(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{})
	w := &watcher{no: true}
	_, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), w.order(orgsetup.Order{}))
	require.ErrorIs(t, err, orgsetup.ErrDeclined)
	require.Zero(t, s.Deployments())
}

// deployable are orgs that lack something that a deployment brings.
func TestOnlyWhatIsMissingIsDeployed(t *testing.T) {
	body := field("Body__c")
	for name, c := range map[string]struct {
		edits []string
		name  string // the component
	}{
		"a shorter field":  {[]string{body, "<length>32768</length>", "<length>1000</length>"}, message + ".Body__c"},
		"a missing field":  {[]string{body, "", ""}, message + ".Body__c"},
		"a key that is no": {[]string{field("Message_SID__c"), "<unique>true</unique>", "<unique>false</unique>"}, message + ".Message_SID__c"},
	} {
		t.Run(name, func(t *testing.T) {
			s := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t, c.edits...)})
			id, err := s.Insert(message, map[string]any{"Message_SID__c": "SM1"})
			require.NoError(t, err)
			out, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
			require.NoError(t, err)
			require.Empty(t, out.After.Differences)
			require.Equal(t, 5, out.Deployed, "%s, three permission sets and a custom permission", c.name)
			row, there := s.Row(message, id)
			require.True(t, there)
			require.Equal(t, "SM1", row["Message_SID__c"])
		})
	}
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
	out, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{All: true})
	require.NoError(t, err)
	all, err := metadata.Components()
	require.NoError(t, err)
	require.Equal(t, len(all), out.Deployed, "unless all is asked for")
}

func TestAnObjectThatIsMissingComesWithAllThatIsItsOwn(t *testing.T) {
	tree := changed(t)
	for path := range tree {
		if strings.Contains(path, "/objects/TwilioSF_Watch__c/") {
			delete(tree, path)
		}
	}
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: tree})
	out, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
	require.NoError(t, err)
	require.Empty(t, out.After.Differences)
	all, err := metadata.Components()
	require.NoError(t, err)
	own := 0
	for _, c := range all {
		if c.Object() == "TwilioSF_Watch__c" {
			own++
		}
	}
	require.Equal(t, own+4, out.Deployed)
	require.Greater(t, own, 4, "fields, a layout, a list view, a tab")
}

func TestWhatIsOnlyHiddenIsOpenedWithoutADeployment(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{})
	setup := setupOf(t, s, orgsetup.Options{})
	_, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.NoError(t, err)
	for _, row := range slices.Collect(s.Rows("PermissionSetAssignment")) {
		require.NoError(t, s.Delete("PermissionSetAssignment", row["Id"].(string)))
	}
	r := diff(t, setup)
	require.Equal(t, orgsetup.Hidden, names(r)[message])
	require.Equal(t, orgsetup.NotAssigned, names(r)[set])
	w := &watcher{}
	out, err := setup.Deploy(t.Context(), w.order(orgsetup.Order{}))
	require.NoError(t, err)
	require.Empty(t, out.Remaining().Differences)
	require.Contains(t, w.asked[0], "Assign the permission set")
	require.Equal(t, 2, s.Deployments())
}

func TestAPermissionSetThatSomebodyHasCutDownIsDeployedAnew(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{})
	setup := setupOf(t, s, orgsetup.Options{})
	_, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.NoError(t, err)
	require.NoError(t, s.HideField(message, "Body__c", true))
	r := diff(t, setup)
	require.Equal(t, map[string]orgsetup.Kind{message + ".Body__c": orgsetup.Hidden}, names(r))
	require.Equal(t, orgsetup.ByDeploy, r.Differences[0].Cure)
	out, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.NoError(t, err)
	require.Equal(t, 4, out.Deployed, "the sets alone")
	require.Len(t, out.After.Differences, 1, "something else hides it here")
}

func TestADeploymentThatIsRefusedSaysWhyAndChangesNothing(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t, field("Message_SID__c"), "<unique>true</unique>", "<unique>false</unique>")})
	for range 2 {
		_, err := s.Insert(message, map[string]any{"Message_SID__c": "SM1"})
		require.NoError(t, err)
	}
	setup := setupOf(t, s, orgsetup.Options{})
	before := names(diff(t, setup))
	out, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.ErrorIs(t, err, orgsetup.ErrRefused)
	require.Len(t, out.Failures, 1)
	f := out.Failures[0]
	require.Equal(t, message+".Message_SID__c", f.Name)
	require.Equal(t, "objects/"+message+".object", f.File)
	require.Contains(t, f.Problem, "duplicate value found")
	require.Contains(t, f.Remedy, "Setup")
	require.Nil(t, out.After)
	require.Equal(t, before, names(diff(t, setup)))
	require.Equal(t, 1, s.Deployments(), "the check was enough")
}

func TestWhoMayNotDeployOrAssignIsToldWhatItTakes(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{NoModifyMetadata: true})
	_, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Contains(t, fault.Hint(err), "Modify Metadata")
	require.Zero(t, s.Deployments())

	s = salesforcetest.NewServer(salesforcetest.Options{})
	require.NoError(t, s.Restrict("PermissionSetAssignment", salesforcetest.Deny{Create: true}))
	out, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
	require.Contains(t, fault.Hint(err), "Assign Permission Sets")
	require.Positive(t, out.Deployed)
}

func TestACutConnectionWhileSalesforceWorksIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{DeployDelay: time.Minute})
		w := &watcher{}
		s.Script(salesforcetest.ResetBefore().On(salesforcetest.OpDeployState).Times(20))
		out, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), w.order(orgsetup.Order{}))
		require.NoError(t, err)
		require.Empty(t, out.After.Differences)
		require.Contains(t, strings.Join(w.said, "\n"), "goes on there")
		require.Zero(t, s.Pending())
		require.Equal(t, 2, s.Deployments())
	})
}

func TestASalesforceThatStaysAwayIsGivenUpWithTheIdToLookFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{})
		s.Script(salesforcetest.ResetBefore().On(salesforcetest.OpDeployState).Forever())
		began := time.Now()
		_, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
		require.ErrorContains(t, err, "0Af")
		require.ErrorContains(t, err, "Deployment Status")
		require.Less(t, time.Since(began), 12*time.Minute)
	})
}

func TestAStartWhoseAnswerIsLostIsNotMadeAgain(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{})
	var n atomic.Int32
	s.Script(salesforcetest.ResetAfter().When(func(r salesforcetest.Request) bool {
		return r.Operation == salesforcetest.OpDeployStart && n.Add(1) == 2 // the first only checks
	}))
	setup := setupOf(t, s, orgsetup.Options{})
	_, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.Equal(t, fault.Uncertain, fault.ClassOf(err))
	require.ErrorContains(t, err, "may have begun")
	require.Equal(t, 2, s.Deployments())
	out, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.NoError(t, err)
	require.Empty(t, out.Remaining().Differences, "the same command brings what is left: the permission set")
	require.Equal(t, 2, s.Deployments())
}

func TestAnInterruptedDeploymentIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{DeployDelay: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // in the second stage
		defer cancel()
		setup := setupOf(t, s, orgsetup.Options{})
		_, err := setup.Deploy(ctx, orgsetup.Order{})
		require.ErrorContains(t, err, "is canceled and changes nothing")
		time.Sleep(time.Hour)
		require.Equal(t, 2, s.Deployments())
		require.Equal(t, orgsetup.Missing, names(diff(t, setup))[message])
	})
}

func TestWhatIsCanceledInSetupIsSaidSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := salesforcetest.NewServer(salesforcetest.Options{DeployDelay: time.Minute})
		go func() {
			time.Sleep(10 * time.Second)
			s.CancelDeployments()
		}()
		_, err := setupOf(t, s, orgsetup.Options{}).Deploy(t.Context(), orgsetup.Order{})
		require.ErrorContains(t, err, "somebody has canceled")
	})
}
