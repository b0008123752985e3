package followup

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// line is one kind's way. Only Run touches it.
type line struct {
	kind message.FollowUpKind
	doer Doer
	most int // follow-ups a batch, at most
	size int // and at present

	due      time.Time // of its next turn
	held     time.Time // no turn before
	looked   time.Time // when it was found to have nothing to do
	counted  time.Time
	pause    *backoff.ExponentialBackOff
	failures int // batches in a row that failed

	waits   bool // the condition of what waits is raised
	stuck   bool // and that by follow-ups, not by the last batch
	refused map[string]bool
	since   time.Time // of the last refusal
}

func newLine(kind message.FollowUpKind, doer Doer) *line {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, time.Minute
	most := BatchSize
	if few, ok := doer.(Limiter); ok {
		most = max(1, min(most, few.Limit()))
	}
	return &line{kind: kind, doer: doer, most: most, size: most, pause: pause, refused: map[string]bool{}}
}

// bringForward lets a line that was woken have its turn, unless it is held.
func (l *line) bringForward(now time.Time) {
	at := now
	for _, notBefore := range []time.Time{l.held, l.looked.Add(lookEvery)} {
		if notBefore.After(at) {
			at = notBefore
		}
	}
	if at.Before(l.due) {
		l.due = at
	}
}

// hold leaves the line alone until a time, whoever wakes it.
func (l *line) hold(until time.Time) { l.held, l.due = until, until }

// taken notes that a batch was taken as a whole.
func (l *line) taken() {
	l.pause.Reset()
	l.failures = 0
	l.size = min(l.most, l.size*2)
}

// slow notes that a batch failed, though none of it is to blame.
func (l *line) slow() {
	l.size = min(l.size, max(l.size/2, smallest))
	l.failures++
}

// The names of a kind's two conditions.
func (l *line) refusedName() string { return string(l.kind) + "-refused" }
func (l *line) waitsName() string   { return string(l.kind) + "-waits" }

// words are the kinds in an operator's words.
var words = map[message.FollowUpKind]string{
	message.FollowMedia:  "media of messages",
	message.FollowStatus: "last statuses on Contacts and Leads",
	message.FollowOptIn:  "opt-ins",
	message.FollowMember: "campaign members",
}

func (l *line) words() string {
	if w := words[l.kind]; w != "" {
		return w
	}
	return string(l.kind)
}

// condWaits tells that follow-ups wait, and why.
func (l *line) condWaits(err error) health.Condition {
	return health.Condition{
		Name: l.waitsName(), Severity: health.Notice,
		Cause:  "The " + l.words() + " wait; messages go on. " + err.Error(),
		Remedy: cmp.Or(fault.Hint(err), "Nothing to do unless it lasts: they are tried again, and nothing is lost."),
	}
}

// condRefused tells that follow-ups were given up. It names each code once, so
// that it does not change with every record.
func (l *line) condRefused(err error) health.Condition {
	code := cmp.Or(fault.CodeOf(err), "no code")
	l.refused[code] = true
	l.since = time.Now()
	return health.Condition{
		Name: l.refusedName(), Severity: health.Notice,
		Cause: "Some " + l.words() + " were refused for good and given up (" +
			strings.Join(slices.Sorted(maps.Keys(l.refused)), ", ") + "); their messages are not touched.",
		Remedy: cmp.Or(fault.Hint(err), "The log names the records: look at what the org requires of them."),
	}
}

// refusalLasts is how long the condition of what was given up stays: nothing
// waits whose end could end it.
const refusalLasts = 24 * time.Hour

// empty ends the condition of what waits, for nothing does.
func (l *line) empty(h *health.Registry) {
	if l.waits {
		h.Clear(l.waitsName())
		l.waits, l.stuck = false, false
	}
}

// forget ends the condition of what was given up when nothing was for long.
func (l *line) forget(h *health.Registry) {
	if len(l.refused) > 0 && time.Since(l.since) >= refusalLasts {
		h.Clear(l.refusedName())
		clear(l.refused)
	}
}
