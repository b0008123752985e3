package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// Twilio lists each create that a full queue refuses as a failed message, and it is
// tried again once a minute at least.
func TestASenderWhoseQueueIsFullMakesNoSecondRecords(t *testing.T) {
	inBubble(t, brisk(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.twilio.RefuseTo("+14155550177", 21611)
		w.start()
		time.Sleep(20 * time.Second)
		record := w.asks("hello")
		time.Sleep(30 * time.Minute)
		row, _ := w.org.Row(object, record)
		require.Equal(t, "Send", row["Status__c"], "it waits")
		require.Equal(t, 1, w.org.Count(object), "Twilio lists %d refused creates", w.twilio.Len())
	})
}
