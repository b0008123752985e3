package twiliotest_test

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// exactly is a life of one second a status, priced after a minute.
func exactly() twiliotest.Life {
	second := twiliotest.Span{Min: time.Second, Max: time.Second}
	return twiliotest.Life{Accepted: second, Queued: second, Sending: second, Sent: second,
		Priced: twiliotest.Span{Min: time.Minute, Max: time.Minute}}
}

// watch reads a message every half second and tells its statuses in order.
func watch(a *api, uri string, long time.Duration) []string {
	a.t.Helper()
	var seen []string
	for range long / (500 * time.Millisecond) {
		seen = append(seen, a.get(uri).text("status"))
		time.Sleep(500 * time.Millisecond)
	}
	return slices.Compact(seen)
}

func TestAMessageLivesThroughItsStatuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*twiliotest.Life)
		to     string
		want   []string
	}{
		{"delivered", func(*twiliotest.Life) {}, customer, []string{"accepted", "queued", "sending", "sent", "delivered"}},
		{"undelivered", func(l *twiliotest.Life) { l.Undelivered = 1 }, customer, []string{"accepted", "queued", "sending", "sent", "undelivered"}},
		{"failed", func(l *twiliotest.Life) { l.Failed = 1 }, customer, []string{"accepted", "queued", "sending", "failed"}},
		{"stuck", func(l *twiliotest.Life) { l.Stuck = 1 }, customer, []string{"accepted", "queued", "sending", "sent"}},
		{"read", func(l *twiliotest.Life) { l.Read = 1 }, "whatsapp:" + customer, []string{"accepted", "queued", "sending", "sent", "delivered", "read"}},
		{"SMS knows no read", func(l *twiliotest.Life) { l.Read = 1 }, customer, []string{"accepted", "queued", "sending", "sent", "delivered"}},
		{"still", func(l *twiliotest.Life) { l.Still = true }, customer, []string{"accepted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				life := exactly()
				c.change(&life)
				a := newAPI(t, twiliotest.Options{Life: life, Services: []twiliotest.Service{
					{SID: service, Senders: []string{ours, "whatsapp:" + ours}}}})
				_, m := a.create("To", c.to, "MessagingServiceSid", service, "Body", "x")
				require.Equal(t, c.want, watch(a, m.text("uri"), 10*time.Second))
			})
		})
	}
}

func TestWhatChangesBesidesTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, twiliotest.Options{Life: exactly()})
		created := time.Now()
		_, m := a.create("To", customer, "MessagingServiceSid", service, "Body", longBody)
		at := func(seconds int) string {
			return created.Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC1123Z)
		}

		time.Sleep(1500 * time.Millisecond) // queued: a sender has been chosen
		queued := a.get(m.text("uri"))
		require.NotNil(t, queued["from"])
		require.Equal(t, "2", queued["num_segments"])
		require.Nil(t, queued["date_sent"])
		require.Equal(t, at(1), queued["date_updated"])

		time.Sleep(2 * time.Second) // sent
		sent := a.get(m.text("uri"))
		require.Equal(t, at(3), sent["date_sent"])
		require.Nil(t, sent["price"])

		time.Sleep(time.Minute) // billed
		billed := a.get(m.text("uri"))
		require.Equal(t, "-0.01500", billed["price"])
		require.Equal(t, at(63), billed["date_updated"])
		require.Equal(t, at(3), billed["date_sent"])
		require.Equal(t, at(0), billed["date_created"])
	})
}

const longBody = "This text is a little longer than what fits into one SMS, so that two segments are needed: " +
	"one hundred and sixty septets are what a single message of the GSM alphabet can hold."

func TestASendToSomeoneBlockedFailsLaterWithAService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, twiliotest.Options{Life: exactly()})
		a.srv.Block(customer)
		_, m := a.create("To", customer, "MessagingServiceSid", service, "Body", "x")
		require.Equal(t, "accepted", m["status"])
		time.Sleep(2 * time.Second)
		failed := a.get(m.text("uri"))
		require.Equal(t, "failed", failed["status"])
		require.EqualValues(t, 21610, failed["error_code"])
		require.Nil(t, failed["date_sent"])
	})
}

func TestAnInboundMessageIsReceivedAndPriced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, twiliotest.Options{Life: exactly()})
		sid := a.srv.Receive(twiliotest.Inbound{From: customer, To: ours, Body: "x", Receiving: 2 * time.Second})
		uri := a.path("/Messages/" + sid + ".json")
		require.Equal(t, []any{"receiving", nil}, []any{a.get(uri)["status"], a.get(uri)["date_sent"]})
		time.Sleep(3 * time.Second)
		require.Equal(t, "received", a.get(uri)["status"])
		require.NotNil(t, a.get(uri)["date_sent"])
		require.Nil(t, a.get(uri)["price"])
		time.Sleep(time.Minute)
		require.Equal(t, "-0.00750", a.get(uri)["price"])
	})
}

func TestSharesAndSeeds(t *testing.T) {
	fates := func(seed uint64) (map[string]int, []string) {
		now := clock
		srv := twiliotest.NewServer(twiliotest.Options{Seed: seed, Now: func() time.Time { return now },
			Life: twiliotest.Life{Undelivered: 0.25, Failed: 0.25, Stuck: 0.25}})
		defer srv.Close()
		for range 2000 {
			srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
		}
		now = now.Add(time.Hour)
		count, sids := map[string]int{}, []string{}
		for row := range srv.Messages() {
			count[row.Status]++
			sids = append(sids, row.SID+row.Status)
			require.Equal(t, row.Status == "failed" || row.Status == "undelivered", row.ErrorCode != 0)
			require.Equal(t, row.Status == "failed", row.Sent.IsZero())
		}
		return count, sids
	}
	count, sids := fates(1)
	require.ElementsMatch(t, []string{"delivered", "failed", "sent", "undelivered"}, slices.Collect(maps.Keys(count)))
	for name, n := range count {
		require.InDelta(t, 500, n, 100, name)
	}
	_, again := fates(1)
	require.Equal(t, sids, again)
	_, other := fates(2)
	require.NotEqual(t, sids, other)
}

func TestDirectControl(t *testing.T) {
	now := clock
	srv := twiliotest.NewServer(twiliotest.Options{Now: func() time.Time { return now }})
	defer srv.Close()
	sid := srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x", Direction: "outbound-reply"})
	require.True(t, srv.SetStatus(sid, "undelivered", 30005))
	now = now.Add(time.Hour)
	row, ok := srv.Message(sid)
	require.True(t, ok)
	require.Equal(t, []any{"undelivered", 30005, "Unknown destination handset", "outbound-reply"},
		[]any{row.Status, row.ErrorCode, row.ErrorMessage, row.Direction})
	require.Equal(t, clock, row.Sent)

	require.True(t, srv.Update(sid, func(r *twiliotest.Row) { r.Price, r.ErrorCode, r.Status = "-0.02", 0, "delivered" }))
	row, _ = srv.Message(sid)
	require.Equal(t, []any{"-0.02000", "", "delivered", now}, []any{row.Price, row.ErrorMessage, row.Status, row.Updated})

	require.Equal(t, 1, srv.Len())
	require.True(t, srv.Delete(sid))
	require.False(t, srv.Delete(sid))
	require.False(t, srv.SetStatus(sid, "sent", 0))
	require.False(t, srv.Update(sid, func(*twiliotest.Row) {}))
	require.Equal(t, 0, srv.Len())
	_, ok = srv.Message(sid)
	require.False(t, ok)
}

func TestAnUpdateKeepsWhatIsToCome(t *testing.T) {
	now := clock
	srv := twiliotest.NewServer(twiliotest.Options{Life: exactly(), Now: func() time.Time { return now }})
	defer srv.Close()
	sid := srv.Send(twiliotest.Outbound{From: ours, To: customer, Body: "x"})
	require.True(t, srv.Update(sid, func(r *twiliotest.Row) { r.Body = "y" }))
	now = now.Add(time.Hour)
	row, _ := srv.Message(sid)
	require.Equal(t, []string{"y", "delivered"}, []string{row.Body, row.Status})
}

func TestSeedKeepsRowsAsTheyAre(t *testing.T) {
	srv := twiliotest.NewServer(at(twiliotest.Options{}, clock))
	defer srv.Close()
	want := twiliotest.Row{SID: "MM0123456789abcdef0123456789abcdef", From: customer, To: ours, Body: "hello", ServiceSID: service,
		Direction: "outbound-call", Status: "undelivered", Created: clock.Add(-time.Hour), Updated: clock, Sent: clock.Add(-time.Minute),
		Segments: 3, ErrorCode: 30006, ErrorMessage: "in other words", Price: "-1.23456",
		Media: []twiliotest.Media{{SID: "ME0123456789abcdef0123456789abcdef", ContentType: "text/vcard", Data: []byte("v")}}}
	require.Equal(t, []string{want.SID}, srv.Seed(want))
	got, ok := srv.Message(want.SID)
	require.True(t, ok)
	require.Equal(t, want, got)
	require.Panics(t, func() { srv.Seed(want) }, "its SID is taken")
	require.Panics(t, func() { srv.Seed(twiliotest.Row{Status: "lost"}) })
	require.Panics(t, func() { srv.Seed(twiliotest.Row{SID: "SM1"}) })
}
