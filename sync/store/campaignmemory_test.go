package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign/campaigntest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

func TestTheStoreIsAMemoryOfCampaigns(t *testing.T) {
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			campaigntest.Ledger(t, func(t *testing.T) campaigntest.Memory {
				s, err := store.Open(t.Context(), store.Options{URL: fresh(t), Version: "test"})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, s.Close()) })
				c := s.Campaigns()
				return campaigntest.Memory{Runs: c, Books: c, Recipients: c, Handing: c, Results: c, Notes: c, Outbox: handedTo{s}}
			})
		})
	}
}

// handedTo is the outbox of a store, whose engine a test is.
type handedTo struct{ s *store.Store }

// Handed implements campaigntest.Outbox.
func (h handedTo) Handed(ctx context.Context) (drafts []message.Draft, err error) {
	for _, state := range []outbox.State{outbox.Fresh, outbox.Ready} {
		all, err := h.s.Outbox().Attempts(ctx, state, 10_000)
		if err != nil {
			return nil, err
		}
		for i := range all {
			drafts = append(drafts, all[i].Draft)
		}
	}
	return drafts, nil
}

// Try implements campaigntest.Outbox.
func (h handedTo) Try(ctx context.Context, key string) (bool, error) {
	a, ok, err := h.s.Outbox().Last(ctx, key)
	if err != nil || !ok || a.State != outbox.Fresh {
		return false, err
	}
	a.State, a.Sender, a.Out = outbox.Ready, a.Draft.Sender, message.Outgoing{To: message.Number(a.Draft.To), From: ours, Body: a.Draft.Body}
	if _, err := h.s.Outbox().Revise(ctx, []outbox.Attempt{a}); err != nil {
		return false, err
	}
	if err := h.joins(ctx, a.Out.To, a.Draft.Keyword); err != nil {
		return false, err
	}
	if a, _, err = h.s.Outbox().Last(ctx, key); err != nil {
		return false, err
	}
	a.State, a.Token, a.Since, a.Intended = outbox.Intended, "token "+key, now, time.Now()
	ok, optedOut, err := h.s.Outbox().Intend(ctx, &a)
	return ok && !optedOut, err
}

// joins opts a number in: whom these tests send to has asked for it.
func (h handedTo) joins(ctx context.Context, n message.Number, keyword string) error {
	return h.s.Learn(ctx, []message.OptIn{{Number: n, Keyword: keyword, Active: true, InAt: now}})
}

// End implements campaigntest.Outbox.
func (h handedTo) End(ctx context.Context, key string, e campaigntest.End) error {
	a, ok, err := h.s.Outbox().Last(ctx, key)
	if err != nil || !ok {
		return err
	}
	tried := a.State == outbox.Intended
	switch {
	case e.SID != "":
		a = outbox.Found(a, &message.Message{SID: e.SID, From: ours, To: a.Out.To, Direction: message.OutboundAPI, Status: message.Accepted, Created: now}, now)
	case e.Held:
		a.State, a.Result.Status = outbox.Held, message.Uncertain
	case e.Dropped:
		a = outbox.Withdrawn(a, now)
	default:
		a.State, a.Unwritten = outbox.Refused, true
		if tried {
			a.State = outbox.Rejected
		}
		a.Result = message.Result{ID: key, Status: string(message.Failed), ErrorCode: e.Code, ErrorMessage: e.Text}
	}
	if tried {
		return h.s.Outbox().Conclude(ctx, &a)
	}
	_, err = h.s.Outbox().Revise(ctx, []outbox.Attempt{a})
	return err
}

// Hear implements campaigntest.Outbox.
func (h handedTo) Hear(ctx context.Context, n campaigntest.News) error {
	m := message.Message{SID: n.SID, From: ours, Direction: message.OutboundAPI, Status: n.Status, ErrorCode: n.Code, Created: now}
	if n.From != "" {
		m = mirrortest.Text(9_000, n.At)
		m.Direction, m.From, m.To, m.Status = message.Inbound, n.From, ours, message.Received
	}
	return h.s.Settle(ctx, []mirror.Settlement{{Change: mirror.Change{Message: &m}}})
}

var _ campaigntest.Outbox = handedTo{}
