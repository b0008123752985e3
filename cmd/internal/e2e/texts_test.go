package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

const coreDocument = "twilio_api_v2010.yaml"

// realTexts are the bodies of the SMS Spam Collection, if it is on this machine.
func realTexts(t *testing.T) []string {
	t.Helper()
	document, err := openapitest.Spec(coreDocument)
	if errors.Is(err, openapitest.ErrNoDocument) {
		t.Skip("the texts are not on this machine: ", err)
	}
	require.NoError(t, err)
	shared := filepath.Dir(filepath.Dir(filepath.Dir(document)))
	data, err := os.ReadFile(filepath.Join(shared, "data", "SMSSpamCollection.tsv"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the texts are not on this machine: ", err)
	}
	require.NoError(t, err)
	var texts []string
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		label, body, found := strings.Cut(line, "\t")
		require.True(t, found, "line %d", i+1)
		if i > 0 {
			require.Contains(t, []string{"ham", "spam"}, label, "line %d", i+1)
			texts = append(texts, body)
		}
	}
	require.Len(t, texts, 5574)
	return texts
}

func TestRealTextsArriveByteForByteOverRealConnections(t *testing.T) {
	arriveOverTCP(t, realTexts(t), twiliotest.Switches{})
}

func TestTextsThatTortureArriveByteForByteOverRealConnections(t *testing.T) {
	t.Parallel()
	for name, sw := range map[string]twiliotest.Switches{"as UTF-8": {}, "as ASCII with escapes": {EscapeJSON: true}} {
		t.Run(name, func(t *testing.T) { arriveOverTCP(t, torture(), sw) })
	}
}

// stored is a text as Salesforce keeps it: blanks and controls at both ends go,
// nothing is null, and what no field can hold is replaced.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func stored(body string) any {
	body = strings.ReplaceAll(body, "\x00", "\uFFFD")
	for body != "" && body[0] <= ' ' {
		body = body[1:]
	}
	for body != "" && body[len(body)-1] <= ' ' {
		body = body[:len(body)-1]
	}
	if body == "" {
		return nil
	}
	return body
}

func arriveOverTCP(t *testing.T, bodies []string, sw twiliotest.Switches) {
	t.Helper()
	t.Parallel()
	w := newWorld(t, twiliotest.Options{Life: still, Switches: sw}, salesforcetest.Options{})
	defer w.close()
	require.NoError(t, w.twilio.Listen("127.0.0.1:0"))
	require.NoError(t, w.org.Listen("127.0.0.1:0"))
	faults := w.connect()
	newest := time.Now().Add(-time.Minute).Truncate(time.Second)
	want := map[string]any{}
	w.twilio.SeedFunc(len(bodies), func(i int) twiliotest.Row {
		at := newest.Add(time.Duration(i-len(bodies)) * 5 * time.Second)
		return twiliotest.Row{From: theirs, To: ours, Body: bodies[i], Created: at, Sent: at, Price: "-0.00750"}
	}, func(i int, sid string) { want[sid] = stored(bodies[i]) })

	w.start()
	require.Eventually(t, func() bool { return w.org.Count(object) >= len(bodies) && w.status().Counts.Waiting == 0 },
		20*time.Second, 100*time.Millisecond)
	require.Empty(t, faults(), "against Twilio's own document")
	got := map[string]any{}
	for r := range w.org.Rows(object) {
		sid, _ := r["Message_SID__c"].(string)
		require.NotContains(t, got, sid, "a second record")
		got[sid] = r["Body__c"]
	}
	require.Equal(t, want, got)
	require.True(t, w.compare().Clean(), "%v", w.compare().Examples)
	require.Empty(t, w.conditions())
	w.requireConsoleAndSocket()
}

// connect lets the daemon reach both emulators over TCP, and holds all that
// passes between it and Twilio against Twilio's document, if that is there.
func (w *world) connect() (faults func() []error) {
	w.t.Helper()
	w.change(func(s *settings) {
		s.address = "  base_url: " + w.twilio.URL + "\n"
		s.org = "  login_url: " + w.org.URL + "\n"
	})
	wire := &http.Transport{}
	w.t.Cleanup(wire.CloseIdleConnections)
	w.twilioHTTP, w.orgHTTP = wire, wire
	document, err := openapitest.Spec(coreDocument)
	if err != nil {
		require.ErrorIs(w.t, err, openapitest.ErrNoDocument)
		w.t.Log("not held against Twilio's document: ", err)
		return func() []error { return nil }
	}
	w.twilioHTTP, faults = openapitest.Validate(wire, document)
	return faults
}

// requireConsoleAndSocket asks as Prometheus, an orchestrator and the command
// line do.
func (w *world) requireConsoleAndSocket() {
	w.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, holds := range map[string]string{"/metrics": "twiliosf_mirror_messages_total", "/readyz": `"ready":true`, "/healthz": "alive"} {
		r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.daemon.ConsoleAddr()+path, http.NoBody)
		require.NoError(w.t, err)
		resp, err := client.Do(r)
		require.NoError(w.t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(w.t, err)
		require.NoError(w.t, resp.Body.Close())
		require.Equal(w.t, http.StatusOK, resp.StatusCode)
		require.Contains(w.t, string(body), holds)
		w.requireClean(path, string(body))
	}
	cfg, err := w.load()
	require.NoError(w.t, err)
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	over, err := daemon.Dial(ctx, cfg.ControlPath())
	require.NoError(w.t, err)
	s, err := over.Status(ctx)
	require.NoError(w.t, err)
	require.Equal(w.t, w.twilio.Len(), s.Counts.Messages)

}

func TestSendersThatAreNoNumbersAreKeptAsTheyAre(t *testing.T) {
	senders := []string{
		"", "+", "++1", "Anonymous", "ANON", "5550123", "266696687", "12345", "whatsapp:+14155550123", "whatsapp:",
		"messenger:12345678901234", "rcs:brand_agent", "client:joe", "+1415555012312345678901", "Joe's Café", "+1 (415) 555-0123", "  ", "unknown\x00",
	}
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		for i, from := range senders {
			at := time.Now().Add(-time.Duration(i) * time.Second)
			w.twilio.Seed(twiliotest.Row{From: from, To: ours, Body: fmt.Sprint(confidential, i), Created: at, Sent: at})
			w.twilio.Seed(twiliotest.Row{From: ours, To: from, Body: confidential, Direction: "outbound-api", Status: "failed", Created: at, ErrorCode: 21211})
		}
		w.start()
		w.untilMirrored(time.Minute)
		require.Equal(t, 2*len(senders), w.org.Count(object))
		require.Zero(t, w.logs.FilterMessage("condition").Len(), "they are nobody's trouble")
		got := map[any]bool{}
		for r := range w.org.Rows(object) {
			if r["Direction__c"] == "inbound" {
				require.Equal(t, r["From_Number__c"], r["Their_Number__c"])
			}
			got[r["From_Number__c"]] = true
		}
		for _, from := range senders {
			require.True(t, got[stored(from)], "%q", from)
		}
	})
}
