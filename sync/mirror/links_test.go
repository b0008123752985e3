package mirror_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
)

// ada answers that every message is hers.
type ada struct{}

var herLinks = message.Links{People: []message.Link{{Object: "Contact", ID: "003000000000001AAA"}}, Owner: "005000000000001AAA"}

func (ada) Meet(_ context.Context, batch []*message.Message) ([]message.Links, error) {
	links := make([]message.Links, len(batch))
	for i := range links {
		links[i] = herLinks
	}
	return links, nil
}

func knowsAda(p *mirror.Ports) { p.People = ada{} }

func (w *world) changeStatus(t *testing.T, m message.Message, s message.Status) {
	t.Helper()
	m.Direction, m.Status, m.Updated = message.OutboundAPI, s, m.Updated.Add(time.Minute)
	w.account.Put(m)
}

// What users change on a record stays: its links and its owner are written when
// it is made and never again.
func TestLinksAreWrittenWhenARecordIsMadeAndNeverAgain(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, knowsAda)
		defer w.stop()
		m := mirrortest.Text(1, time.Now())
		w.changeStatus(t, m, message.Queued)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		w.changeStatus(t, m, message.Delivered)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Equal(t, message.Delivered, org.All()[m.SID].Status)
		require.Equal(t, 2, org.Writes(m.SID))
		require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
		require.Zero(t, org.Asked(), "an empty org need not be asked")
	})
}

func TestAStatusThatComesWhileTheRecordIsMadeDoesNotLinkItAgain(t *testing.T) {
	for name, offered := range map[string]bool{"handed over to the writer": true, "found in the store": false} {
		t.Run(name, func(t *testing.T) {
			account, org := &mirrortest.Account{}, &mirrortest.Org{Latency: time.Second}
			synctest.Test(t, func(t *testing.T) {
				w := startWith(t, account, org, knowsAda)
				defer w.stop()
				m := mirrortest.Text(1, time.Now())
				w.changeStatus(t, m, message.Queued)
				go func() { _ = w.Sweeper.Full(context.WithoutCancel(t.Context())) }()
				time.Sleep(500 * time.Millisecond) // the write is under way
				w.changeStatus(t, m, message.Delivered)
				if offered {
					go func() { _ = w.Sweeper.Full(context.WithoutCancel(t.Context())) }()
				} else {
					m.Direction, m.Status = message.OutboundAPI, message.Delivered
					_, _, err := w.store.Merge(t.Context(), []message.Message{m})
					require.NoError(t, err)
					w.Writer.Wake()
				}
				time.Sleep(10 * time.Second)
				require.Equal(t, message.Delivered, org.All()[m.SID].Status)
				require.Equal(t, 2, org.Writes(m.SID))
				require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
				require.Zero(t, org.Asked())
			})
		})
	}
}

// A change may wait in memory for longer than the record's first writing takes: it
// was told then that the record is new, and is not any more.
func TestAChangeThatWaitedBehindManyDoesNotLinkItsRecordAgain(t *testing.T) {
	later := func(m message.Message) []message.Message {
		m.Status = message.Delivered
		return []message.Message{m}
	}
	for name, arrive := range map[string]func(w *world, m message.Message, others []message.Message) error{
		"handed over to the writer": func(w *world, m message.Message, others []message.Message) error {
			w.account.Put(append(others, m)...)
			go func() { _ = w.Sweeper.Full(context.Background()) }()
			time.Sleep(500 * time.Millisecond) // four batches are under way, and it is in one of them
			w.account.Put(later(m)...)
			go func() { _ = w.Sweeper.Full(context.Background()) }()
			return nil
		},
		"found in the store": func(w *world, m message.Message, others []message.Message) error {
			w.account.Put(m)
			go func() { _ = w.Sweeper.Full(context.Background()) }()
			time.Sleep(500 * time.Millisecond)
			_, _, err := w.store.Merge(context.Background(), append(others[:700], later(m)...))
			w.Writer.Wake()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			account, org := &mirrortest.Account{}, &mirrortest.Org{Latency: time.Second}
			synctest.Test(t, func(t *testing.T) {
				w := startWith(t, account, org, knowsAda)
				defer w.stop()
				time.Sleep(time.Minute)
				m := mirrortest.Text(5000, time.Now())
				m.Direction, m.Status = message.OutboundAPI, message.Queued
				require.NoError(t, arrive(w, m, texts(900, time.Now().Add(-time.Second), time.Millisecond)))
				time.Sleep(30 * time.Second)
				require.Equal(t, message.Delivered, org.All()[m.SID].Status)
				require.Equal(t, []message.Links{herLinks}, org.Links(m.SID))
			})
		})
	}
}

// What an earlier process has sent may be in the org, whatever the clocks say.
func TestWhatWasLeftByAnEarlierProcessIsAskedFor(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		m := mirrortest.Text(1, time.Now().Add(time.Minute))
		w := startWith(t, account, org, func(p *mirror.Ports) {
			knowsAda(p)
			_, _, err := p.Ledger.Merge(t.Context(), []message.Message{m})
			require.NoError(t, err)
			_, err = org.Upsert(t.Context(), []mirror.Record{{Message: &m}})
			require.NoError(t, err)
		})
		defer w.stop()
		w.Writer.Wake()
		synctest.Wait()
		require.Equal(t, 2, org.Writes(m.SID))
		require.Empty(t, org.Links(m.SID))
	})
}

// After a lost answer nobody knows whether a user has the record before them.
func TestAWriteWithUnknownOutcomeAsksBeforeItLinks(t *testing.T) {
	for name, taken := range map[string]bool{"the org had taken it": true, "the org had not": false} {
		t.Run(name, func(t *testing.T) {
			account, org := &mirrortest.Account{}, &mirrortest.Org{}
			lost := false
			org.Fail = func(int) (error, bool) {
				if lost {
					return nil, false
				}
				lost = true
				return fault.New(fault.Uncertain, "upsert", errors.New("connection reset")), taken
			}
			synctest.Test(t, func(t *testing.T) {
				w := startWith(t, account, org, knowsAda)
				defer w.stop()
				m := mirrortest.Text(1, time.Now())
				account.Put(m)
				require.NoError(t, w.Sweeper.Full(t.Context()))
				synctest.Wait()
				require.Equal(t, []message.Links{herLinks}, org.Links(m.SID), "once, by whichever write made it")
				require.Equal(t, 1, org.Asked())
			})
		})
	}
}

// Where others make records too, one may be there of a message that has only just
// come, in an org that was empty at the start.
func TestAnOrgThatOthersWriteToIsAskedAboutEachNewMessage(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		w := startAs(t, account, org, mirror.Options{Shared: true}, knowsAda)
		defer w.stop()
		time.Sleep(time.Minute)
		theirs, fresh := mirrortest.Text(1, time.Now()), mirrortest.Text(2, time.Now())
		_, err := org.Upsert(t.Context(), []mirror.Record{{Message: &theirs}})
		require.NoError(t, err)
		account.Put(theirs, fresh)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Empty(t, org.Links(theirs.SID), "what is the users' stays theirs")
		require.Equal(t, []message.Links{herLinks}, org.Links(fresh.SID))
		require.Equal(t, 2, org.Asked())
	})
}

// A store that was lost, or is new, meets an org that holds messages already.
func TestAnOrgThatHeldMessagesBeforeIsAskedForThem(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		old := mirrortest.Text(1, time.Now().Add(-time.Hour))
		_, err := org.Upsert(t.Context(), []mirror.Record{{Message: &old}})
		require.NoError(t, err)
		w := startWith(t, account, org, knowsAda)
		defer w.stop()
		missed := mirrortest.Text(2, time.Now().Add(-time.Hour))
		account.Put(old, missed)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Empty(t, org.Links(old.SID))
		require.Equal(t, []message.Links{herLinks}, org.Links(missed.SID))
		require.Equal(t, 2, org.Asked())

		time.Sleep(time.Minute)
		fresh := mirrortest.Text(3, time.Now())
		account.Put(fresh)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Equal(t, []message.Links{herLinks}, org.Links(fresh.SID))
		require.Equal(t, 2, org.Asked(), "what is younger than this process costs no call")
	})
}

type nobodyKnows struct{ mirror.Strangers }

func (nobodyKnows) Meet(context.Context, []*message.Message) ([]message.Links, error) {
	return nil, errors.New("the disk is gone")
}

func TestWhenPeopleCannotBeReadTheMessageWaits(t *testing.T) {
	account, org := &mirrortest.Account{}, &mirrortest.Org{}
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, account, org, func(p *mirror.Ports) { p.People = nobodyKnows{} })
		defer w.stop()
		m := mirrortest.Text(1, time.Now())
		account.Put(m)
		require.NoError(t, w.Sweeper.Full(t.Context()))
		synctest.Wait()
		require.Empty(t, org.All())
		require.False(t, w.cursor(t).After(m.Created), w.cursor(t))
		require.Contains(t, conditions(w.health), "store")
	})
}
