package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// foldSize is how many events are folded in one transaction.
	foldSize = 500
	// fetchClaim is how long an event whose message is being fetched is left
	// alone; after a crash it comes again then.
	fetchClaim = time.Minute
	// onItsWay is how long an event is left alone whose message is being fetched
	// for another one, and how often what was put off is looked for.
	onItsWay = 2 * time.Second
	// fetchRetry is the pause after a fetch that failed.
	fetchRetry = 15 * time.Second
	// fetchers is how many messages are fetched side by side: few, for sweeps and
	// sends need Twilio too.
	fetchers = 3
	// maxFetching bounds what waits for a fetcher in memory.
	maxFetching = 1000
)

// Inbox takes webhook events in and brings them to the writer: P1 by Accept, and
// P2 and P4 because there is one way into Salesforce, which sweeps go too.
type Inbox struct {
	*walker
	log     *zap.Logger
	wake    chan struct{}
	fetches chan []QueuedEvent // of one SID each

	asking sync.Mutex
	asked  map[message.SID]bool // in fetches, or being fetched
}

func newInbox(k *walker, o Options) *Inbox {
	return &Inbox{walker: k, log: o.Log, wake: make(chan struct{}, 1), fetches: make(chan []QueuedEvent, maxFetching), asked: map[message.SID]bool{}}
}

// Accept makes an event durable (P1) and answers whether it is its first time.
func (i *Inbox) Accept(ctx context.Context, e message.Event) (first bool, err error) {
	first, err = i.Events.Keep(ctx, e)
	outcome := "kept"
	switch {
	case err != nil:
		outcome = "not_kept"
	case !first:
		outcome = "repeated"
	}
	i.metrics.events.WithLabelValues(string(e.Kind), outcome).Inc()
	if first {
		select {
		case i.wake <- struct{}{}:
		default:
		}
	}
	return first, err
}

// Run folds events until ctx is done. What is not folded by then is still in the
// line (P10).
func (i *Inbox) Run(ctx context.Context) {
	var working sync.WaitGroup
	for range fetchers {
		working.Go(func() { i.fetch(ctx) })
	}
	defer working.Wait()
	for ctx.Err() == nil {
		wait := pollEvery
		switch more, err := i.drain(ctx); {
		case err != nil && !fault.Stopped(ctx, err):
			i.writer.storeTrouble(err)
			wait = storeRetry
		case more:
			continue
		}
		if left, err := i.Events.Waiting(ctx, time.Now().Add(fetchClaim), 1); err == nil && len(left) > 0 {
			wait = min(wait, onItsWay) // put off, so it falls due some time
		}
		timer := time.NewTimer(wait)
		select {
		case <-i.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// drain folds what is due, at most foldSize of it, and answers whether there may
// be more.
func (i *Inbox) drain(ctx context.Context) (more bool, err error) {
	events, err := i.Events.Waiting(ctx, time.Now(), foldSize)
	if err != nil || len(events) == 0 {
		return false, err
	}
	unknown, changes, err := i.Events.Fold(ctx, events)
	if err != nil {
		return false, err
	}
	if len(changes) > 0 {
		i.writer.offer(changes)
	}
	return len(events) == foldSize, i.ask(ctx, unknown)
}

// ask hands events of messages that nobody has seen yet to the fetchers, so that
// the record appears complete. Those for whom there is no room come again.
func (i *Inbox) ask(ctx context.Context, unknown []QueuedEvent) error {
	if len(unknown) == 0 {
		return nil
	}
	claimed, later := i.claim(bySID(unknown))
	err := errors.Join(i.Events.PutOff(ctx, slices.Concat(claimed...), time.Now().Add(fetchClaim)),
		i.Events.PutOff(ctx, later, time.Now().Add(onItsWay)))
	for _, of := range claimed {
		if err != nil {
			i.answered(of[0].Event.SID)
			continue
		}
		i.fetches <- of // claim has left room
	}
	return err
}

// claim takes as many messages as there is room for, none that is asked for
// already.
func (i *Inbox) claim(groups [][]QueuedEvent) (claimed [][]QueuedEvent, later []QueuedEvent) {
	i.asking.Lock()
	defer i.asking.Unlock()
	for _, of := range groups {
		if sid := of[0].Event.SID; i.asked[sid] || len(i.asked) >= maxFetching {
			later = append(later, of...)
		} else {
			i.asked[sid] = true
			claimed = append(claimed, of)
		}
	}
	return claimed, later
}

func (i *Inbox) answered(sid message.SID) {
	i.asking.Lock()
	defer i.asking.Unlock()
	delete(i.asked, sid)
}

// bySID groups events, in the order in which their messages come first.
func bySID(events []QueuedEvent) [][]QueuedEvent {
	var groups [][]QueuedEvent
	at := map[message.SID]int{}
	for _, e := range events {
		n, ok := at[e.Event.SID]
		if !ok {
			n = len(groups)
			at[e.Event.SID] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], e)
	}
	return groups
}

// fetch asks Twilio for messages until ctx is done.
func (i *Inbox) fetch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case of := <-i.fetches:
			err := i.fetchOne(ctx, of)
			i.answered(of[0].Event.SID)
			if err != nil && !fault.Stopped(ctx, err) {
				i.log.Debug("a message of an event is asked for again", zap.String("sid", string(of[0].Event.SID)), zap.Error(err))
			}
		}
	}
}

// staleFor is how long Twilio's API may show less than its callbacks have told.
const staleFor = 5 * time.Minute

// stale reports that what the API shows is older than what an event has told a
// moment ago. Later the API is right, whatever it shows.
func stale(m *message.Message, of []QueuedEvent) bool {
	for _, e := range of {
		if e.Event.Status.Rank() > m.Status.Rank() && time.Since(e.Event.Received) < staleFor {
			return true
		}
	}
	return false
}

// fetchOne brings a message in by its SID.
func (i *Inbox) fetchOne(ctx context.Context, of []QueuedEvent) error {
	m, err := i.Source.Fetch(ctx, of[0].Event.SID)
	switch {
	case errors.Is(err, ErrGone):
		i.metrics.events.WithLabelValues(string(of[0].Event.Kind), "gone").Inc()
		return i.Events.PutOff(ctx, of, time.Time{})
	case err != nil:
		i.note(ctx, "fetch", err)
		pause := max(fault.After(err), fetchRetry)
		return errors.Join(err, i.Events.PutOff(ctx, of, time.Now().Add(pause)))
	}
	i.note(ctx, "fetch", nil)
	var t tally
	if err := i.merge(ctx, []message.Message{m}, &t); err != nil {
		return err
	}
	if stale(&m, of) {
		return i.Events.PutOff(ctx, of, time.Now().Add(fetchRetry))
	}
	i.metrics.events.WithLabelValues(string(of[0].Event.Kind), "fetched").Inc()
	return i.Events.PutOff(ctx, of, time.Time{})
}
