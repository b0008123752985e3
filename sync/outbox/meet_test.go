package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

func TestWhatAReadingMakesOfARecordsLastAttempt(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := message.Draft{ID: id(0), Modified: at, Ask: message.AskSend, To: string(theirs), Body: "hi"}
	with := func(change ...func(*message.Draft)) message.Draft {
		x := d
		for _, c := range change {
			c(&x)
		}
		return x
	}
	newer := func(d *message.Draft) { d.Modified = at.Add(time.Minute) }
	older := func(d *message.Draft) { d.Modified = at.Add(-time.Minute) }
	off := func(d *message.Draft) { d.Ask = message.AskCancel }
	other := func(d *message.Draft) { d.Body = "ho" }
	last := func(s outbox.State, change ...func(*outbox.Attempt)) *outbox.Attempt {
		a := &outbox.Attempt{N: 7, Version: 3, Draft: d, Try: 1, State: s}
		for _, c := range change {
			c(a)
		}
		return a
	}
	once := func(a *outbox.Attempt) { a.Since, a.Intended = at, at }
	unwritten := func(a *outbox.Attempt) { a.Unwritten = true }

	for name, c := range map[string]struct {
		last   *outbox.Attempt
		draft  message.Draft
		action outbox.Action
		state  outbox.State
		try    int
		reread bool
	}{
		"asks for the first time":              {nil, d, outbox.Start, outbox.Fresh, 1, false},
		"asks for later":                       {nil, with(func(d *message.Draft) { d.SendAt = at.Add(time.Hour) }), outbox.Start, outbox.Fresh, 1, true},
		"asks for nothing":                     {nil, with(off), outbox.Ignore, "", 0, false},
		"was deleted before we knew it":        {nil, with(func(d *message.Draft) { d.Deleted = true }), outbox.Ignore, "", 0, false},
		"the same once more":                   {last(outbox.Ready), d, outbox.Ignore, "", 0, false},
		"an older reading of another text":     {last(outbox.Ready), with(older, other), outbox.Ignore, "", 0, false},
		"an older reading that calls it off":   {last(outbox.Ready), with(older, off), outbox.Ignore, "", 0, false},
		"another text":                         {last(outbox.Ready), with(newer, other), outbox.Replace, outbox.Fresh, 1, false},
		"called off":                           {last(outbox.Ready), with(newer, off), outbox.Replace, outbox.Dropped, 1, false},
		"called off in the same second":        {last(outbox.Fresh), with(off), outbox.Replace, outbox.Dropped, 1, false},
		"another text for what may have left":  {last(outbox.Ready, once), with(newer, other), outbox.Ignore, "", 0, false},
		"called off before it goes again":      {last(outbox.Ready, once), with(newer, off), outbox.Replace, outbox.Dropped, 1, false},
		"called off too late":                  {last(outbox.Intended, once), with(newer, off), outbox.Ignore, "", 0, false},
		"changed while it is looked for":       {last(outbox.Uncertain, once), with(newer, other), outbox.Ignore, "", 0, false},
		"changed after it was sent":            {last(outbox.Accepted, once), with(newer), outbox.Ignore, "", 0, false},
		"asks again":                           {last(outbox.Dropped), with(newer), outbox.Replace, outbox.Fresh, 1, true},
		"asks again, read in the same second":  {last(outbox.Dropped), d, outbox.Replace, outbox.Fresh, 1, true},
		"asked before it was called off":       {last(outbox.Dropped), with(older), outbox.Ignore, "", 0, false},
		"Send again after a refusal":           {last(outbox.Refused), with(newer), outbox.Start, outbox.Fresh, 2, true},
		"Send again after Twilio's refusal":    {last(outbox.Rejected, once), with(newer), outbox.Start, outbox.Fresh, 2, true},
		"the refusal is not written yet":       {last(outbox.Refused, unwritten), with(newer), outbox.Ignore, "", 0, false},
		"read before the refusal":              {last(outbox.Refused), d, outbox.Ignore, "", 0, false},
		"Send on a record that says Uncertain": {last(outbox.Held, once), with(newer), outbox.Replace, outbox.Held, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, action := outbox.Meet(c.last, &c.draft, at.Add(2*time.Minute))
			require.Equal(t, c.action, action)
			if action == outbox.Ignore {
				return
			}
			require.Equal(t, c.state, got.State)
			require.Equal(t, c.try, got.Try)
			require.Equal(t, c.reread, got.Reread)
			if action == outbox.Replace {
				require.EqualValues(t, 7, got.N)
				require.EqualValues(t, 3, got.Version)
			}
		})
	}
}

func TestWhatChangedMeanwhileIsNotOverwritten(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.stop()
		d := draft(0)
		w.ask(d)
		read, _, err := w.store.Outbox().Last(t.Context(), id(0))
		require.NoError(t, err)
		d.Ask = message.AskCancel
		w.ask(d)
		read.State = outbox.Ready
		revised, err := w.store.Outbox().Revise(t.Context(), []outbox.Attempt{read})
		require.NoError(t, err)
		require.Equal(t, []bool{false}, revised)
		ok, _, err := w.store.Outbox().Intend(t.Context(), &read)
		require.NoError(t, err)
		require.False(t, ok)
		now, _, err := w.store.Outbox().Last(t.Context(), id(0))
		require.NoError(t, err)
		require.Equal(t, outbox.Dropped, now.State)
	})
}

func TestASenderWhoseQueueIsFullPausesAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var all []message.Draft
		for n := range 20 {
			all = append(all, draft(2+n))
		}
		w.ask(append(all, draft(0))...)
		d := draft(1)
		d.Sender = string(other)
		time.Sleep(2 * time.Second)
		w.ask(d)
		time.Sleep(2 * time.Second)
		require.Len(t, w.account.sent(), 1)
		require.Empty(t, w.health.Active())
		w.account.locked(func() { w.account.err = nil })
		require.LessOrEqual(t, w.account.attempts(), 4, "the others of the full one wait too")
		time.Sleep(3 * time.Minute)
		w.once(22)
	}, func(w *world) {
		w.account.err = func(o message.Outgoing) error {
			if o.From != long {
				return nil
			}
			return &fault.Error{Class: fault.Throttled, Op: "create", Code: "21611", After: 30 * time.Second, Err: errReset}
		}
	})
}
