package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// heights are the statuses in the order in which a message has them.
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
var heights = map[string]int{
	"scheduled": 1, "accepted": 1, "receiving": 1, "queued": 2, "sending": 3, "sent": 4,
	"delivered": 5, "undelivered": 5, "failed": 5, "canceled": 5, "partially_delivered": 5, "received": 5, "read": 6,
}

// watch looks at each write that the org gets, whether it is answered or not.
type watch struct {
	mu       sync.Mutex
	statuses map[string][]string // by SID, in the order of the writes
	faults   []string
}

func watchWrites(org *salesforcetest.Server) *watch {
	h := &watch{statuses: map[string][]string{}}
	org.OnRequest(func(r salesforcetest.Request) {
		if r.Operation == salesforcetest.OpCollectionsUpsert {
			h.look(r.Body)
		}
	})
	return h
}

func (h *watch) look(body []byte) {
	var sent struct {
		Records []struct {
			SID    string `json:"Message_SID__c"`
			Status string `json:"Status__c"`
		} `json:"records"`
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := json.Unmarshal(body, &sent); err != nil {
		h.faults = append(h.faults, err.Error())
	}
	inCall := map[string]bool{}
	for _, r := range sent.Records {
		before := h.statuses[r.SID]
		if len(before) > 0 && heights[r.Status] < heights[before[len(before)-1]] {
			h.faults = append(h.faults, fmt.Sprintf("%s falls from %s to %s", r.SID, before[len(before)-1], r.Status))
		}
		if inCall[r.SID] {
			h.faults = append(h.faults, r.SID+" is twice in one call")
		}
		inCall[r.SID] = true
		h.statuses[r.SID] = append(before, r.Status)
	}
}

func (h *watch) requireOrder(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Empty(t, h.faults)
	require.NotEmpty(t, h.statuses)
}

func TestStatusesAndPricesEndTrueAndNeverGoBack(t *testing.T) {
	tw := twiliotest.Options{Seed: 3, Life: twiliotest.Life{
		Accepted: twiliotest.Span{Min: 5 * time.Second, Max: 40 * time.Second},
		Queued:   twiliotest.Span{Min: 5 * time.Second, Max: 40 * time.Second},
		Sending:  twiliotest.Span{Min: 5 * time.Second, Max: 40 * time.Second},
		Sent:     twiliotest.Span{Min: 5 * time.Second, Max: 3 * time.Minute},
		Priced:   twiliotest.Span{Min: 20 * time.Second, Max: 4 * time.Minute},

		Undelivered: 0.1, Failed: 0.1, Stuck: 0.05, Read: 0.5,
	}}
	sf := salesforcetest.Options{Seed: 3, Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, tw, sf, func(t *testing.T, w *world) {
		seen := watchWrites(w.org)
		w.twilioHTTP = &late{next: w.twilioHTTP}
		w.change(func(s *settings) { s.sync = "  full_every: 1m\n  refresh_every: 5m\n  start: 1d\n" })
		// Writes whose answers are lost, and rows that come late, are where a
		// status could fall back.
		w.org.Chance(0.1, salesforcetest.ResetAfter())
		w.org.Chance(0.1, salesforcetest.LockRows(func(r map[string]any) bool { return fmt.Sprint(r["Message_SID__c"])[33] < '4' }))
		w.start()
		for i := range 120 {
			w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: fmt.Sprint(confidential, i)})
			w.twilio.Send(twiliotest.Outbound{ServiceSID: twiliotest.DefaultServiceSID, To: theirs, Body: fmt.Sprint(confidential, i)})
			w.twilio.Send(twiliotest.Outbound{From: "whatsapp:" + ours, To: "whatsapp:" + theirs, Body: fmt.Sprint(confidential, i)})
			time.Sleep(2 * time.Second)
		}
		w.org.ClearFaults()
		w.until(20*time.Minute, 30*time.Second, "mirrored", func() bool { return w.mirrored() && settledDown(w) })
		seen.requireOrder(t)
		ends := map[any]int{}
		for r := range w.org.Rows(object) {
			ends[r["Status__c"]]++
			if r["Status__c"] != "failed" {
				require.NotNil(t, r["Price__c"], "a price that came later")
			}
		}
		for _, status := range []string{"delivered", "undelivered", "failed", "sent", "read"} {
			require.NotZero(t, ends[status], "%v", ends)
		}
		for _, status := range []string{"accepted", "queued", "sending"} {
			require.Zero(t, ends[status], "%v", ends)
		}
		steps := 0
		for _, s := range seen.statuses {
			steps = max(steps, len(slices.Compact(s)))
		}
		require.GreaterOrEqual(t, steps, 3, "statuses were seen on their way")
	})
}

// late brings every third page of the list so late that another sweep has seen
// newer states meanwhile.
type late struct {
	next http.RoundTripper
	n    atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil && l.n.Add(1)%3 == 0 {
		wait := time.NewTimer(25 * time.Second)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
		}
	}
	return resp, err
}

// settledDown: nothing more will happen to the account's messages.
func settledDown(w *world) bool {
	for m := range w.twilio.Messages() {
		if heights[m.Status] < 4 || (m.Price == "" && m.Status != "failed") {
			return false
		}
	}
	return true
}

func TestARedactedBodyIsClearedAndADeletedMessageKeepsItsRecord(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.receive(10)
		redacted := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential + " to be taken back"})
		deleted := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: confidential + " to be deleted"})
		open := w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: confidential + " deleted on its way"})
		w.start()
		w.untilMirrored(time.Minute)

		require.True(t, w.twilio.Update(redacted, func(r *twiliotest.Row) { r.Body = "" }))
		require.True(t, w.twilio.Delete(deleted))
		require.True(t, w.twilio.Delete(open))
		w.until(5*time.Minute, 15*time.Second, "cleared", func() bool { return w.compare().Stale == 0 })
		row := func(sid string) map[string]any {
			rows := w.org.ByKey(object, "Message_SID__c", sid)
			require.Len(t, rows, 1)
			return rows[0]
		}
		require.Nil(t, row(redacted)["Body__c"])
		require.Contains(t, row(deleted)["Body__c"], "to be deleted")
		w.change(func(s *settings) { s.sync += "  refresh_every: 5m\n" })
		w.reload <- struct{}{}
		w.until(15*time.Minute, time.Minute, "given up", func() bool { return w.status().Counts.Open == 0 })
		require.Equal(t, "queued", row(open)["Status__c"], "what Twilio said last")
		require.Empty(t, w.conditions())
		require.Equal(t, 13, w.org.Count(object))
	})
}
