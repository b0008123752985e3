package twilio_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	customer = "+14155550199"
	ours     = "+14155550100"
	service  = twiliotest.DefaultServiceSID
)

func quiet() twiliotest.Options { return twiliotest.Options{Life: twiliotest.Life{Still: true}} }

func TestACreateGivesTheMessageThatTheAccountHolds(t *testing.T) {
	o := quiet()
	o.Senders = append(twiliotest.DefaultSenders(), "whatsapp:+14155550101")
	now := time.Now().Truncate(time.Second)
	o.Now = func() time.Time { return now }
	srv := twiliotest.NewServer(o)
	acc := emulated(t, srv, validated(t))
	for name, out := range map[string]message.Outgoing{
		"a text":              {To: customer, From: ours, Body: "Hi \"Anna\"\n☺ 😀 & 50 % + <more>", Callback: "https://crm.example.com/twilio?ref=a1.b2"},
		"pictures":            {To: customer, From: ours, Body: "look", Media: []string{"https://example.com/a.jpg", "https://example.com/b.pdf"}},
		"a picture alone":     {To: customer, From: ours, Media: []string{"https://example.com/a.jpg"}},
		"by a service":        {To: customer, Service: service, Body: "hi"},
		"out of its pool":     {To: customer, Service: service, From: "+14155550101", Body: "hi out of the pool"},
		"a WhatsApp template": {To: "whatsapp:" + customer, From: "whatsapp:+14155550101", Content: "HX00000000000000000000000000000001", Values: `{"1":"Anna"}`},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := acc.Create(t.Context(), out)
			require.NoError(t, err)
			row, there := srv.Message(string(m.SID))
			require.True(t, there)
			same(t, row, m)
			require.Equal(t, out.Body, m.Body)
			require.Equal(t, out.To, m.To)
			require.Equal(t, len(out.Media), m.Media)
			require.Equal(t, out.Service, m.ServiceSID)
			if out.From != "" {
				require.Equal(t, out.From, m.From)
			}
			require.Equal(t, 1, srv.Accepted()[twiliotest.Sent{To: string(out.To), Body: out.Body}])
		})
	}
	require.Empty(t, srv.Unknown())
}

func TestARefusedCreateSaysWhatToDo(t *testing.T) {
	srv := twiliotest.NewServer(quiet())
	srv.Block("+14155550198")
	srv.RefuseTo("+14155550197", 21635)
	acc := emulated(t, srv)
	for _, c := range []struct {
		name string
		out  message.Outgoing
		code string
		hint string
	}{
		{"an empty body", message.Outgoing{To: customer, From: ours}, "21602", "Fill in a text"},
		{"a long body", message.Outgoing{To: customer, From: ours, Body: strings.Repeat("x", 1601)}, "21617", "Shorten"},
		{"no number", message.Outgoing{To: "Anna", From: ours, Body: "x"}, "21211", "Check the number"},
		{"an unknown sender", message.Outgoing{To: customer, From: "+14155550177", Body: "x"}, "21606", "Check the sender"},
		{"a sender outside the pool", message.Outgoing{To: customer, From: "+447700900123", Service: service, Body: "x"}, "21606", "Check the sender"},
		{"an unknown service", message.Outgoing{To: customer, Service: "MG00000000000000000000000000000009", Body: "x"}, "21705", "Check the sender"},
		{"opted out", message.Outgoing{To: "+14155550198", From: ours, Body: "x"}, "21610", "START"},
		{"a landline", message.Outgoing{To: "+14155550197", From: ours, Body: "x"}, "21635", "Check the number"},
		{"a medium that is no URL", message.Outgoing{To: customer, From: ours, Media: []string{"a.jpg"}}, "21620", "address"},
		{"too many media", message.Outgoing{To: customer, From: ours, Media: strings.Split(strings.Repeat("https://example.com/a.jpg ", 11), " ")[:11]}, "21623", "at most ten"},
		{"a callback with an underscore", message.Outgoing{To: customer, From: ours, Body: "x", Callback: "https://my_crm.example.com/"}, "21609", "public_url"},
		{"a template that is none", message.Outgoing{To: customer, From: ours, Content: "Welcome"}, "21655", "template"},
		{"variables that are no object", message.Outgoing{To: customer, From: ours, Content: "HX00000000000000000000000000000001", Values: `["Anna"]`}, "21656", "JSON object"},
		{"two channels", message.Outgoing{To: "whatsapp:" + customer, From: ours, Body: "x"}, "21910", "whatsapp:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := acc.Create(t.Context(), c.out)
			require.Equal(t, fault.Permanent, fault.ClassOf(err), "%v", err)
			require.Equal(t, c.code, fault.CodeOf(err))
			require.Contains(t, fault.Hint(err), c.hint)
			require.NotEmpty(t, fault.Words(err))
		})
	}
	require.Empty(t, srv.Accepted())
}

// The promise that all of the outbox stands on: what Create says agrees with
// what the account has done, in whatever weather.
func TestEveryCreateTellsWhatBecameOfIt(t *testing.T) {
	o := quiet()
	o.Seed = 11
	o.Weather = []twiliotest.Chance{
		{P: 0.15, Fault: twiliotest.ResetAfter()}, {P: 0.15, Fault: twiliotest.ResetBefore()},
		{P: 0.1, Fault: twiliotest.Unreachable()}, {P: 0.05, Fault: twiliotest.CutBody()}, {P: 0.05, Fault: twiliotest.TruncatedJSON()},
		{P: 0.05, Fault: twiliotest.InternalError().Processed()}, {P: 0.05, Fault: twiliotest.InternalError()},
		{P: 0.05, Fault: twiliotest.HTML(http.StatusBadGateway).Processed()}, {P: 0.05, Fault: twiliotest.Throttle(1)},
		{P: 0.05, Fault: twiliotest.Revoked()}, {P: 0.05, Fault: twiliotest.HTML(http.StatusCreated).Processed()},
	}
	srv := twiliotest.NewServer(o)
	acc := emulated(t, srv)
	seen := map[fault.Class]int{}
	for i := range 2000 {
		out := message.Outgoing{To: customer, From: ours, Body: fmt.Sprint("message ", i)}
		_, err := acc.Create(t.Context(), out)
		sent := srv.Accepted()[twiliotest.Sent{To: customer, Body: out.Body}]
		class := fault.ClassOf(err)
		seen[class]++
		switch class {
		case fault.Uncertain:
			require.LessOrEqual(t, sent, 1)
		case 0:
			require.Equal(t, 1, sent)
		default:
			require.Zero(t, sent, "%v", err)
		}
	}
	require.Equal(t, 2000, srv.Calls().ByOperation[twiliotest.CreateMessage], "one request each")
	for _, class := range []fault.Class{0, fault.Transient, fault.Throttled, fault.Auth, fault.Uncertain} {
		require.NotZero(t, seen[class], class)
	}
}

// The same over sockets that are reset, with connections that are used again.
func TestOverRealConnectionsNoCreateGoesTwice(t *testing.T) {
	const creates = 400
	o := quiet()
	o.Seed = 3
	o.Weather = []twiliotest.Chance{{P: 0.3, Fault: twiliotest.ResetAfter()}, {P: 0.3, Fault: twiliotest.ResetBefore()}}
	srv := twiliotest.NewServer(o)
	require.NoError(t, srv.Listen("127.0.0.1:0"))
	t.Cleanup(srv.Close)
	acc := emulated(t, srv, func(o *twilio.Options) { o.HTTP = nil })
	var senders sync.WaitGroup
	classes := make([]fault.Class, creates)
	for worker := range 8 {
		senders.Go(func() {
			for i := worker; i < creates; i += 8 {
				_, err := acc.Create(context.Background(), message.Outgoing{To: customer, From: ours, Body: fmt.Sprint("message ", i)})
				classes[i] = fault.ClassOf(err)
			}
		})
	}
	senders.Wait()
	uncertain := 0
	for i, class := range classes {
		sent := srv.Accepted()[twiliotest.Sent{To: customer, Body: fmt.Sprint("message ", i)}]
		if class == fault.Uncertain {
			uncertain++
			require.LessOrEqual(t, sent, 1)
			continue
		}
		require.Zero(t, class)
		require.Equal(t, 1, sent)
	}
	require.InDelta(t, 0.6*creates, uncertain, 60)
	require.Equal(t, creates, srv.Calls().Total)
}

func TestASendDoesNotWaitForALongBackfill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := quiet()
		o.Latency = time.Second
		srv := twiliotest.NewServer(o)
		for range 200 {
			srv.Receive(twiliotest.Inbound{From: customer, To: ours, Body: "old"})
		}
		acc := emulated(t, srv)
		ctx, cancel := context.WithCancel(t.Context())
		var days sync.WaitGroup
		for range 100 { // far more than twilio.concurrency
			days.Go(func() {
				_ = acc.Walk(ctx, mirror.Window{PageSize: 10}, func([]message.Message) (bool, error) { return true, nil })
			})
		}
		synctest.Wait()
		start := time.Now()
		_, err := acc.Create(t.Context(), message.Outgoing{To: customer, From: ours, Body: "now"})
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start), 2*time.Second)
		cancel()
		days.Wait()
	})
}

// sentTo are the SIDs that Outgoing finds.
func sentTo(t *testing.T, list func(context.Context, message.SentQuery, func([]message.Message) (bool, error)) error, q message.SentQuery) (sids []string) {
	t.Helper()
	require.NoError(t, list(t.Context(), q, func(rows []message.Message) (bool, error) {
		for _, m := range rows {
			sids = append(sids, string(m.SID))
		}
		return true, nil
	}))
	return sids
}

func TestWhatWasSentToANumberIsFound(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for name, switches := range map[string]twiliotest.Switches{
		"usual":        {},
		"nulls on top": {NullsOnTop: true, EmptyLastPage: true},
		"refused ones": {DateRefused: true, NullDates: twiliotest.NullsByCreated},
	} {
		t.Run(name, func(t *testing.T) {
			o := quiet()
			o.Switches = switches
			srv := twiliotest.NewServer(o)
			out := func(to, status string, created, sent time.Time) twiliotest.Row {
				return twiliotest.Row{From: ours, To: to, Direction: "outbound-api", Status: status, Created: created, Sent: sent}
			}
			var rows []twiliotest.Row
			for range 350 { // pages of them, and without a date_sent
				rows = append(rows, out(customer, "canceled", ago(500), time.Time{}))
			}
			rows = append(rows, out(customer, "delivered", ago(90), ago(90)))
			srv.Seed(rows...)
			sids := srv.Seed(
				out(customer, "delivered", ago(20), ago(19)), out(customer, "queued", ago(15), time.Time{}), out(customer, "failed", ago(10), time.Time{}),
			)
			stranger := srv.Seed(out("+14155550198", "delivered", ago(5), ago(5)))
			srv.Seed(twiliotest.Row{From: customer, To: ours, Created: ago(4), Sent: ago(4)})
			srv.Receive(twiliotest.Inbound{From: customer, To: customer, Body: "to myself"})

			acc := emulated(t, srv, validated(t))
			require.ElementsMatch(t, sids, sentTo(t, acc.Outgoing, message.SentQuery{To: customer, Since: ago(30)}))
			require.ElementsMatch(t, append(stranger, sids...), sentTo(t, acc.Outgoing, message.SentQuery{Since: ago(30)}))
			require.Empty(t, srv.Unknown())
		})
	}
}

func TestALookUpReadsNoMoreThanItMust(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	srv := twiliotest.NewServer(quiet())
	srv.SeedFunc(5000, func(i int) twiliotest.Row {
		at := now.Add(time.Duration(i-5000) * time.Minute)
		return twiliotest.Row{From: ours, To: customer, Direction: "outbound-api", Created: at, Sent: at}
	}, nil)
	acc := emulated(t, srv)
	require.Len(t, sentTo(t, acc.Outgoing, message.SentQuery{To: customer, Since: now.Add(-30 * time.Minute)}), 30)
	require.EqualValues(t, 1+1, acc.Calls(), "the second page lies before the time as a whole")

	before := acc.Calls()
	require.NoError(t, acc.Outgoing(t.Context(), message.SentQuery{To: customer}, func([]message.Message) (bool, error) { return false, nil }))
	require.Equal(t, before+1, acc.Calls(), "enough is enough")
}

func TestSendersAreNumbersCodesAndPools(t *testing.T) {
	o := quiet()
	o.Services = append(twiliotest.DefaultServices(), twiliotest.Service{
		SID: "MG00000000000000000000000000000002", FriendlyName: "Campaigns", Senders: []string{"55501", "ACME", "whatsapp:+14155550100", "+18005550199"},
	})
	srv := twiliotest.NewServer(o)
	all, err := emulated(t, srv).Senders(t.Context())
	require.NoError(t, err)
	kinds := map[message.Number]message.SenderKind{}
	for _, s := range all.Numbers {
		kinds[s.Number] = s.Kind
		require.True(t, s.SMS, s.Number)
		require.Equal(t, s.Number != "+447700900123", s.MMS, s.Number)
		require.Len(t, s.SID, 34)
	}
	require.Equal(t, map[message.Number]message.SenderKind{
		"+14155550100": message.LongCode, "+14155550101": message.LongCode, "+12125550123": message.LongCode,
		"+447700900123": message.LongCode, "+18005550199": message.TollFree, "55501": message.ShortCode,
	}, kinds)
	require.Len(t, all.Services, 2)
	require.Equal(t, []message.Number{"+14155550100", "+14155550101", "+12125550123"}, all.Services[0].Pool)
	require.Equal(t, "Campaigns", all.Services[1].Name)
	require.Equal(t, []message.Number{"+18005550199", "55501", "ACME", "whatsapp:+14155550100"}, all.Services[1].Pool)
	require.Equal(t, 3+2*4, srv.Calls().Total)
	require.Empty(t, srv.Unknown())

	srv.Script(twiliotest.Revoked().On(twiliotest.ListPool))
	_, err = emulated(t, srv).Senders(t.Context())
	require.Equal(t, fault.Auth, fault.ClassOf(err))
}

func TestAPoolOfMoreThanAPageIsReadWhole(t *testing.T) {
	o := quiet()
	o.Numbers, o.Services = nil, []twiliotest.Service{{SID: service}}
	for i := range 1500 {
		phone := fmt.Sprintf("+1415556%04d", i)
		o.Numbers = append(o.Numbers, twiliotest.Number{Phone: phone})
		o.Services[0].Senders = append(o.Services[0].Senders, phone)
	}
	all, err := emulated(t, twiliotest.NewServer(o)).Senders(t.Context())
	require.NoError(t, err)
	require.Len(t, all.Numbers, 1501, "and the short code")
	require.Len(t, all.Services[0].Pool, 1500)
}

// What nobody has classed the outbox would have to look up.
func TestACreateThatWasGivenUpBeforeItsTurnHasNotHappened(t *testing.T) {
	acc := emulated(t, twiliotest.NewServer(quiet()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := acc.Create(ctx, message.Outgoing{To: customer, From: ours, Body: "x"})
	require.NotNil(t, fault.Of(err), "%v", err)
	require.Equal(t, fault.Transient, fault.Of(err).Class)
}
