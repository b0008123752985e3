package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	object = "TwilioSF_Message__c"
	// historyDays is over how many days the messages are spread, today left out.
	historyDays = 20
)

// history fills the account with finished messages of the usual kind.
func history(s *sandbox.Sandbox, n int) {
	if n == 0 {
		return
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same messages each time
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -historyDays-3)
	step := historyDays * 24 * time.Hour / time.Duration(n)
	const words = "Your appointment is on Tuesday at ten. Reply C to confirm, R to choose another time, or call us. Thank you! "
	s.Twilio.SeedFunc(n, func(i int) twiliotest.Row {
		at := begin.Add(time.Duration(i) * step)
		r := twiliotest.Row{
			From: "+14155550100", To: fmt.Sprintf("+1415%07d", random.IntN(9_000_000)+1_000_000),
			Body: words[:20+random.IntN(len(words)-20)], Direction: "outbound-api", Status: "delivered",
			Created: at, Sent: at, Updated: at.Add(3 * time.Second), Segments: 1, Price: "-0.00790",
		}
		if i%3 == 0 {
			r.From, r.To, r.Direction, r.Status = r.To, r.From, "inbound", "received"
		}
		return r
	}, nil)
}

// pair makes both emulators, listening, with n messages in the account.
func pair(n int, org salesforcetest.Options) (*sandbox.Sandbox, string, func(), error) {
	org.DailyLimit = 100_000_000
	org.StorageMB = 1 << 20
	s, err := sandbox.New(sandbox.Options{Org: org})
	if err != nil {
		return nil, "", nil, err
	}
	history(s, n)
	if err := s.Listen("127.0.0.1:0", "127.0.0.1:0"); err != nil {
		return nil, "", nil, err
	}
	dir, err := os.MkdirTemp("", "twiliosf-bench-")
	if err != nil {
		s.Close()
		return nil, "", nil, err
	}
	return s, dir, func() { s.Close(); _ = os.RemoveAll(dir) }, nil //nolint:errcheck // a temporary folder
}

// backfillConfig reads the whole history in the first run, and only once.
func backfillConfig(y string) string {
	return strings.NewReplacer("start: 7d", "start: 30d", "full_every: 1m", "full_every: 1h", "refresh_every: 5m", "refresh_every: 6h", "drafts_every: 5s", "drafts_every: 15s").Replace(y)
}

// mirrored runs a daemon until the org holds n records, and calls each second.
func mirrored(ctx context.Context, s *sandbox.Sandbox, p *process, n int, each func()) (time.Duration, error) {
	began, second := time.Now(), time.Now()
	for s.Org.Count(object) < n {
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
		if each != nil && time.Since(second) > time.Second {
			second = time.Now()
			each()
		}
		if time.Since(began) > 30*time.Minute {
			return 0, fmt.Errorf("after 30 minutes the org has %d of %d records", s.Org.Count(object), n)
		}
	}
	return time.Since(began) + p.ready, nil
}

// once runs one backfill of n messages.
func once(ctx context.Context, n int, latency bool, each func(*process)) (time.Duration, usage, error) {
	org := salesforcetest.Options{}
	if latency {
		org.Latency = func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }
	}
	s, dir, done, err := pair(n, org)
	if err != nil {
		return 0, usage{}, err
	}
	defer done()
	if latency {
		s.Twilio.SetLatency(400 * time.Millisecond)
	}
	p, err := start(ctx, s, dir, backfillConfig)
	if err != nil {
		return 0, usage{}, err
	}
	took, err := mirrored(ctx, s, p, n, func() {
		if each != nil {
			each(p)
		}
	})
	if err != nil {
		return 0, usage{}, err
	}
	u, err := p.stop()
	if err != nil {
		return 0, usage{}, err
	}
	if c := sandbox.Compare(s.Twilio, s.Org); !c.Clean() {
		return 0, usage{}, fmt.Errorf("the mirror is not true: %s", c)
	}
	return took, u, nil
}

func (z sizes) measureCPU(ctx context.Context) ([]figure, error) {
	took, u, err := once(ctx, z.cpu, false, nil)
	if err != nil {
		return nil, err
	}
	per := u.CPU / time.Duration(z.cpu)
	return []figure{{
		What:     fmt.Sprintf("CPU per mirrored message, zero latency, first sight (%d messages)", z.cpu),
		Measured: fmt.Sprintf("%.1f us (%.0f messages/s)", float64(per.Nanoseconds())/1000, float64(z.cpu)/took.Seconds()),
		Goal:     "under 20 us", Met: per < 20*time.Microsecond,
	}}, nil
}

func (z sizes) measureBackfill(ctx context.Context) ([]figure, error) {
	took, _, err := once(ctx, z.backfill, true, nil)
	if err != nil {
		return nil, err
	}
	// min(8 x 1000 / 0.4 s, 8 x 200 / 0.6 s): Salesforce's side is the limit.
	limit := 8 * 200 / 0.6
	rate := float64(z.backfill) / took.Seconds()
	return []figure{{
		What:     fmt.Sprintf("backfill, Twilio 400 ms a page, Salesforce 600 ms a call (%d messages, start included)", z.backfill),
		Measured: fmt.Sprintf("%.0f messages/s = %.1f %% of the limit of %.0f", rate, 100*rate/limit, limit),
		Goal:     "95 % of the limit", Met: rate >= 0.95*limit,
	}}, nil
}

func (z sizes) measureMemory(ctx context.Context) ([]figure, error) {
	var samples []int64
	took, u, err := once(ctx, z.memory, false, func(p *process) { samples = append(samples, p.rss()) })
	if err != nil {
		return nil, err
	}
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	flat := "too short to tell"
	if n := len(samples); n >= 4 {
		half := slices.Max(samples[n/4 : n/2])
		flat = fmt.Sprintf("%.0f MiB in the second quarter, %.0f MiB in the last", mib(half), mib(slices.Max(samples[3*n/4:])))
	}
	return []figure{{
		What:     fmt.Sprintf("resident memory, backfill of %d messages", z.memory),
		Measured: fmt.Sprintf("%.0f MiB at the most (%s); %.0f messages/s", mib(u.MaxRSS), flat, float64(z.memory)/took.Seconds()),
		Goal:     "under 64 MiB, flat", Met: u.MaxRSS < 64<<20,
	}}, nil
}

// measureQuiet counts calls of an account in which nothing happens.
func measureQuiet(ctx context.Context) ([]figure, error) {
	const n, sweeps = 900, 2
	s, dir, done, err := pair(n, salesforcetest.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := start(ctx, s, dir, func(y string) string {
		return strings.NewReplacer("start: 7d", "start: 30d", "drafts_every: 5s", "drafts_every: 15s").Replace(y)
	})
	if err != nil {
		return nil, err
	}
	if _, err := mirrored(ctx, s, p, n, nil); err != nil {
		return nil, err
	}
	time.Sleep(5 * time.Second) // the first run ends
	s.Twilio.ResetCalls()
	s.Org.ResetCalls()
	select {
	case <-time.After(sweeps * time.Minute):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	tw, sf := s.Twilio.Calls().Total, s.Org.Calls().Total
	// The draft poll's and the people index's. Each may fall due once more by
	// where the span begins.
	polls, indexed := sweeps*int(time.Minute/(15*time.Second)), 1
	if _, err := p.stop(); err != nil {
		return nil, err
	}
	return []figure{{
		What:     fmt.Sprintf("quiet account of %d messages, %d full sweeps", n, sweeps),
		Measured: fmt.Sprintf("%d Twilio calls, %d Salesforce calls", tw, sf),
		Goal:     "1 Twilio call a full sweep; Salesforce: the draft poll's one call per 15 s and the people index's one per 5 min, nothing else",
		Met:      tw == sweeps && sf >= polls-1 && sf <= polls+1+indexed,
	}}, nil
}

func measureStart(ctx context.Context) ([]figure, error) {
	var all []time.Duration
	for range 7 {
		s, dir, done, err := pair(100, salesforcetest.Options{})
		if err != nil {
			return nil, err
		}
		p, err := start(ctx, s, dir, nil)
		if err == nil {
			all = append(all, p.ready)
			_, err = p.stop()
		}
		done()
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	median := all[len(all)/2]
	return []figure{{
		What:     "cold start to ready, empty store (median of 7)",
		Measured: fmt.Sprintf("%d ms (worst %d ms)", median.Milliseconds(), all[len(all)-1].Milliseconds()),
		Goal:     "under 500 ms", Met: median < 500*time.Millisecond,
	}}, nil
}
