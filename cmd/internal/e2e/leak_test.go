package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/twiliosf/twiliosf/sync/console"
	"github.com/twiliosf/twiliosf/sync/health"
)

// confidential begins the bodies of the messages that tests make.
const confidential = "Confidential words"

// secrets are what must never be shown, beside bodies and numbers.
type secrets struct{ texts []string }

func (s *secrets) add(texts ...string) { s.texts = append(s.texts, texts...) }

// addKey adds the lines of a private key.
func (s *secrets) addKey(pem []byte) {
	for line := range strings.Lines(string(pem)) {
		if line = strings.TrimSpace(line); len(line) > 40 {
			s.texts = append(s.texts, line)
		}
	}
}

// sessionToken is the form of an org's session: its id, an exclamation mark and
// the secret.
var sessionToken = regexp.MustCompile(`00D[0-9A-Za-z]{12}!`)

// requireNoLeak reads all that the running daemon shows: log, status,
// quarantine, metrics (P8).
func (w *world) requireNoLeak() {
	w.t.Helper()
	client := w.daemon.Client()
	status, err := client.Status(w.t.Context())
	require.NoError(w.t, err)
	quarantine, err := client.Quarantine(w.t.Context())
	require.NoError(w.t, err)
	w.requireClean("status", text(status))
	w.requireClean("quarantine", text(quarantine))
	w.requireClean("metrics", w.metrics())
	w.requireNoLeakInLog()
}

func (w *world) requireNoLeakInLog() {
	w.t.Helper()
	var all strings.Builder
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	for _, e := range w.logs.All() {
		line, err := encoder.EncodeEntry(e.Entry, e.Context)
		require.NoError(w.t, err)
		all.Write(line.Bytes())
	}
	w.requireClean("log", all.String())
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// metrics is the answer of /metrics.
func (w *world) metrics() string {
	rec := httptest.NewRecorder()
	h := console.New(w.daemon, health.New(zap.NewNop(), nil))
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Equal(w.t, http.StatusOK, rec.Code)
	return rec.Body.String()
}

// mostChecked is how many messages are looked for in what is shown.
const mostChecked = 400

func (w *world) requireClean(where, shown string) {
	w.t.Helper()
	hidden := append([]string{confidential}, w.secrets.texts...)
	each := w.twilio.Len()/mostChecked + 1
	n := 0
	for m := range w.twilio.Messages() {
		n++
		if n%each != 0 {
			continue
		}
		hidden = append(hidden, tellingPart(m.Body), bareNumber(m.From), bareNumber(m.To))
	}
	seen := map[string]bool{"": true}
	for _, h := range hidden {
		if seen[h] {
			continue
		}
		seen[h] = true
		if at := strings.Index(shown, h); at >= 0 {
			w.t.Fatalf("%s shows %q: %s", where, h, shown[max(0, at-200):min(len(shown), at+200)])
		}
	}
	require.NotRegexp(w.t, sessionToken, shown, where)
}

// tellingPart is a piece of a body that stands for nothing else, as JSON writes
// it: what needs an escape is left out.
func tellingPart(body string) string {
	for part := range strings.FieldsFuncSeq(body, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&' }) {
		if part = strings.TrimSpace(part); len(part) >= 12 {
			return part[:min(len(part), 60)]
		}
	}
	return ""
}

// bareNumber is a number's digits, "" of what has fewer than seven.
func bareNumber(number string) string {
	digits := strings.TrimPrefix(number, "+")
	if len(digits) < 7 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return digits
}
