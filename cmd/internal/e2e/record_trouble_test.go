package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

func (w *world) quarantine() []daemon.Quarantined {
	w.t.Helper()
	q, err := w.daemon.Client().Quarantine(w.t.Context())
	require.NoError(w.t, err)
	slices.SortFunc(q, func(a, b daemon.Quarantined) int { return strings.Compare(string(a.SID), string(b.SID)) })
	return q
}

// requireQuarantineNoted: the one condition there is tells of the quarantine.
func (w *world) requireQuarantineNoted() {
	w.t.Helper()
	all := w.conditions()
	require.Len(w.t, all, 1, "%v", all)
	require.Equal(w.t, "quarantine", all[0].Name)
	require.Equal(w.t, health.Notice, all[0].Severity)
	require.Contains(w.t, all[0].Remedy, "twiliosf quarantine list")
	require.True(w.t, w.status().Ready)
	w.requireNoLeak()
}

func TestARecordThatAValidationRuleRefusesIsListedAndRetriedAndHoldsUpNobody(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.org.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if body, _ := r["Body__c"].(string); strings.Contains(body, "forbidden") {
				return &salesforcetest.Refusal{
					Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Fields: []string{"Body__c"},
					Message: "We do not write this: " + body + " (from " + theirs + ")",
				}
			}
			return nil
		}).Forever())
		w.receive(20)
		refused := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: "these are forbidden fruits indeed"})
		w.receive(20)
		w.start()
		w.until(time.Minute, 5*time.Second, "the others written", func() bool { return w.org.Count(object) == 40 })
		w.requireQuarantineNoted()

		q := w.quarantine()
		require.Len(t, q, 1)
		require.Equal(t, message.SID(refused), q[0].SID)
		require.Equal(t, "FIELD_CUSTOM_VALIDATION_EXCEPTION", q[0].Refusal.Code)
		require.Equal(t, []string{"Body__c"}, q[0].Refusal.Fields)
		require.Contains(t, q[0].Refusal.Hint, "validation rule")
		require.Contains(t, q[0].Refusal.Message, "We do not write this", "what the admin wrote is kept, without the values")

		w.receive(20)
		w.until(4*time.Minute, 5*time.Second, "later ones written", func() bool { return w.org.Count(object) == 60 })

		h, err := w.daemon.Client().Retry(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, daemon.Handled{Messages: 1}, h)
		time.Sleep(10 * time.Second)
		require.Len(t, w.quarantine(), 1, "the rule is still there")
		w.requireQuarantineNoted()

		w.org.ClearFaults()
		_, err = w.daemon.Client().Retry(t.Context(), false, message.SID(refused))
		require.NoError(t, err)
		w.untilMirrored(2 * time.Minute)
		require.Empty(t, w.quarantine())
	})
}

func TestATextThatIsTooLongForTheFieldIsNamedButNeverShown(t *testing.T) {
	short := metadataWith(t, fieldsDir+"Body__c.field-meta.xml", func(s string) string {
		return replaced(t, s, "<length>32768</length>", "<length>300</length>")
	})
	inBubble(t, quiet(), salesforcetest.Options{Schema: short}, func(t *testing.T, w *world) {
		long := "The patient " + strings.Repeat("confides something to us ", 20)
		sid := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: long})
		w.receive(5)
		w.start()
		w.until(time.Minute, 5*time.Second, "the others written", func() bool { return w.org.Count(object) == 5 })
		w.requireQuarantineNoted()
		q := w.quarantine()
		require.Len(t, q, 1)
		require.Equal(t, message.SID(sid), q[0].SID)
		require.Equal(t, "STRING_TOO_LONG", q[0].Refusal.Code)
		require.Equal(t, []string{"Body__c"}, q[0].Refusal.Fields)
		require.Contains(t, q[0].Refusal.Hint, "make the field longer")
		for _, shown := range []string{text(q), text(w.status()), w.metrics()} {
			require.NotContains(t, shown, "patient")
			require.NotContains(t, shown, "confides")
		}
		h, err := w.daemon.Client().Drop(t.Context(), false, message.SID(sid), "SMnobody")
		require.NoError(t, err)
		require.Equal(t, daemon.Handled{Messages: 1, Unknown: []message.SID{"SMnobody"}}, h, "a slip beside it is named and spoils nothing")
		require.Empty(t, w.conditions(), "given up, it is nobody's trouble any more")
	})
}

func TestLockedRowsAreWrittenAfterTheStorm(t *testing.T) {
	t.Parallel()
	someRows := salesforcetest.LockRows(func(r map[string]any) bool {
		sid, _ := r["Message_SID__c"].(string)
		return strings.HasSuffix(sid, "0") || strings.HasSuffix(sid, "7")
	})
	for name, storm := range map[string]salesforcetest.Fault{"some rows": someRows, "whole calls": salesforcetest.Lock()} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
				w.org.Script(storm.Forever())
				w.receive(600)
				w.start()
				time.Sleep(3 * time.Minute)
				require.Empty(t, w.quarantine(), "a lock is no refusal")
				w.org.ClearFaults()
				w.untilMirrored(10 * time.Minute)
				require.Empty(t, w.quarantine())
			})
		})
	}
}

func TestALockThatLastsForAnHourIsSaidAndHealsByItself(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		locked := ""
		w.org.Script(salesforcetest.LockRows(func(r map[string]any) bool { return r["Message_SID__c"] == locked }).Forever())
		locked = w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential})
		w.receive(50)
		w.start()
		w.until(time.Hour, time.Minute, "said", func() bool { return len(w.conditions()) > 0 && w.conditions()[0].Name == "records-put-off" })
		require.Equal(t, 50, w.org.Count(object), "the others go on")
		c := w.conditions()[0]
		require.Contains(t, c.Cause, "UNABLE_TO_LOCK_ROW")
		require.Contains(t, c.Remedy, "locks")
		w.org.ClearFaults()
		w.untilMirrored(10 * time.Minute)
	})
}

func TestAFullOrgTakesChangesAndKeepsNewMessagesWaiting(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{StorageMB: 1}, func(t *testing.T, w *world) {
		sids := []string{}
		for i := range 5 {
			sids = append(sids, w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: fmt.Sprint(confidential, i)}))
		}
		w.start()
		w.untilMirrored(time.Minute)
		fill := []string{}
		for range 512 { // a megabyte of records
			id, err := w.org.Insert("Contact", map[string]any{"LastName": "Filler"})
			require.NoError(t, err)
			fill = append(fill, id)
		}
		w.receive(20)
		for _, sid := range sids {
			require.True(t, w.twilio.SetStatus(sid, "delivered", 0))
		}
		w.until(5*time.Minute, 5*time.Second, "changes written", func() bool { return w.compare().Stale == 0 && len(w.conditions()) > 0 })
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "salesforce-storage", all[0].Name)
		require.Contains(t, all[0].Cause, "STORAGE_LIMIT_EXCEEDED")
		require.Contains(t, all[0].Remedy, "storage")
		require.Equal(t, 20, w.compare().Lost)
		require.Empty(t, w.quarantine(), "nothing is wrong with these messages")
		for _, id := range fill {
			require.NoError(t, w.org.Delete("Contact", id))
		}
		w.org.EmptyRecycleBin()
		w.untilMirrored(15 * time.Minute)
	})
}
