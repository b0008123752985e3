package campaigntest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/message"
)

// now is when all tests of a memory look at it.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// asking makes the n-th record of a test.
func asking(n int) campaign.Campaign {
	return campaign.Campaign{
		ID: fmt.Sprintf("a0C%012dAAA", n), Name: "Spring", Modified: now, Status: campaign.Send, Members: "701000000000001AAA", Body: "Hello", Media: "https://x.example/1",
		Keyword: "a0K000000000001AAA", SendAt: now.Add(-time.Minute), Rate: 2.5,
	}
}

// person makes the n-th recipient of a test.
func person(n int) campaign.Recipient {
	return campaign.Recipient{
		Person: message.Link{Object: "Contact", ID: fmt.Sprintf("003%015d", n)}, Member: fmt.Sprintf("00v%015d", n),
		Number: message.Number(fmt.Sprintf("+1212%07d", 2000000+n)), Last: "delivered", Text: fmt.Sprintf("Hello %d", n),
	}
}

func people(n int) []campaign.Recipient {
	var all []campaign.Recipient
	for i := range n {
		all = append(all, person(i))
	}
	return all
}

// run takes a record and answers its run.
func run(t *testing.T, m Memory, n int) campaign.Run {
	t.Helper()
	changed, err := m.Take(context.Background(), []campaign.Campaign{asking(n)}, now)
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	return read(t, m, n)
}

func read(t *testing.T, m Memory, n int) campaign.Run {
	t.Helper()
	r, ok, err := m.Run(context.Background(), asking(n).ID, campaign.ToSend)
	require.NoError(t, err)
	require.True(t, ok)
	return r
}

// sending is a run that sends to n people.
func sending(t *testing.T, m Memory, n int) campaign.Run {
	t.Helper()
	r := run(t, m, 0)
	r.Status, r.Gathered, r.Started, r.Sender = campaign.Sending, true, now, "+14155550100"
	ok, err := m.Add(context.Background(), &r, people(n))
	require.NoError(t, err)
	require.True(t, ok)
	return r
}

// hand hands over whoever waits.
func hand(t *testing.T, m Memory, r *campaign.Run, limit int) []campaign.Recipient {
	t.Helper()
	ctx := context.Background()
	all, err := m.Waiting(ctx, r.N, now, limit)
	require.NoError(t, err)
	n, err := m.Hand(ctx, r, all, drafts(r, all))
	require.NoError(t, err)
	require.Equal(t, len(all), n)
	return all
}

func drafts(r *campaign.Run, all []campaign.Recipient) []message.Draft {
	made := make([]message.Draft, len(all))
	for i := range all {
		made[i] = r.Draft(&all[i], now)
	}
	return made
}

func count(t *testing.T, m Memory, r *campaign.Run) campaign.Counts {
	t.Helper()
	c, err := m.Count(context.Background(), r.N)
	require.NoError(t, err)
	return c
}

func sid(n int) message.SID { return message.SID(fmt.Sprintf("SM%032x", n)) }

// accept has a recipient sent to.
func accept(t *testing.T, m Memory, r *campaign.Run, p campaign.Recipient, s message.SID) {
	t.Helper()
	ctx := context.Background()
	ok, err := m.Try(ctx, campaign.Key(r.Campaign.ID, p.N))
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, m.End(ctx, campaign.Key(r.Campaign.ID, p.N), End{SID: s}))
}

// Ledger is the contract of campaigns' memory.
func Ledger(t *testing.T, open func(t *testing.T) Memory) {
	testRuns(t, open)
	testBooks(t, open)
	testRecipients(t, open)
	testHanding(t, open)
	testWithdrawal(t, open)
	testResults(t, open)
	testNotes(t, open)
}

func testRuns(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("a record that asks becomes a run, once", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		require.Equal(t, campaign.Scheduled, r.Status)
		require.Equal(t, asking(0), r.Campaign)
		require.True(t, r.Untold)
		for range 3 {
			changed, err := m.Take(ctx, []campaign.Campaign{asking(0)}, now)
			require.NoError(t, err)
			require.Zero(t, changed)
		}
	})
	t.Run("a run comes back whole", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		r.Status, r.Gathered, r.Due, r.Tries, r.Export, r.Locator, r.Sender = campaign.Sending, true, now.Add(time.Minute), 3, "750", "loc", "MG1"
		r.Audience = campaign.Audience{Object: "Contact", SOQL: "SELECT Id FROM Contact", Phones: []string{"Phone"}, Fields: []campaign.Field{{Object: "Contact", Path: "FirstName"}}, Large: true}
		r.Estimate = campaign.Estimate{Recipients: 5, Segments: 7, GSM7: 5, Cost: .5, Unit: "USD", Duration: time.Minute}
		r.Counts = campaign.Counts{Waiting: 1, LeftOut: map[campaign.Reason]int{campaign.Blocked: 2}, Last: map[string]int{"": 3}}
		r.Problem, r.Untold, r.TellTries, r.Started, r.Ended, r.Counted = "why", false, 4, now, now.Add(time.Second), now.Add(2*time.Second)
		version := r.Version
		ok, err := m.Revise(ctx, &r)
		require.NoError(t, err)
		require.True(t, ok)
		require.NotEqual(t, version, r.Version)
		require.Equal(t, r, read(t, m, 0))
	})
	t.Run("who has read an old state changes nothing", func(t *testing.T) {
		m := open(t)
		old := run(t, m, 0)
		r := old
		r.Problem = "new"
		ok, err := m.Revise(ctx, &r)
		require.NoError(t, err)
		require.True(t, ok)
		old.Problem = "old"
		ok, err = m.Revise(ctx, &old)
		require.NoError(t, err)
		require.False(t, ok)
		require.Equal(t, "new", read(t, m, 0).Problem)
	})
	t.Run("a record has one run of each kind", func(t *testing.T) {
		m := open(t)
		r := run(t, m, 0)
		other := campaign.Run{Kind: campaign.ToPreview, Campaign: asking(0), Status: campaign.Sending, Due: now.Add(time.Hour)}
		again := other
		ok, err := m.Revise(ctx, &other)
		require.NoError(t, err)
		require.True(t, ok)
		require.NotZero(t, other.N)
		require.NotEqual(t, r.N, other.N)
		ok, err = m.Revise(ctx, &again)
		require.NoError(t, err)
		require.False(t, ok, "it has one")
		got, ok, err := m.Run(ctx, asking(0).ID, campaign.ToPreview)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, other, got)
		require.Equal(t, r, read(t, m, 0))
	})
	t.Run("what is due comes first that waits longest", func(t *testing.T) {
		m := open(t)
		_, ok, err := m.NextDue(ctx)
		require.NoError(t, err)
		require.False(t, ok)
		for n, due := range []time.Time{now.Add(2 * time.Minute), now.Add(time.Minute), now.Add(time.Hour), campaign.Never} {
			r := run(t, m, n)
			r.Due = due
			_, err := m.Revise(ctx, &r)
			require.NoError(t, err)
		}
		at, ok, err := m.NextDue(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, at.Equal(now.Add(time.Minute)), "%s", at)
		require.Empty(t, dueAt(t, m, now, 10))
		require.Equal(t, []string{asking(1).ID, asking(0).ID}, dueAt(t, m, now.Add(2*time.Minute), 10))
		require.Equal(t, []string{asking(1).ID}, dueAt(t, m, now.Add(2*time.Minute), 1))
		require.Len(t, dueAt(t, m, now.Add(10000*time.Hour), 10), 3, "Never is never")
	})
}

func dueAt(t *testing.T, m Memory, at time.Time, limit int) (ids []string) {
	t.Helper()
	runs, err := m.Due(context.Background(), at, limit)
	require.NoError(t, err)
	for _, r := range runs {
		ids = append(ids, r.Campaign.ID)
	}
	return ids
}

func testBooks(t *testing.T, open func(t *testing.T) Memory) {
	ctx := context.Background()
	t.Run("campaigns under way are listed before those that are over, without previews", func(t *testing.T) {
		m := open(t)
		for n := range 3 {
			r := run(t, m, n)
			if n == 2 {
				r.Status, r.Ended = campaign.Completed, now
				_, err := m.Revise(ctx, &r)
				require.NoError(t, err)
			}
		}
		_, err := m.Revise(ctx, &campaign.Run{Kind: campaign.ToForecast, Campaign: campaign.Campaign{ID: "701000000000001AAA"}, Status: campaign.Scheduled})
		require.NoError(t, err)
		all, err := m.Books.Runs(ctx, 10)
		require.NoError(t, err)
		require.Len(t, all, 3)
		require.Equal(t, asking(2).ID, all[2].Campaign.ID)
		all, err = m.Books.Runs(ctx, 2)
		require.NoError(t, err)
		require.Len(t, all, 2)
	})
	t.Run("what is over for long is forgotten with its people", func(t *testing.T) {
		m := open(t)
		r := sending(t, m, 3)
		require.NoError(t, m.Forget(ctx, now.Add(time.Hour)))
		read(t, m, 0) // it is not over
		r.Status, r.Ended = campaign.Completed, now
		_, err := m.Revise(ctx, &r)
		require.NoError(t, err)
		require.NoError(t, m.Forget(ctx, now))
		read(t, m, 0)
		require.NoError(t, m.Forget(ctx, now.Add(time.Second)))
		forgotten, ok, err := m.Run(ctx, asking(0).ID, campaign.ToSend)
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, forgotten.Forgotten, "that there was one is kept")
		require.Zero(t, count(t, m, &r).Total())
	})
}
