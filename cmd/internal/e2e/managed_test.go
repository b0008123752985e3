package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	packaged  = "TwilioSF__Message__c"
	uniqueSID = "TwilioSF__Message_SID_Unique__c"
	copiedSID = "TwilioSF__Message_SID__c"
)

// packaging is an org with the managed package and none of our objects.
func packaging() salesforcetest.Options {
	return salesforcetest.Options{Schema: os.DirFS("../../../salesforce/salesforcetest/testdata/managed")}
}

// withPackage runs a test in which the org has the managed package.
func withPackage(t *testing.T, sf salesforcetest.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	inBubble(t, quiet(), sf, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.org += "  objects: managed\n" })
		test(t, w)
	})
}

// inPackage is how the package's picklist has Twilio's statuses.
var inPackage = map[string]string{
	"scheduled": "accepted", "accepted": "accepted", "queued": "queued", "sent": "sent", "delivered": "delivered", "undelivered": "undelivered",
	"failed": "failed", "canceled": "failed", "read": "delivered", "partially_delivered": "delivered",
}

// sentOut seeds n messages that somebody else has sent, in every status.
func (w *world) sentOut(n int) {
	statuses := []string{"accepted", "queued", "sent", "delivered", "undelivered", "failed", "canceled", "read", "partially_delivered", "scheduled"}
	from := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	w.twilio.SeedFunc(n, func(i int) twiliotest.Row {
		at := from.Add(time.Duration(i) * time.Minute)
		row := twiliotest.Row{
			From: ours, To: theirs, Body: fmt.Sprintf("%s number %d", confidential, i), Direction: "outbound-api",
			Status: statuses[i%len(statuses)], Created: at, Sent: at,
		}
		if row.Status == "scheduled" || row.Status == "accepted" {
			row.Sent = time.Time{}
		}
		return row
	}, nil)
}

// inPackageOnce says that each message has one record of the package's, with both SIDs
// and its status.
func (w *world) inPackageOnce() bool {
	n := 0
	for m := range w.twilio.Messages() {
		rows := w.org.ByKey(packaged, uniqueSID, m.SID)
		status, known := inPackage[m.Status]
		if !known {
			status = m.Status
		}
		if len(rows) != 1 || rows[0][copiedSID] != m.SID || rows[0]["TwilioSF__Status__c"] != status || rows[0]["TwilioSF__Body__c"] != m.Body {
			return false
		}
		n++
	}
	return n == w.org.Count(packaged) && w.status().Counts.Waiting == 0
}

func (w *world) untilInPackage() {
	w.t.Helper()
	w.until(10*time.Minute, 15*time.Second, "mirrored into the package's object", w.inPackageOnce)
	require.Empty(w.t, w.conditions())
}

func TestAnOrgWithTheManagedPackageGetsEachMessageOnceInItsOwnObject(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		w.sentOut(150)
		w.receive(50)
		w.start()
		w.untilInPackage()
		require.Equal(t, 200, w.org.Count(packaged))
		require.Empty(t, w.status().MissingFields)
		require.Equal(t, 1, w.logs.FilterMessageSnippet("left to the package").Len())

		w.twilio.Update(w.firstWith("scheduled"), func(r *twiliotest.Row) { r.Status, r.Sent, r.Updated = "canceled", time.Time{}, time.Now() })
		w.twilio.SetStatus(w.firstWith("queued"), "delivered", 0)
		w.stop()
		w.receive(3)
		w.start()
		w.untilInPackage()
		require.Equal(t, 203, w.org.Count(packaged))
		require.Zero(t, w.org.Calls().ByOperation[salesforcetest.OpCollectionsDelete])
	})
}

func TestRecordsThatThePackageHasMadeBecomeTheMessagesOwn(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		w.sentOut(60)
		made := map[string]string{} // by SID
		n := 0
		for m := range w.twilio.Messages() {
			values := map[string]any{copiedSID: m.SID, "TwilioSF__Status__c": "queued", "TwilioSF__Unread__c": true}
			n++
			if n%2 == 0 {
				values[uniqueSID] = m.SID // the newer ones
			}
			id, err := w.org.Insert(packaged, values)
			require.NoError(t, err)
			made[m.SID] = id
		}
		w.receive(5)
		w.start()
		w.untilInPackage()
		require.Equal(t, 65, w.org.Count(packaged), "none is made twice")
		for sid, id := range made {
			row, there := w.org.Row(packaged, id)
			require.True(t, there)
			require.Equal(t, sid, row[uniqueSID])
			require.Equal(t, true, row["TwilioSF__Unread__c"], "what is the users' stays theirs")
		}

		w.receive(1) // the package is quicker
		sid := w.firstWithout(made)
		id, err := w.org.Insert(packaged, map[string]any{copiedSID: sid, "TwilioSF__Unread__c": false})
		require.NoError(t, err)
		w.untilInPackage()
		require.Equal(t, 66, w.org.Count(packaged))
		row, _ := w.org.Row(packaged, id)
		require.Equal(t, sid, row[uniqueSID])
		require.Equal(t, false, row["TwilioSF__Unread__c"])
	})
}

// The package may take in a message at the very time at which we do.
func TestARecordThatThePackageMakesFirstIsUpdatedAndNotRefused(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		w.start()
		time.Sleep(5 * time.Minute)
		w.receive(1)
		sid := w.firstWith("received")
		var made atomic.Bool
		w.org.Script(salesforcetest.Refuse(func(map[string]any) *salesforcetest.Refusal {
			made.Store(true)
			return &salesforcetest.Refusal{Code: "DUPLICATE_VALUE", Message: "duplicate value found: " + uniqueSID + " duplicates value on record with id: a0x000000000001", Fields: []string{uniqueSID}}
		}).On(salesforcetest.OpCollectionsUpsert))
		id, err := w.org.Insert(packaged, map[string]any{uniqueSID: sid, copiedSID: sid, "TwilioSF__Status__c": "receiving"})
		require.NoError(t, err)
		w.untilInPackage()
		require.True(t, made.Load())
		row, _ := w.org.Row(packaged, id)
		require.Equal(t, "received", row["TwilioSF__Status__c"])
		require.Zero(t, w.status().Counts.Quarantined)
	})
}

func TestWhatThePackageSendsByIsLeftAlone(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		var foreign atomic.Int32 // requests that name objects or fields of ours
		w.org.OnRequest(func(r salesforcetest.Request) {
			text := r.Path + r.Query + string(r.Body)
			if strings.Contains(text, "TwilioSF_") && strings.Contains(strings.ReplaceAll(text, "TwilioSF__", ""), "TwilioSF_") || strings.Contains(text, "Last_Message_Status__c") {
				foreign.Add(1)
			}
		})
		_, err := w.org.Insert("Contact", map[string]any{"LastName": "Lovelace", "MobilePhone": theirs})
		require.NoError(t, err)
		w.sentOut(10)
		w.start()
		time.Sleep(time.Minute)
		draft, err := w.org.Insert(packaged, map[string]any{"TwilioSF__To_Number__c": theirs, "TwilioSF__Body__c": confidential})
		require.NoError(t, err)
		w.org.ResetCalls()
		w.receive(1)
		w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential, Media: pictures(2)})
		w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: "STOP"})
		time.Sleep(3 * time.Hour)
		require.Equal(t, 13, w.twilio.Len(), "nothing is sent")
		require.Equal(t, 1, w.org.Writes(packaged, draft))
		require.Equal(t, 14, w.org.Count(packaged))
		require.Empty(t, w.conditions())
		require.Zero(t, foreign.Load())
		require.NotEmpty(t, w.org.Calls().ByOperation[salesforcetest.OpComposite], "numbers are still looked at")
		require.LessOrEqual(t, w.org.Calls().ByOperation[salesforcetest.OpComposite], 3*12+1, "but nothing that is not there is asked for")
	})
}

func TestAPackageThatLacksWhatIsNeededStopsTheWritingWithItsName(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		require.NoError(t, w.org.ReadOnlyField(packaged, uniqueSID, true))
		require.NoError(t, w.org.HideField(packaged, "TwilioSF__Number_of_Media__c", true))
		w.receive(3)
		w.start()
		time.Sleep(5 * time.Minute)
		require.Zero(t, w.org.Count(packaged))
		all := w.conditions()
		require.Len(t, all, 1, "%v", all)
		require.Contains(t, all[0].Cause, uniqueSID+" is read-only")
		require.NotContains(t, all[0].Remedy, "org deploy")

		require.NoError(t, w.org.ReadOnlyField(packaged, uniqueSID, false))
		w.until(30*time.Minute, 15*time.Second, "mirrored", w.inPackageOnce)
		all = w.conditions()
		require.Len(t, all, 1, "%v", all)
		require.Equal(t, "salesforce-fields", all[0].Name)
		require.Equal(t, []string{"TwilioSF__Number_of_Media__c"}, w.status().MissingFields)
	})
}

func TestAFieldThatTheOrgHasAddedToThePackageIsNamedBesideThePreset(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		w.change(func(s *settings) {
			s.org = strings.Replace(s.org, "objects: managed", "objects: {preset: managed, message: {error_message: TwilioSF__API_Failure_Message__c}}", 1)
		})
		w.sentOut(10)
		w.twilio.SetStatus(w.firstWith("sent"), "undelivered", 30003)
		w.start()
		w.untilInPackage()
		said := 0
		for row := range w.org.Rows(packaged) {
			if row["TwilioSF__API_Failure_Message__c"] != nil {
				said++
			}
		}
		require.Positive(t, said)
	})
}

func TestThePackagesOrgIsNeitherComparedNorDeployedTo(t *testing.T) {
	withPackage(t, packaging(), func(t *testing.T, w *world) {
		cfg, err := w.load()
		require.NoError(t, err)
		_, err = daemon.OpenSetup(cfg, w.orgHTTP)
		var wrong *daemon.ConfigError
		require.ErrorAs(t, err, &wrong)
		require.ErrorContains(t, err, "the package brings its own objects")
	})
}

// firstWithout is the SID of a message that has no record yet.
func (w *world) firstWithout(made map[string]string) string {
	w.t.Helper()
	for m := range w.twilio.Messages() {
		if made[m.SID] == "" && len(w.org.ByKey(packaged, uniqueSID, m.SID)) == 0 {
			return m.SID
		}
	}
	w.t.Fatal("all have records")
	return ""
}

// firstWith is the SID of a message in a status.
func (w *world) firstWith(status string) string {
	w.t.Helper()
	for m := range w.twilio.Messages() {
		if m.Status == status {
			return m.SID
		}
	}
	w.t.Fatalf("no message is %s", status)
	return ""
}
