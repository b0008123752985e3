package twilio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

const flow = twiliotest.DefaultFlowSID

// byStudiosDocument holds every exchange against Studio's OpenAPI document,
// where it is on this machine.
func byStudiosDocument(t *testing.T) func(*twilio.Options) {
	t.Helper()
	file, err := openapitest.Spec("twilio_studio_v2.yaml")
	return func(o *twilio.Options) {
		if errors.Is(err, openapitest.ErrNoDocument) {
			return
		}
		require.NoError(t, err)
		rt, faults := openapitest.Validate(o.HTTP, file)
		o.HTTP = rt
		t.Cleanup(func() { require.Empty(t, faults()) })
	}
}

func TestAFlowIsStartedAndFollowed(t *testing.T) {
	now := time.Now()
	o := quiet()
	o.Now = func() time.Time { return now }
	srv := twiliotest.NewServer(o)
	acc := emulated(t, srv, byStudiosDocument(t))
	const parameters = `{"order": 12345678901234567890, "note": "a < b & c", "1": ["ü"]}`
	sid, status, err := acc.Execute(t.Context(), flow, customer, ours, parameters)
	require.NoError(t, err)
	require.Equal(t, "active", status)
	require.JSONEq(t, parameters, srv.Executions()[0].Parameters)
	require.Contains(t, srv.Executions()[0].Parameters, "12345678901234567890", "not a digit is lost")

	_, _, err = acc.Execute(t.Context(), flow, customer, ours, "")
	require.Equal(t, fault.Permanent, fault.ClassOf(err), "one at a time")
	require.Equal(t, "20409", fault.CodeOf(err))

	now = now.Add(twiliotest.DefaultExecution)
	status, err = acc.Execution(t.Context(), flow, sid)
	require.NoError(t, err)
	require.Equal(t, "ended", status)

	_, _, err = acc.Execute(t.Context(), flow, customer, service, "")
	require.NoError(t, err, "from a service, without parameters")
	require.Empty(t, srv.Executions()[1].Parameters)
	require.Empty(t, srv.Unknown())
}

func TestWhatCannotBeAnExecutionAsksNobody(t *testing.T) {
	srv := twiliotest.NewServer(quiet())
	acc := emulated(t, srv)
	for _, c := range []struct {
		name, flow, to, from, parameters string
	}{
		{"no flow", "", customer, ours, ""},
		{"a flow that leads elsewhere", "FW/../../../2010-04-01/Accounts", customer, ours, ""},
		{"nobody", flow, "", ours, ""},
		{"no sender", flow, customer, "", ""},
		{"addresses that are too long", flow, strings.Repeat("9", 290), ours, ""},
		{"no JSON", flow, customer, ours, "name=Anna"},
		{"half an object", flow, customer, ours, `{"name":`},
		{"two objects", flow, customer, ours, `{} {}`},
		{"a list", flow, customer, ours, `["Anna"]`},
		{"an object in quotes", flow, customer, ours, `"{}"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := acc.Execute(t.Context(), c.flow, c.to, c.from, c.parameters)
			require.Equal(t, fault.Permanent, fault.ClassOf(err), "%v", err)
			require.NotEmpty(t, fault.Hint(err))
		})
	}
	for _, sid := range []string{"", "FN/../..", sid(1)} {
		_, err := acc.Execution(t.Context(), flow, sid)
		require.Equal(t, fault.Permanent, fault.ClassOf(err))
	}
	require.Zero(t, srv.Calls().Total)
}

func TestAStartedFlowIsClassedAsACreateIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		flow   string
		fault  twiliotest.Fault
		class  fault.Class
		starts int
	}{
		{"an unknown flow", "FW00000000000000000000000000000000", twiliotest.Latency(0), fault.Permanent, 0},
		{"no connection", flow, twiliotest.Unreachable(), fault.Transient, 0},
		{"reset before", flow, twiliotest.ResetBefore(), fault.Uncertain, 0},
		{"reset after", flow, twiliotest.ResetAfter(), fault.Uncertain, 1},
		{"an internal error", flow, twiliotest.InternalError(), fault.Uncertain, 0},
		{"a gateway's page", flow, twiliotest.HTML(http.StatusBadGateway).Processed(), fault.Uncertain, 1},
		{"half an answer", flow, twiliotest.CutBody(), fault.Uncertain, 1},
		{"half its JSON", flow, twiliotest.TruncatedJSON(), fault.Uncertain, 1},
		{"too many", flow, twiliotest.Throttle(1), fault.Throttled, 0},
		{"revoked", flow, twiliotest.Revoked(), fault.Auth, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := twiliotest.NewServer(quiet())
			srv.Script(c.fault)
			sid, status, err := emulated(t, srv).Execute(t.Context(), c.flow, customer, ours, "{}")
			require.Equal(t, c.class.String(), fault.ClassOf(err).String(), "%v", err)
			require.Empty(t, sid+status)
			require.Len(t, srv.Executions(), c.starts)
			require.Equal(t, 1, srv.Calls().Total, "once")
		})
	}
}

func TestTheStatusOfAnExecutionIsAskedForAgain(t *testing.T) {
	srv := twiliotest.NewServer(quiet())
	acc := emulated(t, srv)
	sid, _, err := acc.Execute(t.Context(), flow, customer, ours, "")
	require.NoError(t, err)
	srv.Script(twiliotest.Unavailable(), twiliotest.ResetBefore())
	status, err := acc.Execution(t.Context(), flow, sid)
	require.NoError(t, err)
	require.Equal(t, "active", status)
	_, err = acc.Execution(t.Context(), flow, "FN00000000000000000000000000000000")
	require.Equal(t, "20404", fault.CodeOf(err))
}
