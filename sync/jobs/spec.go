package jobs

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// shortest is the resolution of the schedules' rows.
const shortest = time.Second

// SpecError says why a schedule's expression is not understood.
type SpecError struct {
	Spec string
	Err  error
}

func (e *SpecError) Error() string {
	return fmt.Sprintf(`schedule %q: %v: write five fields (minute, hour, day of month, month, day of week: "0 3 * * *"), @hourly, @daily, @weekly, @monthly or @every 15m`, e.Spec, e.Err)
}

// Unwrap gives the cause.
func (e *SpecError) Unwrap() error { return e.Err }

// ParseSpec reads a cron expression (https://pkg.go.dev/github.com/robfig/cron/v3):
// five fields, a descriptor such as @daily, or @every with a duration of whole
// seconds. The fields are wall-clock time in the machine's zone, or in the one
// of a prefix: "CRON_TZ=Europe/Berlin 0 3 * * *". When clocks go forward, a time
// that is left out that night is not run; when they go back, a time that comes
// twice is run twice. The error is a SpecError.
func ParseSpec(spec string) (cron.Schedule, error) {
	when, err := parse(spec)
	if err != nil {
		return nil, &SpecError{Spec: spec, Err: err}
	}
	return when, nil
}

func parse(spec string) (cron.Schedule, error) {
	trimmed := strings.TrimSpace(spec)
	if zoned := strings.HasPrefix(trimmed, "TZ=") || strings.HasPrefix(trimmed, "CRON_TZ="); zoned && !strings.Contains(trimmed, " ") {
		return nil, errors.New("nothing follows the time zone") // the parser would panic
	}
	if every, ok := strings.CutPrefix(trimmed, "@every "); ok {
		// The parser rounds what is shorter, or negative, to a second in silence.
		if d, err := time.ParseDuration(every); err == nil && d < shortest {
			return nil, fmt.Errorf("the shortest time is %s", shortest)
		}
	}
	when, err := cron.ParseStandard(trimmed)
	if err != nil {
		return nil, err
	}
	if when.Next(time.Now()).IsZero() {
		return nil, errors.New("it never comes (is the day in that month?)")
	}
	return when, nil
}

// Every is the expression for a fixed distance, "@every 15s".
func Every(d time.Duration) string { return "@every " + d.String() }

// following is the run after the one that was due, and after now: what fell due
// in between is run once, now. As long as nothing is missed, a fixed distance is
// kept from run to run, however late each of them is noticed.
func following(when cron.Schedule, due, now time.Time) time.Time {
	if next := when.Next(due); next.After(now) {
		return next
	}
	return when.Next(now)
}
