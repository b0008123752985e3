package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
	"github.com/twiliosf/twiliosf/sync/store"
)

// soul is what a recipient must be, as simple as can be.
type soul struct {
	campaign.Recipient
	state   string // waiting, handed, tried, accepted, refused, held or out
	status  message.Status
	code    int
	replied bool
}

// model is a campaign in memory, beside the one in the store.
type model struct {
	*crowd
	rng   *rand.Rand
	souls []*soul
	tries map[string]int // calls to Twilio, by key
}

func (m *model) count() campaign.Counts {
	c := campaign.Counts{LeftOut: map[campaign.Reason]int{}, Last: map[string]int{}}
	for _, x := range m.souls {
		if x.state == "out" {
			c.LeftOut[x.Reason]++
			continue
		}
		c.Last[x.Last]++
		if x.replied {
			c.Replied++
		}
		into := map[string]*int{"waiting": &c.Waiting, "handed": &c.Handed, "tried": &c.Handed, "accepted": &c.Accepted, "refused": &c.Refused, "held": &c.Uncertain}
		*into[x.state]++
		switch {
		case x.code == 21610:
			c.Blocked++
			if x.state == "refused" {
				c.Stopped++
			}
		case x.status == message.Sent:
			c.Sent++
		case x.status == message.Delivered:
			c.Delivered++
		case x.status == message.Undelivered:
			c.Undelivered++
		}
		if x.state == "accepted" && !x.status.Final() {
			c.Open++
		}
	}
	return c
}

func (m *model) of(a *outbox.Attempt) *soul {
	m.t.Helper()
	_, n, ok := campaign.ReadKey(a.Draft.ID)
	require.True(m.t, ok)
	for _, x := range m.souls {
		if x.N == n {
			return x
		}
	}
	require.Fail(m.t, "nobody has the key")
	return nil
}

// page adds people, of whom some are there, share a number or are left out.
func (m *model) page() {
	var page []campaign.Recipient
	for range m.rng.IntN(8) {
		p := person(m.rng.IntN(60))
		p.Number = person(m.rng.IntN(40)).Number
		if m.rng.IntN(6) == 0 {
			p.Reason = campaign.OptedOut
		}
		page = append(page, p)
	}
	m.add(page...)
	for _, p := range page {
		x, known, taken := &soul{Recipient: p, state: "waiting"}, false, false
		for _, y := range m.souls {
			known = known || y.Person == p.Person
			taken = taken || y.state != "out" && y.Number == p.Number
		}
		if known {
			continue
		}
		if p.Reason == "" && taken {
			x.Reason = campaign.Duplicate
		}
		if x.Reason != "" {
			x.state = "out"
		}
		m.souls = append(m.souls, x)
	}
	m.number()
}

// number learns the numbers that the store has given.
func (m *model) number() {
	for _, r := range m.waiting(1000) {
		for _, x := range m.souls {
			if x.Person == r.Person {
				x.N = r.N
			}
		}
	}
}

func (m *model) handSome() {
	all := m.waiting(1 + m.rng.IntN(6))
	n, err := m.c.Hand(m.t.Context(), &m.Run, all, m.drafts(all))
	require.NoError(m.t, err)
	if m.Status != campaign.Sending {
		require.Zero(m.t, n)
		return
	}
	require.Equal(m.t, len(all), n)
	for i := range all {
		for _, x := range m.souls {
			if x.N == all[i].N {
				x.state = "handed"
			}
		}
	}
}

func (m *model) takeBack() {
	_, err := m.c.TakeBack(m.t.Context(), m.N, now.Add(time.Hour))
	require.NoError(m.t, err)
	m.given()
}

// given gives back what nobody has tried.
func (m *model) given() {
	for _, x := range m.souls {
		if x.state == "handed" {
			x.state = "waiting"
		}
	}
}

func (m *model) try() {
	for _, a := range m.intended() {
		if x := m.of(&a); x.state == "handed" {
			x.state = "tried"
			m.tries[a.Draft.ID]++
			require.Equal(m.t, 1, m.tries[a.Draft.ID], "nobody is sent to twice")
		}
	}
}

func (m *model) end() {
	for _, a := range m.attempts(outbox.Intended) {
		x := m.of(&a)
		switch m.rng.IntN(6) {
		case 0:
			m.ended(a, outbox.Rejected, 21610)
			x.state, x.code = "refused", 21610
		case 1:
			m.ended(a, outbox.Rejected, 21614)
			x.state = "refused"
		case 2:
			m.ended(a, outbox.Held, 0)
			x.state = "held"
		case 3, 4:
			m.accept(a)
			x.state, x.status = "accepted", message.Queued
		}
	}
}

func (m *model) decide() {
	for _, a := range m.attempts(outbox.Held) {
		msg := message.Message{SID: sidOf(&a), To: a.Out.To, From: ours, Direction: message.OutboundAPI, Status: message.Sent, Created: now}
		_, _, err := m.b.Claim(m.t.Context(), &a, &msg, now)
		require.NoError(m.t, err)
		x := m.of(&a)
		x.state, x.status = "accepted", message.Sent
		return
	}
}

func (m *model) news() {
	all := m.attempts(outbox.Accepted)
	if len(all) == 0 {
		return
	}
	a := all[m.rng.IntN(len(all))]
	x := m.of(&a)
	if m.rng.IntN(3) == 0 {
		m.writes(a.Out.To, now)
		x.replied = true
		return
	}
	status := []message.Status{message.Queued, message.Sent, message.Delivered, message.Undelivered}[m.rng.IntN(4)]
	m.becomes(&a, status, 0)
	if status.Rank() >= x.status.Rank() {
		x.status = status
	}
}

func (m *model) pause() {
	if m.Status == campaign.Sending {
		m.told(commanded(campaign.Pause))
		m.given()
	} else {
		m.told(commanded(campaign.Resume))
	}
}

func (m *model) anew() {
	if m.rng.IntN(4) > 0 {
		return
	}
	require.NoError(m.t, m.c.Clear(m.t.Context(), m.N, false))
	var left []*soul
	for _, x := range m.souls {
		if x.state != "waiting" && x.state != "out" {
			left = append(left, x)
		}
	}
	m.souls = left
}

// The store's counts are the model's whatever happens, and add up to everybody.
func TestCountsAddUpWhateverHappens(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			onEach(t, func(t *testing.T, s *store.Store) {
				m := &model{crowd: sending(t, s), rng: rand.New(rand.NewPCG(seed, 1)), tries: map[string]int{}}
				steps := []func(){m.page, m.page, m.handSome, m.handSome, m.takeBack, m.try, m.try, m.end, m.end, m.decide, m.news, m.news, m.news, m.pause, m.anew}
				for range 150 {
					steps[m.rng.IntN(len(steps))]()
					got := m.counts()
					require.Equal(t, m.count(), got)
					require.Equal(t, len(m.souls), got.Total())
					for _, x := range m.souls {
						seen[x.state] = true
					}
				}
				open, err := m.c.Open(t.Context(), m.N)
				require.NoError(t, err)
				require.Equal(t, m.count().Handed, open)
			})
		})
	}
	require.Len(t, seen, 7, "all that may become of somebody")
}
