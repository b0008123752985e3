// Package mirrortest has what tests of the mirror share: an account and an org
// in memory, and the suites that these and the real adapters both pass, so that
// what the fakes promise is what the vendors' adapters do.
package mirrortest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Account is a mirror.Source in memory. Its zero value is ready.
type Account struct {
	mu   sync.Mutex
	rows map[message.SID]message.Message

	// BeforePage, if set, runs before each page is made, without a lock held.
	BeforePage func()
	// Fail, if set, decides about each call before it is answered.
	Fail   func() error
	calls  int
	hidden bool // from walks
}

var _ mirror.Source = (*Account)(nil)

// Put adds messages, or changes those with the same SID.
func (a *Account) Put(all ...message.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rows == nil {
		a.rows = map[message.SID]message.Message{}
	}
	for _, m := range all {
		a.rows[m.SID] = m
	}
}

// HideFromWalks leaves all messages to Fetch, like those that no walk comes to.
func (a *Account) HideFromWalks() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hidden = true
}

// Delete removes a message, as Twilio does on request or after its retention.
func (a *Account) Delete(sid message.SID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.rows, sid)
}

// All is what the account holds.
func (a *Account) All() map[message.SID]message.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[message.SID]message.Message, len(a.rows))
	maps.Copy(all, a.rows)
	return all
}

// Calls counts pages and fetches.
func (a *Account) Calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls
}

func (a *Account) called(ctx context.Context) error {
	a.mu.Lock()
	a.calls++
	a.mu.Unlock()
	if a.Fail != nil {
		if err := a.Fail(); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// Walk implements mirror.Source with the keyset paging of Twilio's list: a page
// starts behind the last message of the one before, wherever that is now.
func (a *Account) Walk(ctx context.Context, w mirror.Window, page func([]message.Message) (bool, error)) error {
	size := w.PageSize
	if size == 0 {
		size = 1000
	}
	var last *message.Message
	for {
		if a.BeforePage != nil {
			a.BeforePage()
		}
		if err := a.called(ctx); err != nil {
			return err
		}
		rows := a.after(last, w, size)
		more, err := page(slices.Clone(rows))
		if err != nil || !more || len(rows) < size {
			return err
		}
		last = &rows[len(rows)-1]
	}
}

func (a *Account) after(last *message.Message, w mirror.Window, size int) []message.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	var rows []message.Message
	for _, m := range a.rows {
		if a.hidden {
			continue
		}
		if !w.Day.IsZero() && (m.Sent.Before(w.Day) || !m.Sent.Before(w.Day.Add(24*time.Hour))) {
			continue
		}
		if last == nil || newestFirst(*last, m) < 0 {
			rows = append(rows, m)
		}
	}
	slices.SortFunc(rows, newestFirst)
	return rows[:min(len(rows), size)]
}

func newestFirst(a, b message.Message) int {
	if c := b.At().Compare(a.At()); c != 0 {
		return c
	}
	if a.SID < b.SID {
		return -1
	}
	if a.SID > b.SID {
		return 1
	}
	return 0
}

// Fetch implements mirror.Source.
func (a *Account) Fetch(ctx context.Context, sid message.SID) (message.Message, error) {
	if err := a.called(ctx); err != nil {
		return message.Message{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, ok := a.rows[sid]
	if !ok {
		return m, mirror.ErrGone
	}
	return m, nil
}
