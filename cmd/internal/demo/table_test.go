package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
)

var moment = snapshot{
	elapsed: 65 * time.Second, messages: 812, records: 809, lag: lag{N: 200, P50: 2440 * time.Millisecond, P95: 4910 * time.Millisecond},
	twilioCalls: 31, salesforceCalls: 27,
	statuses: []count{{message.Queued, 2}, {message.Sent, 11}, {message.Delivered, 402}, {message.Read, 38}, {message.Undelivered, 19}, {message.Received, 340}},
	latest: []latest{
		{inbound: true, status: "received", theirs: "+13105550142", text: "Perfect 🙏"},
		{status: "queued", theirs: "whatsapp:+12065550117", text: "Opening hours:\nMon-Fri 9-18\tSat 10-14"},
		{mirrored: true, status: "delivered", theirs: "+447700900042", text: "您好，您预约了周三上午9点半的门诊，请回复“是”确认。您好，您预约了周三上午9点半的门诊。"},
		{mirrored: true, inbound: true, status: "received", theirs: "+16175550133", text: "\u200fشكرًا\u200f indeed \x1b[2J"},
	},
}

// golden compares with a file; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestTheTableOnScreensOfDifferentWidths(t *testing.T) {
	for name, width := range map[string]int{"table_80.txt": 80, "table_120.txt": 120, "table_40.txt": 40} {
		t.Run(name, func(t *testing.T) {
			lines := moment.table(width)
			for _, line := range lines {
				require.Less(t, runewidth.StringWidth(line), width, line)
			}
			golden(t, name, strings.Join(lines, "\n")+"\n")
		})
	}
}

func TestTheTableShowsNoWholeNumberAndNoControls(t *testing.T) {
	all := strings.Join(moment.table(200), "\n")
	for _, l := range moment.latest {
		require.NotContains(t, all, strings.TrimPrefix(string(l.theirs), chat))
	}
	require.NotContains(t, all, "\x1b")
	require.NotContains(t, all, "\u200f")
}

func TestAPlainLineSaysTheSame(t *testing.T) {
	require.Equal(t, "01:05  812 messages in Twilio, 809 records in Salesforce, 3 waiting; lag p50 2.4s, p95 4.9s; API calls: Twilio 31, Salesforce 27", moment.plain())
	require.Contains(t, snapshot{elapsed: 2*time.Hour + 65*time.Second}.plain(), "2:01:05  0 messages")
	require.Contains(t, snapshot{}.plain(), "lag p50 -, p95 -")
}

func TestATerminalGetsATableThatIsDrawnOver(t *testing.T) {
	out, _, err := play(t, Options{For: 5 * time.Second, Terminal: true, Daemon: copyAll(nil)}, 0)
	require.NoError(t, err, out)
	frames := strings.Count(out, "\x1b[J")
	require.GreaterOrEqual(t, frames, 9, "two frames a second")
	require.Contains(t, out, "✓")
	require.Contains(t, out, "delivered")
	require.Contains(t, out, "0 lost, 0 duplicated, 0 stale")
	require.NotContains(t, out, "waiting;", "no plain lines between")
	require.NotRegexp(t, `\+1\d{10}`, out, "numbers are masked")
}
