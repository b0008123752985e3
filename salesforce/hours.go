package salesforce

import (
	"cmp"
	"slices"
	"time"
)

// HourUsage is how many calls we made in the hour that begins at Hour (UTC).
type HourUsage struct {
	Hour  time.Time `json:"hour"`
	Calls int       `json:"calls"`
}

// hours counts calls by the hour they were made in. The last call of an hour
// counts for 24 hours, so the whole hour counts until 25 hours after it began:
// we would rather stay under the budget than step over it.
type hours map[int64]int

const countsFor = 25 * time.Hour

func (h hours) add(at time.Time, calls int) {
	if calls > 0 {
		h[at.Truncate(time.Hour).Unix()] += calls
	}
}

// sum is what counts now, and how long it takes until the oldest part of it
// counts no more. Hours that are over are forgotten.
func (h hours) sum(now time.Time) (calls int, free time.Duration) {
	for hour, n := range h {
		left := time.Unix(hour, 0).Add(countsFor).Sub(now)
		if left <= 0 {
			delete(h, hour)
			continue
		}
		calls += n
		if free == 0 || left < free {
			free = left
		}
	}
	return calls, free
}

func (h hours) list(now time.Time) []HourUsage {
	h.sum(now)
	list := make([]HourUsage, 0, len(h))
	for hour, n := range h {
		list = append(list, HourUsage{Hour: time.Unix(hour, 0).UTC(), Calls: n})
	}
	slices.SortFunc(list, func(a, b HourUsage) int { return cmp.Compare(a.Hour.Unix(), b.Hour.Unix()) })
	return list
}
