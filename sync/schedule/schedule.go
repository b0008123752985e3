// Package schedule reads cron expressions, for whoever has one: a schedule of the
// daemon's, or a line of the configuration.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule tells when something is next.
type Schedule = cron.Schedule

// shortest is the resolution of the schedules' rows.
const shortest = time.Second

// Error says why a schedule's expression is not understood.
type Error struct {
	Spec string
	Err  error
}

func (e *Error) Error() string {
	return fmt.Sprintf(`schedule %q: %v: write five fields (minute, hour, day of month, month, day of week: "0 3 * * *"), @hourly, @daily, @weekly, @monthly or @every 15m`, e.Spec, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a cron expression (https://pkg.go.dev/github.com/robfig/cron/v3):
// five fields, a descriptor such as @daily, or @every with a duration of whole
// seconds. The fields are wall-clock time in the machine's zone, or in the one
// of a prefix: "CRON_TZ=Europe/Berlin 0 3 * * *". When clocks go forward, a time
// that is left out that night is not run; when they go back, a time that comes
// twice is run twice. The error is a Error.
func Parse(spec string) (Schedule, error) {
	when, err := parse(spec)
	if err != nil {
		return nil, &Error{Spec: spec, Err: err}
	}
	return when, nil
}

func parse(spec string) (Schedule, error) {
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
