package campaign

import (
	"fmt"
	"strings"
	"time"
)

// Quiet is when nobody is texted: a span of each day, by the recipient's clock on the
// wall. The zero Quiet is never. It does not change.
type Quiet struct {
	from, to int // minutes of the day; the span holds from and not to
}

// day has this many minutes on a clock on the wall, however long it is.
const day = 24 * 60

// horizon is how far ahead an hour is looked for that suits all zones.
const horizon = 48 * time.Hour

// ParseQuiet reads a span ("21:00-08:00"), which may go over midnight. The empty text
// is never.
func ParseQuiet(text string) (Quiet, error) {
	if strings.TrimSpace(text) == "" {
		return Quiet{}, nil
	}
	from, to, dashed := strings.Cut(text, "-")
	if !dashed {
		return Quiet{}, fmt.Errorf("%q is no span of quiet hours: write a beginning and an end, as in 21:00-08:00", text)
	}
	var q Quiet
	for _, side := range []struct {
		text string
		into *int
	}{{from, &q.from}, {to, &q.to}} {
		at, err := time.Parse("15:04", strings.TrimSpace(side.text))
		if err != nil {
			return Quiet{}, fmt.Errorf("%q of the quiet hours %q is no time: write 00:00 to 23:59", strings.TrimSpace(side.text), text)
		}
		*side.into = at.Hour()*60 + at.Minute()
	}
	if q.from == q.to {
		return Quiet{}, fmt.Errorf("the quiet hours %q begin and end at the same time: leave them empty for none; all day cannot be", text)
	}
	return q, nil
}

// String is the span as ParseQuiet reads it.
func (q Quiet) String() string {
	if q == (Quiet{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", q.from/60, q.from%60, q.to/60, q.to%60)
}

// Next is the first moment from t on at which it is quiet in none of the zones: t
// itself if that is one. Without zones nothing is known, and t is right.
//
// Zones may lie so far apart that there is no such moment. Then it is the first one
// within 48 hours at which it is quiet in as few of them as possible.
//
// Only what clocks show counts. Where they are put forward over the end of the quiet
// hours, these end with the change; where they are put back behind the end, what is
// shown again is quiet again.
func (q Quiet) Next(t time.Time, zones []*time.Location) time.Time {
	best, fewest := t, len(zones)+1
	for at := t; !at.After(t.Add(horizon)); {
		quiet, next := q.look(at, zones)
		if quiet < fewest {
			best, fewest = at, quiet
		}
		if quiet == 0 {
			break
		}
		at = next.In(t.Location())
	}
	return best
}

// look counts the zones in which it is quiet at a moment. next is the first moment
// that may be better.
func (q Quiet) look(at time.Time, zones []*time.Location) (quiet int, next time.Time) {
	for _, zone := range zones {
		wall := at.In(zone)
		if !q.holds(wall) {
			continue
		}
		quiet++
		if end := q.end(wall); quiet == 1 || end.Before(next) {
			next = end
		}
	}
	return quiet, next
}

// end is when a clock that shows a quiet time shows the end of it, or is put to
// another time before.
func (q Quiet) end(wall time.Time) time.Time {
	minutes := (q.to - wall.Hour()*60 - wall.Minute() + day) % day
	end := wall.Add(time.Duration(minutes)*time.Minute - time.Duration(wall.Second())*time.Second - time.Duration(wall.Nanosecond()))
	if _, change := wall.ZoneBounds(); !change.IsZero() && change.Before(end) {
		return change
	}
	return end
}

// holds says whether a time of day, as a clock shows it, is quiet.
func (q Quiet) holds(wall time.Time) bool {
	minute := wall.Hour()*60 + wall.Minute()
	if q.from <= q.to {
		return q.from <= minute && minute < q.to
	}
	return q.from <= minute || minute < q.to
}
