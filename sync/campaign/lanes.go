package campaign

import (
	"math"
	"sync"
	"time"
)

const (
	// ahead is for how long the outbox has something to send for each sender.
	ahead = 2 * time.Second
	// mostAhead is the most recipients who are handed over and wait.
	mostAhead = 500
	// seatFor is how long a run that hands nothing over keeps its share of a sender.
	seatFor = 5 * time.Second
)

// lanes share each sender among the runs that use it, so that all of them go on.
type lanes struct {
	mu sync.Mutex
	by map[string]map[int64]*seat
}

// seat is a run's at its sender.
type seat struct {
	weight float64 // what part of the sender's pace it could use
	open   int
	served time.Time
	seen   time.Time
}

func newLanes() *lanes { return &lanes{by: map[string]map[int64]*seat{}} }

// window is how many of a sender's recipients may wait in the outbox.
func window(rate float64) int {
	return min(max(int(math.Ceil(rate*ahead.Seconds())), 1), mostAhead)
}

// share is how many more a run may hand over, of whom open are with the outbox. own
// is the run's rate, rate its sender's.
func (l *lanes) share(sender string, run int64, own, rate float64, open int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	seats := l.by[sender]
	if seats == nil {
		seats = map[int64]*seat{}
		l.by[sender] = seats
	}
	mine := seats[run]
	if mine == nil {
		mine = &seat{served: now}
		seats[run] = mine
	}
	mine.weight, mine.open, mine.seen = min(own/rate, 1), open, now

	weights, total, older := 0.0, 0, 0
	for n, s := range seats {
		if now.Sub(s.seen) > seatFor {
			delete(seats, n)
			continue
		}
		weights += s.weight
		total += s.open
		if s.served.Before(mine.served) && s.open == 0 {
			older++
		}
	}
	whole := window(rate)
	part := min(max(int(math.Ceil(float64(whole)*mine.weight/max(weights, 1))), 1), mostAhead)
	if len(seats) > whole && older >= whole-total { // there are more runs than places
		return 0
	}
	return max(min(part-open, whole+len(seats)-total), 0)
}

// serve notes that a run has handed over.
func (l *lanes) serve(sender string, run int64, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.by[sender][run]; s != nil {
		s.open += n
		s.served = time.Now()
	}
}

// leave gives a run's share to the others: nobody of it is due.
func (l *lanes) leave(sender string, run int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.by[sender], run)
}
