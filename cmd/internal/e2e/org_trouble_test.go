package e2e_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
)

// An org is looked at again ten minutes after something was missing.
const lookedAtAgain = 15 * time.Minute

const fieldsDir = "force-app/main/default/objects/" + object + "/fields/"

// metadataWith is our metadata with one file changed; with "" it is left out.
func metadataWith(t *testing.T, path string, change func(string) string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	require.NoError(t, copyInto(fsys, metadata.FS))
	file, there := fsys[path]
	require.True(t, there, path)
	if text := change(string(file.Data)); text != "" {
		file.Data = []byte(text)
	} else {
		delete(fsys, path)
	}
	return fsys
}

// metadataWithout is our metadata without some objects.
func metadataWithout(t *testing.T, objects ...string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	require.NoError(t, copyInto(fsys, metadata.FS))
	for _, object := range objects {
		all := len(fsys)
		maps.DeleteFunc(fsys, func(path string, _ *fstest.MapFile) bool { return strings.Contains(path, "/objects/"+object+"/") })
		require.Less(t, len(fsys), all, object)
	}
	return fsys
}

func TestWhenTheOrgLacksSomethingTheStatusNamesIt(t *testing.T) {
	t.Parallel()
	noExternalID := metadataWith(t, fieldsDir+"Message_SID__c.field-meta.xml", func(s string) string {
		return replaced(t, s, "<externalId>true</externalId>", "<externalId>false</externalId>")
	})
	noBody := metadataWith(t, fieldsDir+"Body__c.field-meta.xml", func(string) string { return "" })
	other := metadataWithout(t, object, "TwilioSF_Media__c") // a detail goes with its master
	// Whoever does not want to wait until the org is looked at again reloads.
	deployed := func(w *world) { w.replaceOrg(salesforcetest.Options{}); w.reload <- struct{}{} }
	for _, c := range []trouble{
		{
			name: "without the object", sf: salesforcetest.Options{Schema: other},
			cause: func(*world) {}, cure: deployed,
			says: []string{object, "missing or hidden", "twiliosf org deploy"},
		},
		{
			name:  "with a hidden object",
			cause: func(w *world) { require.NoError(w.t, w.org.Restrict(object, salesforcetest.Deny{Read: true})) },
			cure:  func(w *world) { require.NoError(w.t, w.org.Restrict(object, salesforcetest.Deny{})) },
			says:  []string{object, "missing or hidden", "access to the object"},
		},
		{
			name:  "with an object that the user may not create",
			cause: func(w *world) { require.NoError(w.t, w.org.Restrict(object, salesforcetest.Deny{Create: true})) },
			cure: func(w *world) {
				require.NoError(w.t, w.org.Restrict(object, salesforcetest.Deny{}))
				w.reload <- struct{}{}
			},
			says: []string{object, "may not create and edit", "access to the object"},
		},
		{
			name: "without a required field", sf: salesforcetest.Options{Schema: noBody},
			cause: func(*world) {}, cure: deployed,
			says: []string{"Body__c is missing or hidden", "salesforce.objects"},
		},
		{
			name: "with several fields hidden, all of which are named",
			cause: func(w *world) {
				require.NoError(w.t, w.org.HideField(object, "From_Number__c", true))
				require.NoError(w.t, w.org.ReadOnlyField(object, "Status__c", true))
			},
			cure: func(w *world) {
				require.NoError(w.t, w.org.HideField(object, "From_Number__c", false))
				require.NoError(w.t, w.org.ReadOnlyField(object, "Status__c", false))
			},
			says: []string{"From_Number__c is missing or hidden", "Status__c is read-only"},
		},
		{
			name: "with a SID field that is no external id", sf: salesforcetest.Options{Schema: noExternalID},
			cause: func(*world) {}, cure: deployed,
			says: []string{"Message_SID__c must be an external id and unique"},
		},
	} {
		c.condition, c.severity, c.heals = "salesforce-access", health.Blocking, lookedAtAgain
		t.Run(c.name, c.run)
	}
}

func TestAnOptionalFieldThatIsHiddenIsLeftOutAndSaidSo(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		require.NoError(t, w.org.HideField(object, "Price__c", true))
		w.receive(5)
		w.start()
		w.until(time.Minute, 5*time.Second, "written", func() bool { return w.org.Count(object) == 5 })
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "salesforce-fields", all[0].Name)
		require.Equal(t, health.Notice, all[0].Severity)
		require.Contains(t, all[0].Cause, "Price__c")
		require.Contains(t, all[0].Remedy, "access")
		require.Equal(t, []string{"Price__c"}, w.status().MissingFields)
		require.True(t, w.status().Ready)
		require.True(t, w.compare().Clean(), "the emulated messages have no price yet")

		require.NoError(t, w.org.HideField(object, "Price__c", false))
		w.reload <- struct{}{} // or an hour's patience
		w.untilMirrored(time.Minute)
		require.Empty(t, w.status().MissingFields)
	})
}

// A field that is taken away while the daemon runs is found by the org's own
// refusal.
func TestAFieldThatIsHiddenWhileTheDaemonRunsHoldsUpItsMessagesAndLosesNone(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.receive(5)
		w.start()
		w.untilMirrored(time.Minute)
		require.NoError(t, w.org.HideField(object, "Body__c", true))
		w.receive(5)
		w.until(2*time.Minute, 5*time.Second, "noticed", func() bool { return len(w.conditions()) > 0 })
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "salesforce-access", all[0].Name)
		require.Contains(t, all[0].Cause, "Body__c")
		require.NoError(t, w.org.HideField(object, "Body__c", false))
		w.untilMirrored(lookedAtAgain)
		require.Zero(t, w.status().Counts.Quarantined)
	})
}
