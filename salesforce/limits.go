package salesforce

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// fullFor is how long a reading that shows the org at its maximum keeps us from
// calling. After it one call may look again.
const fullFor = 5 * time.Minute

// Usage is how many API calls the last 24 hours saw.
type Usage struct {
	// Own are our calls.
	Own int
	// Org are everybody's calls and Max the org's limit, as Salesforce said at
	// Read. They are 0 until the first answer.
	Org, Max int
	// Budget is how many calls we allow ourselves: DailyShare of Max.
	Budget int
	Read   time.Time
}

// limits counts our calls, reads what the org says of everybody's, and refuses
// calls that would go beyond the budget, which costs nothing and tells the
// operator what to change.
type limits struct {
	next    link
	share   float64
	metrics *metrics

	mu      sync.Mutex
	own     hours
	usage   Usage
	closed  *fault.Error // the org's daily limit is reached
	closedT time.Time    // until then
}

func newLimits(next link, share float64, m *metrics) *limits {
	return &limits{next: next, share: share, metrics: m, own: hours{}}
}

func (l *limits) exchange(ctx context.Context, r *request) (*answer, error) {
	if err := l.admit(r, time.Now()); err != nil {
		return nil, err
	}
	a, err := l.next.exchange(ctx, r)
	l.learn(a, err, time.Now())
	return a, err
}

// admit counts the call, or refuses it.
func (l *limits) admit(r *request, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil && now.Before(l.closedT) {
		f := *l.closed
		f.Op, f.After = opName(r.op), l.closedT.Sub(now)
		return &f
	}
	l.closed = nil
	if own, free := l.own.sum(now); l.usage.Budget > 0 && own >= l.usage.Budget {
		return &fault.Error{
			Class: fault.Throttled, Op: opName(r.op), Code: CodeBudget, After: free,
			Hint: "Raise salesforce.daily_api_share, or let the org have more API calls.",
			Err:  fmt.Errorf("%d calls in 24 hours have used up our share of the org's %d", own, l.usage.Max),
		}
	}
	l.own.add(now, 1)
	return nil
}

func (l *limits) learn(a *answer, err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a != nil {
		if used, most, ok := limitInfo(a.header.Get("Sforce-Limit-Info")); ok {
			l.usage.Org, l.usage.Max, l.usage.Read = used, most, now
			l.usage.Budget = max(int(l.share*float64(most)), 1)
		}
	}
	if f := fault.Of(err); f != nil && f.Code == CodeRequestLimit && !crowded(f) {
		l.closed, l.closedT = f, now.Add(f.After)
	} else if err == nil && l.usage.Max > 0 && l.usage.Org >= l.usage.Max && l.usage.Read.Equal(now) {
		l.closed, l.closedT = orgFull(l.usage), now.Add(fullFor)
	}
	own, _ := l.own.sum(now)
	l.metrics.apiCalls.WithLabelValues("own").Set(float64(own))
	l.metrics.apiCalls.WithLabelValues("org").Set(float64(l.usage.Org))
	l.metrics.apiCalls.WithLabelValues("max").Set(float64(l.usage.Max))
	l.metrics.apiCalls.WithLabelValues("budget").Set(float64(l.usage.Budget))
}

func orgFull(u Usage) *fault.Error {
	return &fault.Error{
		Class: fault.Throttled, Code: CodeRequestLimit, Hint: hintDaily,
		Err: fmt.Errorf("the org has made %d of its %d API calls of 24 hours", u.Org, u.Max),
	}
}

// limitInfo reads "api-usage=18/5000; per-app-api-usage=17/250(appName=x)".
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
func limitInfo(header string) (used, most int, ok bool) {
	for part := range strings.SplitSeq(header, ";") {
		value, found := strings.CutPrefix(strings.TrimSpace(part), "api-usage=")
		if !found {
			continue
		}
		a, b, _ := strings.Cut(value, "/")
		used, err1 := strconv.Atoi(a)
		most, err2 := strconv.Atoi(b)
		return used, most, errors.Join(err1, err2) == nil && most > 0
	}
	return 0, 0, false
}

// Usage tells how many API calls the last 24 hours saw.
func (o *Org) Usage() Usage {
	o.limits.mu.Lock()
	defer o.limits.mu.Unlock()
	u := o.limits.usage
	u.Own, _ = o.limits.own.sum(time.Now())
	return u
}

// HourlyUsage gives our calls of the last 24 hours by the hour, oldest first,
// to be kept over a restart.
func (o *Org) HourlyUsage() []HourUsage {
	o.limits.mu.Lock()
	defer o.limits.mu.Unlock()
	return o.limits.own.list(time.Now())
}

// RestoreUsage adds calls that an earlier process made. Hours that no longer
// count are left out.
func (o *Org) RestoreUsage(earlier []HourUsage) {
	o.limits.mu.Lock()
	defer o.limits.mu.Unlock()
	for _, h := range earlier {
		o.limits.own.add(h.Hour, h.Calls)
	}
}
