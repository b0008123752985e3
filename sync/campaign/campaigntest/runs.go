package campaigntest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

// Take implements campaign.Runs.
func (l *Fake) Take(_ context.Context, all []campaign.Campaign, now time.Time) (changed int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return 0, l.fail
	}
	for _, c := range all {
		was := l.find(c.ID, campaign.ToSend)
		var old *campaign.Run
		if was != nil {
			old = &was.run
		}
		next, news, withdrawn := campaign.Meet(old, c, now)
		if !news {
			continue
		}
		changed++
		r := l.keep(next)
		if withdrawn {
			l.takeBack(r, campaign.Never)
		}
	}
	return changed, nil
}

// Due implements campaign.Runs.
func (l *Fake) Due(_ context.Context, now time.Time, limit int) ([]campaign.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []campaign.Run
	for _, r := range l.runs {
		if !r.run.Due.After(now) {
			due = append(due, r.run)
		}
	}
	slices.SortFunc(due, func(a, b campaign.Run) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.N, b.N)) })
	return due[:min(limit, len(due))], l.fail
}

// NextDue implements campaign.Runs.
func (l *Fake) NextDue(context.Context) (at time.Time, ok bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		if !ok || r.run.Due.Before(at) {
			at, ok = r.run.Due, true
		}
	}
	return at, ok, l.fail
}

// Revise implements campaign.Runs.
func (l *Fake) Revise(_ context.Context, r *campaign.Run) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revise(r)
}

func (l *Fake) revise(r *campaign.Run) (bool, error) {
	if l.fail != nil {
		return false, l.fail
	}
	was := l.runs[r.N]
	switch {
	case r.N == 0 && l.find(r.Campaign.ID, r.Kind) != nil:
		return false, nil
	case r.N != 0 && (was == nil || was.run.Version != r.Version):
		return false, nil
	}
	*r = l.keep(*r).run
	return true, nil
}

// books are the ledger's.
type books struct{ l *Fake }

// Runs implements campaign.Books.
func (b books) Runs(_ context.Context, limit int) ([]campaign.Run, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	var all []campaign.Run
	for _, r := range b.l.runs {
		if r.run.Kind == campaign.ToSend {
			all = append(all, r.run)
		}
	}
	last := func(r campaign.Run) int {
		if r.Status.Over() {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b campaign.Run) int { return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(b.N, a.N)) })
	return all[:min(limit, len(all))], b.l.fail
}

// Run implements campaign.Books.
func (b books) Run(_ context.Context, record string, k campaign.Kind) (campaign.Run, bool, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	if r := b.l.find(record, k); r != nil && b.l.fail == nil {
		return r.run, true, nil
	}
	return campaign.Run{}, false, b.l.fail
}

// Forget implements campaign.Books.
func (b books) Forget(_ context.Context, before time.Time) error {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	for n, r := range b.l.runs {
		if r.run.Status.Over() && r.run.Ended.Before(before) {
			for _, row := range r.rows {
				delete(b.l.byKey, row.key())
			}
			r.rows = nil
			if r.run.Kind != campaign.ToSend {
				delete(b.l.runs, n)
				continue
			}
			if !r.run.Forgotten {
				r.run.Forget()
				r.run.Version++
			}
		}
	}
	return b.l.fail
}
