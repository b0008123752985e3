package consent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
)

// memory is a register that knows who has opted out, and the rows of an org.
type memory struct {
	out      map[message.Number]bool
	reads    consent.Classifier
	keywords []consent.Keyword
	broken   error
	moved    []message.Number

	rows    int // in the org
	learnt  []message.OptIn
	place   string
	done    bool
	trouble []error // what the next pages fail with
	asked   []string
}

func (m *memory) Allowed(_ context.Context, numbers []message.Number, _ string) (map[message.Number]bool, error) {
	may := map[message.Number]bool{}
	for _, n := range numbers {
		may[n] = !m.out[n]
	}
	return may, m.broken
}

func (m *memory) Learn(context.Context, []message.OptIn) error { return nil }
func (m *memory) Use(c consent.Classifier)                     { m.reads = c }

func (m *memory) Moved(_ context.Context, n message.Number, _ time.Time) error {
	m.moved = append(m.moved, n)
	return nil
}

func (m *memory) Keywords(context.Context) ([]consent.Keyword, error) { return m.keywords, nil }

func (m *memory) KeepKeywords(_ context.Context, all []consent.Keyword) error {
	if m.broken == nil {
		m.keywords = all
	}
	return m.broken
}

func (m *memory) Begun(_ context.Context, now time.Time) (time.Time, error) { return now, nil }
func (m *memory) Filled(context.Context) (string, bool, error)              { return m.place, m.done, nil }

func (m *memory) Fill(_ context.Context, rows []message.OptIn, place string, done bool) error {
	m.learnt, m.place, m.done = append(m.learnt, rows...), place, done
	return nil
}

func (m *memory) OptIns(_ context.Context, after string) ([]message.OptIn, string, error) {
	m.asked = append(m.asked, after)
	if len(m.trouble) > 0 {
		err := m.trouble[0]
		m.trouble = m.trouble[1:]
		if err != nil {
			return nil, "", err
		}
	}
	from := 0
	_, _ = fmt.Sscan(after, &from)
	var rows []message.OptIn
	for i := from; i < min(from+2, m.rows); i++ {
		rows = append(rows, message.OptIn{Number: message.Number(fmt.Sprint("+1", i))})
	}
	if from+2 >= m.rows {
		return rows, "", nil
	}
	return rows, fmt.Sprint(from + 2), nil
}

func engine(t *testing.T, m *memory) (*consent.Consent, *health.Registry) {
	t.Helper()
	h := health.New(zap.NewNop(), nil)
	c, err := consent.New(t.Context(), consent.Ports{Register: m, Keywords: m, Progress: m, Rows: m, Health: h}, consent.Lists{Stop: []string{"parar"}})
	require.NoError(t, err)
	return c, h
}

func inbound(from message.Number, text string) *message.Event {
	return &message.Event{Kind: message.InboundEvent, From: from, Body: text}
}

func TestOnlyAKeywordOfSomebodyWhoMayBeTextedIsAnswered(t *testing.T) {
	m := &memory{out: map[message.Number]bool{"+1": true}, keywords: []consent.Keyword{join, {ID: "a02", Word: "mute"}}}
	c, _ := engine(t, m)
	for _, text := range []string{"stop", "START", "help", "mute", "join us", " "} {
		require.Empty(t, c.Reply(t.Context(), inbound("+2", text)), text)
	}
	require.Equal(t, "Welcome!", c.Reply(t.Context(), inbound("+2", "join")), "known from before a restart")
	require.Empty(t, c.Reply(t.Context(), inbound("+1", "join")), "it has opted out")
	status := inbound("+2", "join")
	status.Kind = message.StatusEvent
	require.Empty(t, c.Reply(t.Context(), status))
	m.broken = errors.New("the disk is gone")
	require.Empty(t, c.Reply(t.Context(), inbound("+2", "join")), "in doubt nothing is sent")
}

func TestKeywordsThatCannotBeKeptDoNotCount(t *testing.T) {
	m := &memory{}
	c, h := engine(t, m)
	c.Install()
	m.broken = errors.New("the disk is gone")
	require.Error(t, c.SetKeywords(t.Context(), []consent.Keyword{join}))
	require.Equal(t, consent.None, m.reads("join", "").Class, "or a restart would forget what it has promised")
	m.broken = nil
	require.NoError(t, c.SetKeywords(t.Context(), []consent.Keyword{join, {ID: "a02", Word: "PARAR"}}))
	require.Equal(t, consent.Join, m.reads("join", "").Class)
	require.Equal(t, consent.Stop, m.reads("parar", "").Class)
	require.Contains(t, h.Active()[0].Cause, `"PARAR" is a stop word`)
	require.NoError(t, c.SetKeywords(t.Context(), nil))
	require.Equal(t, consent.None, m.reads("join", "").Class)
	require.Empty(t, h.Active())
}

func TestTheRegisterIsFilledOnceFromWhereItWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := fault.New(fault.Auth, "query", errors.New("hidden"))
		wait.After = time.Hour
		m := &memory{rows: 5, trouble: []error{nil, wait}}
		c, _ := engine(t, m)
		began := time.Now()
		c.Run(t.Context())
		require.Len(t, m.learnt, 5)
		require.Equal(t, []string{"", "2", "2", "4"}, m.asked)
		require.Equal(t, time.Hour, time.Since(began), "it waits as long as it is told to")
		require.NoError(t, c.Known(t.Context()))
		c.Run(t.Context())
		require.Len(t, m.asked, 4)

		m.done, m.trouble = false, []error{wait}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c.Run(ctx) // and ends with its context
		require.False(t, m.done)
	})
}

// Nothing is sent before: a number that has opted out may pass for one that has not.
func TestWhoHasOptedOutIsKnownOnceTheOrgHasSaidSo(t *testing.T) {
	for name, c := range map[string]struct {
		trouble error
		known   bool
	}{
		"not yet":             {fault.New(fault.Transient, "query", errors.New("busy")), false},
		"an org without them": {fmt.Errorf("query: %w", consent.ErrNone), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, _ := engine(t, &memory{rows: 5, trouble: []error{c.trouble}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go e.Run(ctx)
				soon, late := context.WithTimeout(t.Context(), time.Second)
				defer late()
				require.Equal(t, c.known, e.Known(soon) == nil)
				time.Sleep(time.Minute)
				require.NoError(t, e.Known(t.Context()))
			})
		})
	}
}

func TestANumberThatMovesLeavesItsWhatsAppToo(t *testing.T) {
	m := &memory{}
	c, _ := engine(t, m)
	require.NoError(t, c.Moved(t.Context(), "+1", time.Now()))
	require.Equal(t, []message.Number{"+1", "whatsapp:+1"}, m.moved)
}

func TestAReplyThatTwilioDoesNotSendIsTold(t *testing.T) {
	m := &memory{}
	c, h := engine(t, m)
	long := consent.Keyword{ID: "a02", Word: "SALE", Reply: strings.Repeat("é", 1601)}
	require.NoError(t, c.SetKeywords(t.Context(), []consent.Keyword{join, long}))
	require.Len(t, h.Active(), 1)
	require.Contains(t, h.Active()[0].Cause, `"SALE" has 1601 characters`)
	long.Reply = long.Reply[2:]
	require.NoError(t, c.SetKeywords(t.Context(), []consent.Keyword{join, long}))
	require.Empty(t, h.Active())
}
