package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// shortCode is the account's sender with the quickest pace, 100 messages a second.
const shortCode = "55501"

// polls are the moments at which Salesforce is asked for drafts.
type polls struct {
	mu  sync.Mutex
	all []time.Time
	met chan struct{} // holds one when there has been another
}

func watchPolls(s *sandbox.Sandbox) *polls {
	p := &polls{met: make(chan struct{}, 1)}
	s.Org.OnRequest(func(r salesforcetest.Request) {
		if r.Operation != salesforcetest.OpComposite {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all = append(p.all, time.Now())
		select {
		case p.met <- struct{}{}:
		default:
		}
	})
	return p
}

// next waits for one more.
func (p *polls) next(ctx context.Context) error {
	select {
	case <-p.met:
	default:
	}
	select {
	case <-p.met:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// behind is the first one after a moment.
func (p *polls) behind(at time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.all {
		if t.After(at) {
			return t
		}
	}
	return time.Now()
}

// asks makes n records that ask to be sent, each to a number of its own, which
// begin at from.
func asks(s *sandbox.Sandbox, sender string, from, n int) error {
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{
			"Status__c": "Send", "To_Number__c": fmt.Sprintf("+1415%07d", from+i), "Body__c": "Your table is ready.",
		}
		if strings.HasPrefix(sender, "MG") {
			rows[i]["Messaging_Service_Sid__c"] = sender
		} else {
			rows[i]["From_Number__c"] = sender
		}
	}
	_, err := s.Org.Load(object, rows)
	return err
}

// received waits until the account has n messages, and answers when it received
// each, in order.
func received(ctx context.Context, s *sandbox.Sandbox, n int) ([]time.Time, error) {
	for end := time.Now().Add(5 * time.Minute); s.Twilio.Len() < n; time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("only %d of %d messages were sent", s.Twilio.Len(), n)
		}
	}
	var all []time.Time
	for m := range s.Twilio.Messages() {
		all = append(all, m.Created)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all, nil
}

// took makes n records that ask to be sent, and answers how long after the poll
// that shows them each reached Twilio.
func (p *polls) took(ctx context.Context, s *sandbox.Sandbox, from, n int, latency time.Duration) (all []time.Duration, err error) {
	if err := p.next(ctx); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // no poll is under way
	before, at := s.Twilio.Len(), time.Now()
	if err := asks(s, shortCode, from, n); err != nil {
		return nil, err
	}
	times, err := received(ctx, s, before+n)
	if err != nil {
		return nil, err
	}
	poll := p.behind(at)
	for _, t := range times[before:] {
		all = append(all, t.Add(-latency).Sub(poll)) // the account received it when its latency began
	}
	return all, nil
}

// measureDraft measures from the poll that shows a draft to the call of Twilio.
// Drafts come in handfuls, as people write them; then as many at once.
func measureDraft(ctx context.Context) ([]figure, error) {
	const handful, handfuls, latency = 20, 10, 100 * time.Millisecond
	s, dir, done, err := pair(0, salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return latency }})
	if err != nil {
		return nil, err
	}
	defer done()
	s.Twilio.SetLatency(latency)
	seen := watchPolls(s)
	p, err := start(ctx, s, dir, nil)
	if err != nil {
		return nil, err
	}
	took := func(from, n int) ([]time.Duration, error) { return seen.took(ctx, s, from, n, latency) }
	if _, err := took(1_000_000, 1); err != nil { // the first one asks what the account can send from
		return nil, err
	}
	var each []time.Duration
	for i := range handfuls {
		some, err := took(2_000_000+i*handful, handful)
		if err != nil {
			return nil, err
		}
		each = append(each, some...)
	}
	atOnce, err := took(3_000_000, handful*handfuls)
	if err != nil {
		return nil, err
	}
	if _, err := p.stop(); err != nil {
		return nil, err
	}
	p50, p99 := quantiles(each)
	last := slices.Max(atOnce)
	const creates = 8 // at once, as configured
	limit := handful * handfuls / creates * latency
	return []figure{{
		What:     fmt.Sprintf("poll to Twilio's call, Salesforce and Twilio answering in %s (%d drafts, %d a poll)", latency, len(each), handful),
		Measured: fmt.Sprintf("median %.0f ms, p99 %.0f ms", ms(p50), ms(p99)),
		Goal:     "under 1 s", Met: p99 < time.Second,
	}, {
		What:     fmt.Sprintf("the same, %d drafts in one poll: until the last one's call", len(atOnce)),
		Measured: fmt.Sprintf("%.1f s", last.Seconds()),
		Goal:     fmt.Sprintf("%.1f s, which %d calls at once take, and under 1 s more", limit.Seconds(), creates), Met: last < limit+time.Second,
	}}, nil
}

// measurePace counts what the account receives from one sender that has more to
// send than it may.
func measurePace(ctx context.Context) ([]figure, error) {
	var all []figure
	for _, of := range []struct {
		name, sender string
		rate         int
		span         time.Duration
	}{
		{"a Messaging Service", twiliotest.DefaultServiceSID, 10, time.Minute},
		{"a short code", shortCode, 100, 30 * time.Second},
	} {
		times, err := paced(ctx, of.sender, of.rate*int(of.span/time.Second)+of.rate)
		if err != nil {
			return all, err
		}
		got := within(times, times[0], of.span)
		most := 0
		for _, t := range times {
			most = max(most, within(times, t, time.Second))
		}
		want := of.rate * int(of.span/time.Second)
		off := 100 * (float64(got)/float64(want) - 1)
		all = append(all, figure{
			What:     fmt.Sprintf("pace of %s at %d messages/s over %s, by when Twilio received them", of.name, of.rate, of.span),
			Measured: fmt.Sprintf("%d of %d (%+.2f %%), at the most %d in any second", got, want, off, most),
			Goal:     "within 1 %", Met: off <= 1 && off >= -1,
		})
	}
	return all, nil
}

// paced has n drafts sent from one sender, and answers when each was received.
func paced(ctx context.Context, sender string, n int) ([]time.Time, error) {
	s, dir, done, err := pair(0, salesforcetest.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	if err := asks(s, sender, 1_000_000, n); err != nil {
		return nil, err
	}
	p, err := start(ctx, s, dir, nil)
	if err != nil {
		return nil, err
	}
	times, err := received(ctx, s, n)
	if err != nil {
		return nil, err
	}
	_, err = p.stop()
	return times, err
}

// within counts the moments of a span.
func within(times []time.Time, from time.Time, span time.Duration) int {
	first, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	end, _ := slices.BinarySearchFunc(times, from.Add(span), time.Time.Compare)
	return end - first
}
