package mirror_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
)

// office answers whose messages are.
type office struct {
	mu     sync.Mutex
	claims map[message.SID]mirror.Claim
	asked  []message.SID
}

func (o *office) Whose(_ context.Context, all []*message.Message) ([]mirror.Claim, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	claims := make([]mirror.Claim, len(all))
	for i, m := range all {
		o.asked = append(o.asked, m.SID)
		claims[i] = o.claims[m.SID]
	}
	return claims, nil
}

func (o *office) questions() []message.SID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked)
}

func (o *office) say(sid message.SID, c mirror.Claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claims[sid] = c
}

func sent(n int, at time.Time) message.Message {
	m := mirrortest.Text(n, at)
	m.Direction, m.Status = message.OutboundAPI, message.Sent
	return m
}

// A message that a record asked for is written to that record and makes no other
// one, and while nobody knows yet it waits, but holds up nobody.
func TestAMessageGoesToTheRecordThatAskedForIt(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	o := &office{claims: map[message.SID]mirror.Claim{}}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, func(p *mirror.Ports) { p.Sends = o; knowsAda(p) })
		defer w.stop()
		bound, unclear, strange, inbound := sent(1, time.Now()), sent(2, time.Now()), sent(3, time.Now()), mirrortest.Text(4, time.Now())
		org.PutDraft("a00DRAFT")
		o.say(bound.SID, mirror.Claim{Record: "a00DRAFT"})
		o.say(unclear.SID, mirror.Claim{Wait: true})
		account.Put(bound, unclear, strange, inbound)
		go func() { _ = w.Sweeper.Full(context.Background()) }()
		time.Sleep(3 * time.Second)
		require.Len(t, org.All(), 3)
		require.NotContains(t, org.All(), unclear.SID)
		require.Empty(t, org.Links(bound.SID), "the record was there before the message")
		require.Equal(t, []message.Links{herLinks}, org.Links(strange.SID))
		draft, _ := org.Draft("a00DRAFT")
		require.Equal(t, bound.SID, draft.SID)
		require.False(t, slices.Contains(o.questions(), inbound.SID))
		require.True(t, w.cursor(t).Before(bound.Created), "the sweep is not over while one waits (P3)")

		o.say(unclear.SID, mirror.Claim{})
		time.Sleep(time.Minute)
		require.Equal(t, []message.Links{herLinks}, org.Links(unclear.SID), "it was nobody's after all")
		require.Empty(t, conditions(w.health))
	})
}

func TestWhatIsUnclearForLongIsNoTroubleOfTheOrgs(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	o := &office{claims: map[message.SID]mirror.Claim{mirrortest.SID(1): {Wait: true}}}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, func(p *mirror.Ports) { p.Sends = o })
		defer w.stop()
		account.Put(sent(1, time.Now()))
		go func() { _ = w.Sweeper.Full(context.Background()) }()
		time.Sleep(20 * time.Minute)
		require.Empty(t, conditions(w.health))
		require.Zero(t, org.Calls())
		require.Less(t, len(o.questions()), 60)
		o.say(mirrortest.SID(1), mirror.Claim{Record: "a00DRAFT", Rejected: true})
		org.PutDraft("a00DRAFT")
		time.Sleep(time.Minute)
		require.Equal(t, 1, org.Calls())
	})
}

// A message of a campaign gets a record of its own, which says so from its beginning.
// From then on it is the users' own: a later state does not say it again.
func TestAMessageOfACampaignIsLinkedToItWhenItsRecordIsMade(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	o := &office{claims: map[message.SID]mirror.Claim{mirrortest.SID(1): {Bulk: "a01BULK"}}}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, func(p *mirror.Ports) { p.Sends = o; knowsAda(p) })
		defer w.stop()
		first := sent(1, time.Now())
		account.Put(first, sent(2, time.Now()))
		require.NoError(t, w.Sweeper.Full(context.Background()))
		require.Equal(t, "a01BULK", org.Bulk(first.SID))
		require.Empty(t, org.Bulk(mirrortest.SID(2)))
		require.Equal(t, []message.Links{herLinks}, org.Links(first.SID))

		time.Sleep(time.Minute)
		first.Status, first.Updated = message.Delivered, time.Now()
		account.Put(first)
		require.NoError(t, w.Sweeper.Full(context.Background()))
		require.Equal(t, message.Delivered, org.All()[first.SID].Status)
		require.Len(t, org.Links(first.SID), 1)
	})
}
