package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const publicURL = "https://sms.example.com/twilio"

// toDaemon carries Twilio's calls to the daemon that runs, in process.
type toDaemon struct{ *world }

// RoundTrip implements http.RoundTripper.
func (d toDaemon) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &reply{header: http.Header{}}
	d.daemon.Webhook().ServeHTTP(answer, r)
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, Body: io.NopCloser(strings.NewReader(answer.body.String())),
		ContentLength: int64(answer.body.Len()), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// reply is an http.ResponseWriter in memory.
type reply struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *reply) Header() http.Header               { return r.header }
func (r *reply) WriteHeader(status int)            { r.status = status }
func (r *reply) Write(b []byte) (n int, err error) { return r.body.Write(b) }

// call lets the account call the daemon until the returned function is called.
func (w *world) call(trouble twiliotest.Webhook) (hangUp func()) {
	w.t.Helper()
	w.change(func(s *settings) {
		s.account += "  auth_token: " + w.twilio.AuthToken + "\n  webhook: {public_url: " + publicURL + "}\n"
	})
	trouble.URL, trouble.Via = publicURL, toDaemon{w}
	w.twilio.SetWebhook(trouble)
	ctx, cancel := context.WithCancel(context.Background())
	var calling sync.WaitGroup
	calling.Go(func() { w.twilio.Run(ctx) })
	return func() {
		cancel()
		calling.Wait()
	}
}

func TestAMessageIsARecordWithinASecondOfItsWebhook(t *testing.T) {
	sf := salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, quiet(), sf, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.sync = "  active_every: 5m\n  full_every: 15m\n  start: 1d\n" })
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(time.Minute)
		for i := range 20 {
			before := w.org.Count(object)
			in := w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: fmt.Sprint(confidential, i)})
			out := w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: fmt.Sprint(confidential, i)})
			w.twilio.SetStatus(out, "sent", 0)
			time.Sleep(time.Second)
			require.Equal(t, before+2, w.org.Count(object))
			row := w.org.ByKey(object, "Message_SID__c", in)[0]
			require.Equal(t, fmt.Sprint(confidential, i), row["Body__c"])
			require.Equal(t, "inbound", row["Direction__c"])
			require.Equal(t, "sent", w.org.ByKey(object, "Message_SID__c", out)[0]["Status__c"])
			w.twilio.SetStatus(out, "undelivered", 30003)
			time.Sleep(time.Second)
			row = w.org.ByKey(object, "Message_SID__c", out)[0]
			require.Equal(t, "undelivered", row["Status__c"])
			require.Equal(t, "30003", row["Error_Code__c"])
		}
		calls := w.twilio.WebhookCalls()
		require.Equal(t, calls.Made, calls.Accepted, "%+v", calls)
		require.Zero(t, calls.Replies, "nobody is texted an answer")
		w.untilMirrored(20 * time.Minute) // a sweep corrects the dates
	})
}

func TestWebhooksThatAreLostLateAndTwiceLeaveTheMirrorTrue(t *testing.T) {
	tw := twiliotest.Options{Seed: 11, Life: twiliotest.Life{
		Accepted: twiliotest.Span{Max: 3 * time.Second}, Queued: twiliotest.Span{Max: 3 * time.Second}, Sending: twiliotest.Span{Max: 3 * time.Second},
		Sent: twiliotest.Span{Max: 20 * time.Second}, Priced: twiliotest.Span{Max: time.Minute},
		Undelivered: 0.1, Failed: 0.1, Stuck: 0.05, Read: 0.5,
	}}
	sf := salesforcetest.Options{Seed: 11, Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, tw, sf, func(t *testing.T, w *world) {
		w.durable = true
		seen := watchWrites(w.org)
		w.org.Chance(0.1, salesforcetest.ResetAfter())
		hangUp := w.call(twiliotest.Webhook{Lost: 0.2, Twice: 0.2, Late: 0.3, Delay: 30 * time.Second})
		defer hangUp()
		w.start()
		for i := range 150 {
			w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: fmt.Sprint(confidential, i)})
			w.twilio.Send(twiliotest.Outbound{From: ours, To: theirs, Body: fmt.Sprint(confidential, i)})
			w.twilio.Send(twiliotest.Outbound{ServiceSID: twiliotest.DefaultServiceSID, To: theirs, Body: fmt.Sprint(confidential, i)})
			w.twilio.Send(twiliotest.Outbound{From: "whatsapp:" + ours, To: "whatsapp:" + theirs, Body: fmt.Sprint(confidential, i)})
			time.Sleep(time.Duration(i%4) * 300 * time.Millisecond)
			if i == 60 {
				w.stop() // and nobody answers the phone for a while
				time.Sleep(5 * time.Second)
				w.start()
			}
		}
		w.org.ClearFaults()
		w.until(20*time.Minute, 30*time.Second, "mirrored", func() bool { return w.mirrored() && settledDown(w) })
		seen.requireOrder(t)
		require.Equal(t, w.twilio.Len(), w.status().Counts.Messages, "one row a message")
		calls := w.twilio.WebhookCalls()
		require.Greater(t, calls.Accepted, 1000, "%+v", calls)
		require.Positive(t, calls.Lost)
	})
}

func TestAForgedCallChangesNothing(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(time.Minute)
		body := "MessageSid=SM00000000000000000000000000000001&From=%2B14155550123&To=%2B14155550100&SmsStatus=received&Body=" +
			"Free+money&AccountSid=" + w.twilio.AccountSID
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, publicURL, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", "L/OH5YylLD5NRKLltdqwSvS0BnU=")
		resp, err := toDaemon{w}.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
		time.Sleep(time.Minute)
		require.Zero(t, w.org.Count(object))
	})
}
