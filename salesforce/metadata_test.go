package salesforce_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func bundle(t *testing.T) []byte {
	t.Helper()
	zip, err := metadata.Bundle()
	require.NoError(t, err)
	return zip
}

// emptyOrg is an org without objects of ours.
func emptyOrg(t *testing.T, change ...func(*salesforcetest.Options)) (*salesforcetest.Server, *salesforce.Org) {
	t.Helper()
	var o salesforcetest.Options
	for _, c := range change {
		c(&o)
	}
	s := salesforcetest.NewServer(o)
	return s, orgAt(t, s)
}

func TestMetadataIsCheckedDeployedAndOpenedToTheUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, org := emptyOrg(t, func(o *salesforcetest.Options) { o.DeployDelay = 40 * time.Second })
		ctx := t.Context()
		all, err := metadata.Components()
		require.NoError(t, err)
		var ended []salesforce.Deployment
		for _, only := range []bool{true, false} {
			id, err := org.StartDeploy(ctx, bundle(t), salesforce.DeployOptions{CheckOnly: only})
			require.NoError(t, err)
			d, err := org.DeployState(ctx, id)
			require.NoError(t, err)
			require.Equal(t, salesforce.Deployment{ID: id, Status: "Pending", Total: len(all)}, d)
			time.Sleep(30 * time.Second)
			d, err = org.DeployState(ctx, id)
			require.NoError(t, err)
			require.Equal(t, "InProgress", d.Status)
			require.Positive(t, d.Deployed)
			time.Sleep(10 * time.Second)
			d, err = org.DeployState(ctx, id)
			require.NoError(t, err)
			ended = append(ended, d)
			exists, _, err := org.PermissionSetAssigned(ctx, metadata.IntegrationSet, "005000000000001AAA")
			require.NoError(t, err)
			require.Equal(t, !only, exists)
		}
		for _, d := range ended {
			require.True(t, d.Done && d.Succeeded, "%+v", d)
			require.Equal(t, len(all), d.Deployed)
		}
		who, err := org.Identity(ctx)
		require.NoError(t, err)
		_, err = org.Describe(ctx, "TwilioSF_Message__c")
		require.Equal(t, salesforce.CodeNotFound, fault.CodeOf(err))
		fields, err := org.DefinedFields(ctx, "TwilioSF_Message__c")
		require.NoError(t, err)
		require.Contains(t, fields, "Message_SID__c")
		for range 2 {
			require.NoError(t, org.AssignPermissionSet(ctx, metadata.IntegrationSet, who.UserID), "the second time it is there")
			exists, assigned, err := org.PermissionSetAssigned(ctx, metadata.IntegrationSet, who.UserID)
			require.NoError(t, err)
			require.True(t, exists && assigned)
		}
		o, err := org.Describe(ctx, "TwilioSF_Message__c")
		require.NoError(t, err)
		require.True(t, o.Createable)
		fields, err = org.DefinedFields(ctx, "Nobody__c")
		require.NoError(t, err)
		require.Empty(t, fields)
	})
}

func TestADeploymentThatFailsNamesWhatIsWrong(t *testing.T) {
	_, org := emptyOrg(t)
	zip, err := metadata.Part(func(c metadata.Component) bool { return c.Type == "PermissionSet" })
	require.NoError(t, err)
	id, err := org.StartDeploy(t.Context(), zip, salesforce.DeployOptions{})
	require.NoError(t, err)
	d, err := org.DeployState(t.Context(), id)
	require.NoError(t, err)
	require.True(t, d.Done)
	require.False(t, d.Succeeded)
	require.Len(t, d.Failures, d.Errors)
	f := d.Failures[0]
	require.Equal(t, "PermissionSet", f.Type)
	require.True(t, strings.HasPrefix(f.File, "permissionsets/TwilioSF_"), f.File)
	require.Contains(t, f.Problem, "found")
	require.Positive(t, f.Line)
}

func TestADeploymentIsCanceledWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emptyOrg(t, func(o *salesforcetest.Options) { o.DeployDelay = time.Minute })
		id, err := org.StartDeploy(t.Context(), bundle(t), salesforce.DeployOptions{})
		require.NoError(t, err)
		require.NoError(t, org.CancelDeploy(t.Context(), id))
		d, err := org.DeployState(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, "Canceled", d.Status)
		require.True(t, d.Done)
		require.Error(t, org.CancelDeploy(t.Context(), id))
		require.Equal(t, 1, s.Deployments())
	})
}

func TestWhoMayNotDeployIsToldWhatItTakes(t *testing.T) {
	s, org := emptyOrg(t, func(o *salesforcetest.Options) { o.NoModifyMetadata, o.NoViewSetup = true, true })
	_, err := org.StartDeploy(t.Context(), bundle(t), salesforce.DeployOptions{})
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Contains(t, fault.Hint(err), "Modify Metadata Through Metadata API Functions")
	_, err = org.DefinedFields(t.Context(), "Contact")
	require.Equal(t, fault.Auth, fault.ClassOf(err))

	err = org.AssignPermissionSet(t.Context(), "Nobody", "005000000000001AAA")
	require.Equal(t, salesforce.CodeNotFound, fault.CodeOf(err))
	_, err = s.Insert("PermissionSet", map[string]any{"Name": "Some", "Label": "Some"})
	require.NoError(t, err)
	require.NoError(t, s.Restrict("PermissionSetAssignment", salesforcetest.Deny{Create: true}))
	err = org.AssignPermissionSet(t.Context(), "Some", "005000000000001AAA")
	require.Contains(t, fault.Hint(err), "Assign Permission Sets")
}

func TestADeploymentWhoseAnswerIsLostIsNotAskedForAgainUnlessItOnlyChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, org := emptyOrg(t)
		_, err := org.Identity(t.Context())
		require.NoError(t, err)
		s.Script(salesforcetest.ResetAfter().On(salesforcetest.OpDeployStart))
		_, err = org.StartDeploy(t.Context(), bundle(t), salesforce.DeployOptions{})
		require.Equal(t, fault.Uncertain, fault.ClassOf(err))
		require.Equal(t, 1, s.Deployments())

		s.Script(salesforcetest.ResetAfter().On(salesforcetest.OpDeployStart))
		_, err = org.StartDeploy(t.Context(), bundle(t), salesforce.DeployOptions{CheckOnly: true})
		require.NoError(t, err)
		require.Equal(t, 3, s.Deployments())
	})
}

func TestTheStateIsReadAsTheOrgAndAsTheManualWriteIt(t *testing.T) {
	for name, body := range map[string]string{
		"numbers": `{"id":"0Af1","deployResult":{"status":"Failed","done":true,"numberComponentsDeployed":3,"numberComponentsTotal":5,"numberComponentErrors":2,` +
			`"errorMessage":null,"details":{"componentFailures":[{"componentType":"CustomField","fullName":"A.B__c","fileName":"objects/A.object","problem":"no","lineNumber":7,"columnNumber":null}]}}}`,
		"texts": `{"id":"0Af1","deployResult":{"status":"Failed","done":"true","numberComponentsDeployed":"3","numberComponentsTotal":"5","numberComponentErrors":"2",` +
			`"details":{"componentFailures":[{"componentType":"CustomField","fullName":"A.B__c","fileName":"objects/A.object","problem":"no","lineNumber":"7"}]}}}`,
	} {
		org := newOrg(t, always(ok(body)))
		d, err := org.DeployState(t.Context(), "0Af1")
		require.NoError(t, err, name)
		require.Equal(t, salesforce.Deployment{
			ID: "0Af1", Status: "Failed", Done: true, Deployed: 3, Total: 5, Errors: 2,
			Failures: []salesforce.ComponentFailure{{Type: "CustomField", Name: "A.B__c", File: "objects/A.object", Line: 7, Problem: "no"}},
		}, d, name)
	}
	for status, done := range map[string]bool{"FinalizingDeploy": false, "Canceling": false, "SucceededPartial": true, "Canceled": true} {
		d, err := newOrg(t, always(ok(`{"deployResult":{"status":"`+status+`"}}`))).DeployState(t.Context(), "0Af1")
		require.NoError(t, err)
		require.Equal(t, done, d.Done, status)
		require.False(t, d.Succeeded, status)
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := newOrg(t, always(ok(`{"deployResult":null}`))).DeployState(t.Context(), "0Af1")
		require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err))
		_, err = newOrg(t, always(ok(`{"id":null}`))).StartDeploy(t.Context(), nil, salesforce.DeployOptions{})
		require.Equal(t, fault.Uncertain, fault.ClassOf(err))
	})
	org := newOrg(t, always(ok(`{}`)))
	for _, id := range []string{"", "../x", "0Af1?x=y"} {
		_, err := org.DeployState(t.Context(), id)
		require.Equal(t, fault.Permanent, fault.ClassOf(err), id)
		require.Equal(t, fault.Permanent, fault.ClassOf(org.CancelDeploy(t.Context(), id)), id)
	}
}
