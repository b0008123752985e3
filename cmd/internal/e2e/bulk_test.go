package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// slowCalls are an org whose calls take long enough for much to wait, and whose
// jobs take two minutes.
func slowCalls() salesforcetest.Options {
	return salesforcetest.Options{
		BulkDelay: 2 * time.Minute, BulkBatchRows: 500, BulkAbortLate: true,
		Latency: func(op salesforcetest.Operation) time.Duration {
			if op == salesforcetest.OpCollectionsUpsert {
				return 20 * time.Second
			}
			return 100 * time.Millisecond
		},
	}
}

func (w *world) bulkFrom1000() {
	w.change(func(s *settings) { s.org += "  bulk_threshold: 1000\n" })
}

func (w *world) jobs() int { return w.org.Calls().ByOperation[salesforcetest.OpIngestUpload] }

func TestALongHistoryIsWrittenByJobsAndBatchesAlike(t *testing.T) {
	inBubble(t, quiet(), slowCalls(), func(t *testing.T, w *world) {
		w.bulkFrom1000()
		w.history(5000, 20*time.Hour)
		w.start()
		w.untilMirrored(30 * time.Minute)
		require.Positive(t, w.jobs())
		require.Zero(t, w.compare().Duplicated)
		require.Empty(t, w.org.Ingests())
	})
}

// A daemon that is stopped while a job runs leaves it to the next one, which writes
// nothing before it has ended.
func TestAStopDuringAJobTakesNothingBack(t *testing.T) {
	inBubble(t, quiet(), slowCalls(), func(t *testing.T, w *world) {
		w.bulkFrom1000()
		w.history(5000, 20*time.Hour)
		w.start()
		w.until(20*time.Minute, time.Second, "a job runs", func() bool { return w.org.Ingests()["InProgress"] > 0 })
		require.Less(t, w.stop(), 20*time.Second)
		require.Equal(t, 1, w.org.Ingests()["InProgress"], "it goes on")
		w.start()
		w.untilMirrored(30 * time.Minute)
		require.Zero(t, w.compare().Duplicated)
		require.Empty(t, w.org.Ingests())
	})
}

func TestAnOrgWithoutBulkAPIIsWrittenInBatches(t *testing.T) {
	inBubble(t, quiet(), slowCalls(), func(t *testing.T, w *world) {
		w.bulkFrom1000()
		w.history(5000, 20*time.Hour)
		w.org.Script(salesforcetest.Answer(400, "application/json", `[{"errorCode":"FEATURENOTENABLED","message":"Bulk API 2.0 is not enabled"}]`).
			On(salesforcetest.OpIngestCreate).Forever())
		w.start()
		w.until(30*time.Minute, 15*time.Second, "mirrored", w.mirrored)
		require.Zero(t, w.jobs())
		found := false
		for _, c := range w.conditions() {
			found = found || c.Name == "salesforce-bulk"
		}
		require.True(t, found)
	})
}

func TestAJobThatSomebodyAbortsIsMadeUpFor(t *testing.T) {
	inBubble(t, quiet(), slowCalls(), func(_ *testing.T, w *world) {
		w.bulkFrom1000()
		w.history(5000, 20*time.Hour)
		w.start()
		w.until(20*time.Minute, time.Second, "a job runs", func() bool { return w.org.Ingests()["InProgress"] > 0 })
		w.org.AbortIngests()
		w.untilMirrored(30 * time.Minute)
	})
}
