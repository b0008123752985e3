package demo

import (
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// latestShown is how many of the newest messages the table shows.
const latestShown = 5

// snapshot is what the viewer is told at one moment.
type snapshot struct {
	elapsed                      time.Duration
	messages, records            int
	lag                          lag
	twilioCalls, salesforceCalls int
	statuses                     []count
	latest                       []latest
}

// count is how many messages have a status.
type count struct {
	status message.Status
	n      int
}

// latest is one of the newest messages.
type latest struct {
	mirrored, inbound bool
	status            string
	theirs            message.Number
	text              string
}

// order is how statuses are shown: as a message goes through them.
var order = []message.Status{
	message.Accepted, message.Scheduled, message.Queued, message.Sending, message.Sent, message.Delivered, message.Read,
	message.Undelivered, message.Failed, message.Canceled, message.Receiving, message.Received,
}

func countStatuses(rows iter.Seq[twiliotest.Row]) []count {
	by := map[string]int{}
	for row := range rows {
		by[row.Status]++
	}
	var list []count
	for _, status := range order {
		if n := by[string(status)]; n > 0 {
			list = append(list, count{status, n})
		}
	}
	return list
}

func latestOf(row *twiliotest.Row, mirrored bool) latest {
	l := latest{mirrored: mirrored, inbound: row.Direction == "inbound", status: row.Status, theirs: message.Number(row.To), text: row.Body}
	if l.inbound {
		l.theirs = message.Number(row.From)
	}
	return l
}

// waiting is how many messages have no record yet.
func (s snapshot) waiting() int { return max(0, s.messages-s.records) }

// table is a frame, each line at most width columns wide.
func (s snapshot) table(width int) []string {
	lines := []string{
		fmt.Sprintf("  %-22s %8s", "running for", clock(s.elapsed)),
		fmt.Sprintf("  %-22s %8d", "messages in Twilio", s.messages),
		fmt.Sprintf("  %-22s %8d", "records in Salesforce", s.records),
		fmt.Sprintf("  %-22s %8d", "waiting", s.waiting()),
		fmt.Sprintf("  %-22s %8s   p95 %s", "lag of new, p50", short(s.lag, s.lag.P50), short(s.lag, s.lag.P95)),
		fmt.Sprintf("  %-22s %8d   Salesforce %d", "API calls, Twilio", s.twilioCalls, s.salesforceCalls),
		"",
	}
	lines = append(lines, s.statusLines(width)...)
	lines = append(lines, "")
	for _, l := range s.latest {
		lines = append(lines, l.line())
	}
	for i, line := range lines {
		lines[i] = runewidth.Truncate(line, width-1, "…")
	}
	return lines
}

// statusLines sets the statuses side by side, as many as fit.
func (s snapshot) statusLines(width int) []string {
	const column = 22
	perLine := max(1, (width-1)/column)
	var lines []string
	for i, c := range s.statuses {
		if i%perLine == 0 {
			lines = append(lines, "")
		}
		lines[len(lines)-1] += fmt.Sprintf("  %-12s %6d ", c.status, c.n)
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// line is "✓ in  +1415•••0100  received  text", and … while there is no record.
func (l latest) line() string {
	mark, way := "…", "out"
	if l.mirrored {
		mark = "✓"
	}
	if l.inbound {
		way = "in"
	}
	return fmt.Sprintf("  %s %-3s %-22s %-11s %s", mark, way, phone.Mask(l.theirs), l.status, visible(l.text))
}

// visible is a text on one line, without what a terminal would act on.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		default:
			return r
		}
	}, text)
}

// plain is the same on one line, for logs and pipes.
func (s snapshot) plain() string {
	return fmt.Sprintf("%s  %d messages in Twilio, %d records in Salesforce, %d waiting; lag p50 %s, p95 %s; API calls: Twilio %d, Salesforce %d",
		clock(s.elapsed), s.messages, s.records, s.waiting(), short(s.lag, s.lag.P50), short(s.lag, s.lag.P95), s.twilioCalls, s.salesforceCalls)
}

// clock is "01:05", and "2:01:05" after an hour.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// short is "2.4s", or "-" when nothing was measured.
func short(l lag, d time.Duration) string {
	if l.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
