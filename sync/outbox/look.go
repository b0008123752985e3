package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// newest is how many messages of a list a look-up reads at most: what is beyond
	// them is not known.
	newest = 20000
	// lookers are how many numbers are looked up at once.
	lookers = 4
)

// doubt is how far a number's list is not known.
type doubt int

const (
	whole doubt = iota
	partial
	unread
)

// look reads what the account has sent to the numbers of a batch: the newest
// messages of all, which no filter can hide, and then number by number.
func (o *Outbox) look(ctx context.Context, batch []Attempt) (seen map[message.Number][]message.Message, doubts map[message.Number]doubt) {
	found := finds{since: map[message.Number]time.Time{}, seen: map[message.Number]map[message.SID]message.Message{}}
	oldest := time.Now()
	for i := range batch {
		a := &batch[i]
		from := a.Since.Add(-clockDoubt)
		if known, ok := found.since[a.Out.To]; !ok || from.Before(known) {
			found.since[a.Out.To] = from
		}
		if from := a.Since.Add(-skew); from.Before(oldest) {
			oldest = from
		}
	}
	doubts = map[message.Number]doubt{}
	unfiltered := o.listed(ctx, "", oldest, &found)
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(lookers)
	for to, since := range found.since {
		if unfiltered == unread {
			doubts[to] = unread
			continue
		}
		all.Go(func() error {
			d := max(unfiltered, o.listed(ctx, to, since, &found))
			mu.Lock()
			defer mu.Unlock()
			doubts[to] = d
			return nil
		})
	}
	_ = all.Wait() //nolint:errcheck // none of them answers one
	switch slices.Max(append(slices.Collect(maps.Values(doubts)), whole)) {
	case whole:
		o.listing.Over()
		o.parts.Over()
	case partial:
		o.listing.Over()
	case unread:
	}
	return found.all(), doubts
}

// listed reads one list, and says how far it is not known.
func (o *Outbox) listed(ctx context.Context, to message.Number, since time.Time, found *finds) doubt {
	left := newest
	err := o.Account.Outgoing(ctx, to, since, func(page []message.Message) (bool, error) {
		found.take(page)
		left -= len(page)
		return left > 0, nil
	})
	if err == nil && left <= 0 {
		err = fmt.Errorf("%w: %w", ErrPartial, tooLong())
	}
	switch {
	case err == nil:
		return whole
	case errors.Is(err, ErrPartial):
		o.parts.Had(ctx, err)
		return partial
	default:
		o.listing.Had(ctx, err)
		return unread
	}
}

// finds are the messages to the numbers that are looked for.
type finds struct {
	since map[message.Number]time.Time
	mu    sync.Mutex
	seen  map[message.Number]map[message.SID]message.Message
}

// take keeps what matters of a list.
func (f *finds) take(page []message.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range page {
		m := &page[i]
		if since, wanted := f.since[m.To]; wanted && m.Direction == message.OutboundAPI && !m.Created.Before(since) {
			if f.seen[m.To] == nil {
				f.seen[m.To] = map[message.SID]message.Message{}
			}
			f.seen[m.To][m.SID] = *m
		}
	}
}

// all are the messages by number, oldest first.
func (f *finds) all() map[message.Number][]message.Message {
	all := make(map[message.Number][]message.Message, len(f.seen))
	for to, messages := range f.seen {
		for _, m := range messages {
			all[to] = append(all[to], m)
		}
		slices.SortFunc(all[to], func(a, b message.Message) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.SID, b.SID))
		})
	}
	return all
}
