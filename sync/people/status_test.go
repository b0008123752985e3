package people_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// to is a message of ours that came to an end.
func to(number message.Number, at time.Time, status message.Status, code int) message.Message {
	return message.Message{
		SID: "SM1", From: "+15005550006", To: number, Direction: message.OutboundAPI, Status: status, ErrorCode: code, Created: at,
	}
}

func TestTheLastStatusFollowsTheNewestMessageThatHasAnEnd(t *testing.T) {
	o := newOrg("Contact", "Lead")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	lead := o.set("Lead", 1, ann, "(415) 555-0100")
	o.set("Contact", 2, ann, "(415) 555-0101")
	o.set("Contact", 3, ann, "(415) 555-0101")
	w.fill()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	last := func(person message.Link, status string, at time.Time) message.LastStatus {
		return message.LastStatus{Person: person, Status: status, At: at}
	}
	step := func(m message.Message, status string, at time.Time) {
		t.Helper()
		w.meet(m)
		require.Equal(t, map[string]message.LastStatus{
			contact: last(link("Contact", contact), status, at), lead: last(link("Lead", lead), status, at),
		}, w.statuses())
	}
	w.meet(to("+14155550100", noon, message.Sent, 0))
	w.meet(to("+14155550100", noon, message.Canceled, 0))
	w.meet(to("+14155550101", noon, message.Delivered, 0))
	w.meet(from("+14155550100"))
	require.Empty(t, w.statuses(), "no end; two people; not ours")

	step(to("+14155550100", noon, message.Undelivered, 30005), "undelivered", noon)
	step(to("+14155550100", noon.Add(time.Hour), message.Read, 0), "delivered", noon.Add(time.Hour))
	step(to("+14155550100", noon.Add(-time.Hour), message.Failed, 0), "delivered", noon.Add(time.Hour))
	step(to("+14155550100", noon.Add(time.Hour), message.Undelivered, 30003), "undelivered", noon.Add(time.Hour))
	step(to("+14155550100", noon.Add(2*time.Hour), message.Failed, 21610), "blocked", noon.Add(2*time.Hour))
	step(to("+14155550100", noon.Add(3*time.Hour), message.Failed, 30410), "failed", noon.Add(3*time.Hour))
	step(to("whatsapp:+14155550100", noon.Add(4*time.Hour), message.Undelivered, 30004), "blocked", noon.Add(4*time.Hour))
}

func TestOfABatchTheNewestMessageCounts(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var batch []*message.Message
	for _, minutes := range []int{3, 9, 1, 7} {
		m := to("+14155550100", noon.Add(time.Duration(minutes)*time.Minute), message.Delivered, 0)
		batch = append(batch, &m)
	}
	batch[1].Status = message.Failed
	_, err := w.engine.Meet(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, "failed", w.statuses()[contact].Status)
}

func TestWhatIsKnownIsNotWrittenAgain(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	m := to("+14155550100", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), message.Delivered, 0)
	w.meet(m)
	queue := w.store.FollowUps()
	due, err := queue.Due(t.Context(), message.FollowStatus, time.Now(), 10)
	require.NoError(t, err)
	require.NoError(t, queue.Settle(t.Context(), []followup.Settlement{{Queued: due[0]}}))
	// Whoever would write waits for ever: the one writing connection is taken.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, w.store.Tx(ctx, func(*sql.Tx) error {
		_, err := w.engine.Meet(ctx, []*message.Message{&m})
		return err
	}))
	require.Empty(t, w.statuses(), "it has been written, and nothing is newer")
	require.Empty(t, w.conditions())
}

func TestAStatusIsForgottenWithItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		kept := func() (n int) {
			t.Helper()
			require.NoError(t, w.store.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM last_status`).Scan(&n))
			return n
		}
		for n := range 3 {
			o.set("Contact", n, ann, fmt.Sprintf("(415) 555-010%d", n))
		}
		w.fill()
		for n := range 3 {
			w.meet(to(message.Number(fmt.Sprintf("+1415555010%d", n)), time.Now(), message.Delivered, 0))
		}
		require.Equal(t, 3, kept())
		time.Sleep(5 * time.Minute)
		o.remove("Contact", id("Contact", 0))
		w.refresh()
		require.Equal(t, 2, kept(), "deleted")
		delete(o.rows["Contact"], id("Contact", 1))
		time.Sleep(8 * 24 * time.Hour)
		w.fill()
		require.Equal(t, 1, kept(), "deleted for good")
	})
}

func TestTheLastStatusGoesWithTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg("Contact")
		w := newWorld(t, o)
		contact := o.set("Contact", 1, ann, "(415) 555-0100", "(415) 555-0109")
		w.fill()
		w.meet(to("+14155550100", time.Now(), message.Delivered, 0))
		time.Sleep(5 * time.Minute)
		o.set("Contact", 1, ann, "(415) 555-0100", "(415) 555-0108")
		w.refresh()
		require.Equal(t, "delivered", w.statuses()[contact].Status, "it was another number that changed")
		o.set("Contact", 1, ann, "(415) 555-0101", "(415) 555-0108")
		w.refresh()
		require.Equal(t, message.LastStatus{Person: link("Contact", contact)}, w.statuses()[contact])
		old := to("+14155550101", time.Now().Add(-time.Hour), message.Failed, 0)
		w.meet(old)
		require.Equal(t, "failed", w.statuses()[contact].Status, "the new number has a history of its own")
		o.set("Contact", 1, ann)
		time.Sleep(time.Minute)
		w.refresh()
		require.Empty(t, w.statuses()[contact].Status, "no number at all any more")
	})
}

func TestAStoreThatCannotKeepAStatusHoldsUpNoMessage(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	_, err := w.store.DB().ExecContext(t.Context(), `CREATE TRIGGER full BEFORE INSERT ON last_status BEGIN SELECT RAISE(FAIL, 'disk full'); END`)
	require.NoError(t, err)
	m := to("+14155550100", time.Now(), message.Delivered, 0)
	require.Equal(t, []message.Link{link("Contact", contact)}, w.meet(m).People)
	require.Contains(t, w.conditions(), "people-last-status")
	_, err = w.store.DB().ExecContext(t.Context(), `DROP TRIGGER full`)
	require.NoError(t, err)
	w.meet(m)
	require.Empty(t, w.conditions())
	require.Equal(t, "delivered", w.statuses()[contact].Status)
}

// Batches come from several writers at once, and out of order.
func TestRacingWritersLeaveTheNewestStatus(t *testing.T) {
	o := newOrg("Contact")
	w := newWorld(t, o)
	contact := o.set("Contact", 1, ann, "(415) 555-0100")
	w.fill()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	done := make(chan error)
	for n := range 40 {
		go func() {
			m := to("+14155550100", noon.Add(time.Duration(n*17%40)*time.Minute), message.Failed, 0)
			_, err := w.engine.Meet(t.Context(), []*message.Message{&m})
			done <- err
		}()
	}
	for range 40 {
		require.NoError(t, <-done)
	}
	require.Equal(t, noon.Add(39*time.Minute), w.statuses()[contact].At)
}

// BenchmarkMeet is a batch of the writer's; ns/op is for 200 messages.
func BenchmarkMeet(b *testing.B) {
	for _, filled := range []int{0, 1000} {
		b.Run(fmt.Sprint(filled, " people"), func(b *testing.B) {
			o := newOrg("Contact")
			w := newWorld(b, o)
			for n := range filled {
				o.set("Contact", n, ann, fmt.Sprintf("+1415%07d", n))
			}
			if err := w.engine.Fill(b.Context()); err != nil {
				b.Fatal(err)
			}
			var batch []*message.Message
			for n := range 200 {
				m := from(message.Number(fmt.Sprintf("+1415%07d", n)))
				batch = append(batch, &m)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.engine.Meet(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
