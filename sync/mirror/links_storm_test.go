package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// stormy is an org in a storm that notes each record that was given links though
// it was there, and each that was made without.
type stormy struct {
	*mirrortest.Org
	mu     sync.Mutex
	rng    *rand.Rand
	calm   bool
	wrongs []string
}

func (s *stormy) n(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calm {
		return n
	}
	return s.rng.IntN(n)
}

func (s *stormy) Held(ctx context.Context, sids []message.SID) (map[message.SID]bool, error) {
	if s.n(10) == 0 {
		return nil, fault.New(fault.Transient, "query", errors.New("no"))
	}
	return s.Org.Held(ctx, sids)
}

func (s *stormy) Upsert(ctx context.Context, batch []mirror.Record) ([]error, error) {
	switch s.n(12) {
	case 0:
		return nil, fault.New(fault.Throttled, "upsert", errors.New("no"))
	case 1:
		return nil, fault.New(fault.Uncertain, "upsert", errors.New("no"))
	}
	outcomes := make([]error, len(batch))
	var taken []mirror.Record
	for i, r := range batch {
		switch s.n(12) {
		case 0:
			outcomes[i] = fault.New(fault.Transient, "upsert", errors.New("a lock"))
			continue
		case 1:
			outcomes[i] = fault.New(fault.Uncertain, "upsert", errors.New("lost")) // and taken
		case 2, 6, 7, 8:
			outcomes[i] = fault.New(fault.Permanent, "upsert", errors.New("a rule"))
			continue
		}
		taken = append(taken, r)
	}
	there := s.All()
	s.mu.Lock()
	for _, r := range taken {
		if _, held := there[r.Message.SID]; held == (r.Links != nil) {
			s.wrongs = append(s.wrongs, fmt.Sprintf("%s held %v", r.Message.SID, held))
		}
	}
	s.mu.Unlock()
	if _, err := s.Org.Upsert(ctx, taken); err != nil {
		return nil, err
	}
	if s.n(12) == 0 {
		return nil, fault.New(fault.Uncertain, "upsert", errors.New("lost"))
	}
	return outcomes, nil
}

// Whatever fails, whoever is faster and however often the daemon starts anew:
// links travel with the write that makes a record, and with no other.
func TestLinksInAStorm(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			org := &stormy{Org: &mirrortest.Org{Latency: 150 * time.Millisecond}, rng: rand.New(rand.NewPCG(seed, 8))}
			synctest.Test(t, func(t *testing.T) {
				st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + t.TempDir() + "/m.db"})
				require.NoError(t, err)
				defer func() { require.NoError(t, st.Close()) }()
				base := &world{account: &mirrortest.Account{}, org: org.Org, store: st, backlog: &backlog{Store: st}, health: health.New(zap.NewNop(), nil)}
				for range 4 {
					w := base.restart(t, mirror.Options{Writers: 1 + rng.IntN(4)}, func(p *mirror.Ports) {
						knowsAda(p)
						p.Sink = org
					})
					w.storm(t, rng)
					w.stop()
				}
				org.calm = true
				w := base.restart(t, mirror.Options{}, func(p *mirror.Ports) {
					knowsAda(p)
					p.Sink = org
				})
				_, err = w.store.RetryQuarantined(t.Context())
				require.NoError(t, err)
				w.Writer.Wake()
				require.NoError(t, w.Sweeper.Full(t.Context()))
				time.Sleep(20 * time.Minute)
				require.NoError(t, w.Sweeper.Full(t.Context()))
				time.Sleep(20 * time.Minute)
				w.stop()
				require.Empty(t, org.wrongs)
				for sid, m := range w.account.All() {
					require.Equal(t, m, org.All()[sid])
				}
			})
		})
	}
}

func (w *world) storm(t *testing.T, rng *rand.Rand) {
	t.Helper()
	ladder := []message.Status{message.Sending, message.Sent, message.Delivered, message.Read}
	for range 400 {
		n := rng.IntN(60)
		m, known := w.account.All()[mirrortest.SID(n)]
		switch rng.IntN(9) {
		case 0, 1:
			if !known {
				m = mirrortest.Text(n, time.Now())
				if n%2 == 0 {
					m = outbound(n, time.Now())
				}
				w.account.Put(m)
			}
			if m.Direction == message.Inbound {
				w.announce(t, m)
			}
		case 2, 6, 7, 8:
			if next := ladder[rng.IntN(len(ladder))]; known && m.Direction != message.Inbound && next.Rank() > m.Status.Rank() {
				m.Status, m.Updated = next, time.Now().UTC().Truncate(time.Second)
				w.account.Put(m)
				w.callback(t, m.SID, m.Status, 0)
			}
		case 3:
			_ = w.Sweeper.Active(t.Context())
		case 4:
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_ = w.Sweeper.Full(ctx)
			cancel()
		case 5:
			_, err := w.store.RetryQuarantined(t.Context())
			require.NoError(t, err)
			w.Writer.Wake()
		}
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
	}
}
