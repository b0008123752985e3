package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
)

// copyAll is the simplest mirror there could be: every second it writes all that
// the account lists, or what keep leaves of it.
func copyAll(keep func(m *message.Message) bool) func(context.Context, *sandbox.Sandbox, string) error {
	return func(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
		c, err := config.Parse("twiliosf.yaml", []byte(yaml), nil)
		if err != nil {
			return err
		}
		account, err := twilio.New(twilio.Options{AccountSID: c.Twilio.AccountSID, AuthToken: s.Twilio.AuthToken, BaseURL: c.Twilio.BaseURL, HTTP: s.TwilioTransport()})
		if err != nil {
			return err
		}
		org, err := salesforce.New(salesforce.Options{LoginURL: c.Salesforce.LoginURL, HTTP: s.OrgTransport(), DailyShare: 1, Auth: salesforce.JWT{
			ClientID: c.Salesforce.ClientID, Username: c.Salesforce.Username, PrivateKey: []byte(c.Salesforce.PrivateKey.Reveal()),
		}})
		if err != nil {
			return err
		}
		sink, err := records.New(org, records.Options{})
		if err != nil {
			return err
		}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
			err := account.Walk(ctx, mirror.Window{PageSize: mirror.BatchSize}, func(page []message.Message) (bool, error) {
				var batch []mirror.Record
				for i := range page {
					if keep == nil || keep(&page[i]) {
						batch = append(batch, mirror.Record{Message: &page[i]})
					}
				}
				_, err := sink.Upsert(ctx, batch)
				return true, err
			})
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// play shows a demo in virtual time and gives what the viewer saw, and for how long.
func play(t *testing.T, o Options, stopAfter time.Duration) (out string, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		if stopAfter > 0 {
			time.AfterFunc(stopAfter, cancel)
		}
		defer cancel()
		var b bytes.Buffer
		o.Out = &b
		begin := time.Now()
		err = Run(ctx, o)
		out, took = b.String(), time.Since(begin)
	})
	return out, took, err
}

// lastLine reads the summary that programs read.
func lastLine(t *testing.T, out string) report {
	t.Helper()
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	var r report
	d := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&r), out)
	return r
}

func TestTheDemoProvesOneTrueRecordAMessage(t *testing.T) {
	out, took, err := play(t, Options{For: 30 * time.Second, JSON: true, Daemon: copyAll(nil)}, 0)
	require.NoError(t, err, out)
	require.Contains(t, out, "Nothing leaves this machine")
	require.Contains(t, out, "0 lost, 0 duplicated, 0 stale")
	require.Regexp(t, `(?m)^00:05  \d+ messages in Twilio, \d+ records in Salesforce, \d+ waiting; lag p50 \d\.\ds, p95 \d\.\ds; API calls: Twilio \d+, Salesforce \d+$`, out)
	r := lastLine(t, out)
	require.Greater(t, r.Messages, 630)
	require.Equal(t, r.Messages, r.Records)
	require.NotZero(t, r.TwilioCalls)
	require.NotZero(t, r.SalesforceCalls)
	require.InDelta(t, 0.6, r.LagP50, 0.6, "the copy is made every second")
	require.GreaterOrEqual(t, took, 30*time.Second)
	require.Less(t, took, 40*time.Second)
	require.NotContains(t, out, "\x1b", "no escapes outside a terminal")
}

func TestTheDemoShowsTheRealDaemon(t *testing.T) {
	run := func(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
		d, err := daemon.New(ctx, daemon.Options{
			Load:   func() (*config.Config, error) { return config.Parse("twiliosf.yaml", []byte(yaml), nil) },
			Twilio: s.TwilioTransport(), Salesforce: s.OrgTransport(), Deaf: true,
		})
		if err != nil {
			return err
		}
		return errors.Join(d.Run(ctx), d.Close())
	}
	out, _, err := play(t, Options{For: 30 * time.Second, JSON: true, Daemon: run}, 0)
	require.NoError(t, err, out)
	r := lastLine(t, out)
	require.Greater(t, r.Messages, 630)
	require.Equal(t, r.Messages, r.Records)
	require.Less(t, r.LagP95, 6.0, "active sweeps come every 5 s")
}

func TestTheDemoFailsWhenTheMirrorIsWrong(t *testing.T) {
	tests := map[string]struct {
		daemon func(context.Context, *sandbox.Sandbox, string) error
		want   string
		check  func(report) bool
	}{
		"it loses a message now and then": {
			copyAll(func(m *message.Message) bool { return m.SID[10] != 'a' }), "lost",
			func(r report) bool { return r.Lost > 0 && r.Duplicated == 0 && r.Stale == 0 },
		},
		"it never looks at a message again": {
			copyAll(func() func(m *message.Message) bool {
				seen := map[message.SID]bool{}
				return func(m *message.Message) bool {
					was := seen[m.SID]
					seen[m.SID] = true
					return !was
				}
			}()), "stale",
			func(r report) bool { return r.Lost == 0 && r.Duplicated == 0 && r.Stale > 0 },
		},
		"it makes records of its own": {
			func(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
				if _, err := s.Org.Insert(sandbox.MessageObject, map[string]any{"Body__c": "who am I?"}); err != nil {
					return err
				}
				return copyAll(nil)(ctx, s, yaml)
			}, "strange",
			func(r report) bool { return r.Lost == 0 && r.Duplicated == 1 && r.Stale == 0 },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, took, err := play(t, Options{For: 10 * time.Second, JSON: true, Daemon: tt.daemon}, 0)
			require.ErrorIs(t, err, ErrDiffer)
			require.Contains(t, out, tt.want)
			require.True(t, tt.check(lastLine(t, out)), out)
			require.InDelta(t, 70*time.Second, took, float64(time.Second), "it has waited a minute more")
		})
	}
}

func TestAnInterruptedDemoStillSums(t *testing.T) {
	out, took, err := play(t, Options{JSON: true, Daemon: copyAll(nil)}, 12*time.Second+300*time.Millisecond)
	require.NoError(t, err, out)
	require.Less(t, took, 13*time.Second)
	require.Contains(t, out, "Stop it with Ctrl-C.")
	require.Contains(t, out, "Stopped while messages were on their way")
	r := lastLine(t, out)
	require.True(t, r.Interrupted)
	require.Greater(t, r.Records, 600)
}

func TestADaemonThatStopsEndsTheDemo(t *testing.T) {
	broken := errors.New("the disk is full")
	tests := map[string]struct {
		err  error
		want string
	}{
		"with an error":    {broken, "demo: the daemon stopped: the disk is full"},
		"without an error": {nil, "demo: the daemon stopped by itself"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, took, err := play(t, Options{Daemon: func(context.Context, *sandbox.Sandbox, string) error {
				time.Sleep(3 * time.Second) // virtual
				return tt.err
			}}, 0)
			require.EqualError(t, err, tt.want)
			require.Equal(t, 3*time.Second, took)
		})
	}

	stopsBadly := func(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
		return errors.Join(broken, fmt.Errorf("copy: %w", copyAll(nil)(ctx, s, yaml)))
	}
	_, _, err := play(t, Options{For: time.Second, Daemon: func(ctx context.Context, s *sandbox.Sandbox, yaml string) error {
		if err := stopsBadly(ctx, s, yaml); err != nil {
			return broken
		}
		return nil
	}}, 0)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "did not stop well")
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	require.Error(t, Run(t.Context(), Options{Out: &bytes.Buffer{}}))
	require.Error(t, Run(t.Context(), Options{Daemon: copyAll(nil)}))
	require.Error(t, Run(t.Context(), Options{Daemon: copyAll(nil), Out: &bytes.Buffer{}, For: -time.Second}))
}
