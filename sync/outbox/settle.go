package outbox

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twiliosf/twiliosf/sync/message"
)

// moments are when an uncertain send is looked up, in parts of SettleAfter since
// its intent.
var moments = []float64{1. / 120, 1. / 40, 1. / 10, 1. / 4, 1. / 2, 1}

const (
	// asideFor is how long a look-up that could not be made, or not be trusted, waits.
	asideFor = 15 * time.Second
	// newest is how many messages of the unfiltered list a look-up reads at most.
	newest = 20000
	// lookers are how many numbers are looked up at once.
	lookers = 4
)

// looks is when the look-up after n others is made, since the intent.
func (o *Outbox) looks(n int) time.Duration {
	return time.Duration(moments[min(n, len(moments)-1)] * float64(o.o.SettleAfter))
}

// next is when an attempt is looked up again. After an outage they do not all come
// at once: absence is proven by several look-ups, with time between.
func (o *Outbox) next(a *Attempt, now time.Time) time.Time {
	at := a.Intended.Add(o.looks(a.Looks))
	if soonest := now.Add(o.looks(0)); at.Before(soonest) {
		return soonest
	}
	return at
}

// settleTurn looks uncertain sends up.
func (o *Outbox) settleTurn(ctx context.Context) (time.Duration, error) {
	now := time.Now()
	batch, err := o.Ledger.Due(ctx, Uncertain, now, BatchSize)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Ledger.NextDue(ctx, Uncertain))
	}
	seen, doubts := o.look(ctx, batch)
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	slices.SortFunc(batch, func(a, b Attempt) int { return cmp.Compare(a.N, b.N) })
	var undecided []Attempt
	for i := range batch {
		a := batch[i]
		if doubts[a.Out.To] == unread {
			a.Due = time.Now().Add(asideFor)
			undecided = append(undecided, a)
			continue
		}
		settled, err := o.decide(ctx, &a, seen[a.Out.To], now, doubts[a.Out.To] == partial)
		if err != nil {
			return 0, err
		}
		if !settled {
			undecided = append(undecided, a)
		}
	}
	if err := o.Ledger.Revise(ctx, undecided); err != nil {
		return 0, err
	}
	o.told(undecided)
	return 0, nil
}

// told wakes those who go on with what was not found.
func (o *Outbox) told(undecided []Attempt) {
	for i := range undecided {
		switch a := &undecided[i]; a.State {
		case Fresh:
			o.metrics.lookups.WithLabelValues("sent_again").Inc()
			o.plan.ring()
		case Held:
			o.metrics.lookups.WithLabelValues("held").Inc()
			o.Health.Raise(held())
			o.write.ring()
		default:
		}
	}
}

// partialFor is for how many times SettleAfter a list that nobody can read whole
// is asked again before a human decides.
const partialFor = 3

// decide settles one attempt by what the list holds, or the part of it that can be
// read: what that does not show is not taken as absent. It is false when a stays
// to be revised.
func (o *Outbox) decide(ctx context.Context, a *Attempt, seen []message.Message, began time.Time, part bool) (bool, error) {
	doubt := false
	for i := range seen {
		m := &seen[i]
		if !Matches(a, m) {
			doubt = doubt || mayBe(a, m)
			continue
		}
		mine, sure, err := o.Claims.Claim(ctx, a, m, time.Now())
		switch {
		case err != nil:
			return false, err
		case mine:
			o.metrics.lookups.WithLabelValues("found").Inc()
			o.write.ring()
			if o.o.Sent != nil && !refusedCreate(m) {
				o.o.Sent(ctx, *m)
			}
			return true, nil
		case !sure: // an equal one is on its way, whose message this may be
			a.Due = time.Now().Add(asideFor)
			return false, nil
		}
	}
	if part {
		if began.Sub(a.Intended) < partialFor*o.o.SettleAfter {
			a.Due = time.Now().Add(asideFor)
			return false, nil
		}
		o.absent(a, true)
		return false, nil
	}
	a.Looks++
	if a.Looks < len(moments) || began.Sub(a.Intended) < o.o.SettleAfter {
		a.Due = o.next(a, time.Now())
		return false, nil
	}
	if doubt {
		free, err := o.anyFree(ctx, a, seen)
		if err != nil {
			return false, err
		}
		doubt = free
	}
	o.absent(a, doubt)
	return false, nil
}

// anyFree says whether one of the messages that read otherwise is nobody's.
func (o *Outbox) anyFree(ctx context.Context, a *Attempt, seen []message.Message) (bool, error) {
	var sids []message.SID
	for i := range seen {
		if mayBe(a, &seen[i]) {
			sids = append(sids, seen[i].SID)
		}
	}
	free, err := o.Claims.Free(ctx, sids)
	return len(free) > 0, err
}

// absent is for what Twilio does not have. P5
func (o *Outbox) absent(a *Attempt, doubt bool) {
	now := time.Now()
	switch {
	case o.o.Hold || doubt:
		a.hold(now)
	case o.tooLate(a, now):
		a.refuse(late(o.o.LateLimit), now)
	default: // if its record still asks for it
		a.again()
		a.State, a.Reread = Fresh, true
	}
}

// hold leaves an attempt to a human.
func (a *Attempt) hold(now time.Time) {
	a.end(Held, message.Result{
		Status:       message.Uncertain,
		ErrorMessage: "Twilio's answer was lost, and its list does not show whether this was sent. An administrator decides (twiliosf outbox settle).",
	}, now)
}

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
	if !slices.Contains(slices.Collect(maps.Values(doubts)), unread) {
		o.listing.over()
	}
	return found.all(), doubts
}

// listed reads one list, and says how far it is not known.
func (o *Outbox) listed(ctx context.Context, to message.Number, since time.Time, found *finds) doubt {
	err := o.Account.Outgoing(ctx, to, since, found.take(newest))
	switch {
	case err == nil:
		return whole
	case errors.Is(err, ErrPartial):
		return partial
	default:
		o.listing.had(ctx, err)
		return unread
	}
}

// finds are the messages to the numbers that are looked for.
type finds struct {
	since map[message.Number]time.Time
	mu    sync.Mutex
	seen  map[message.Number]map[message.SID]message.Message
}

// take keeps what matters of a list, of at most limit messages.
func (f *finds) take(limit int) func([]message.Message) (bool, error) {
	left := limit
	return func(page []message.Message) (bool, error) {
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
		left -= len(page)
		return left > 0, nil
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
