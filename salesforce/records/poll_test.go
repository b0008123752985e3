package records_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// marks are a store's memory of marks.
type marks struct {
	at    map[string]time.Time
	moves int
}

func (m *marks) Cursor(_ context.Context, name string) (time.Time, error) { return m.at[name], nil }

func (m *marks) MoveCursor(_ context.Context, name string, to time.Time) error {
	if m.at == nil {
		m.at = map[string]time.Time{}
	}
	if to.After(m.at[name]) {
		m.at[name] = to
	}
	m.moves++
	return nil
}

// pollOrg is an org that answers queries from rows in memory, by the object's
// name and a lower bound of SystemModstamp.
type pollOrg struct {
	rows   map[string][]stamped
	calls  [][]salesforce.CompositeQuery
	refuse map[string]error // by object
	down   error
}

type stamped struct {
	id string
	at time.Time
}

var (
	fromObject = regexp.MustCompile(` FROM (\w+)`)
	sinceStamp = regexp.MustCompile(`SystemModstamp >= (\S+Z)`)
)

func (o *pollOrg) Queries(_ context.Context, qs []salesforce.CompositeQuery, row func(int, map[string]any) error) ([]error, error) {
	o.calls = append(o.calls, slices.Clone(qs))
	if o.down != nil {
		return nil, o.down
	}
	outcomes := make([]error, len(qs))
	for i, q := range qs {
		object := fromObject.FindStringSubmatch(q.SOQL)[1]
		if outcomes[i] = o.refuse[object]; outcomes[i] != nil {
			continue
		}
		var since time.Time
		if bound := sinceStamp.FindStringSubmatch(q.SOQL); bound != nil {
			var err error
			if since, err = time.Parse(time.RFC3339, bound[1]); err != nil {
				return nil, err
			}
		}
		for _, r := range o.rows[object] {
			if r.at.Before(since) {
				continue
			}
			if err := row(i, map[string]any{"Id": r.id, "SystemModstamp": r.at.UTC().Format("2006-01-02T15:04:05.000+0000")}); err != nil {
				return nil, err
			}
		}
	}
	return outcomes, nil
}

// asked are the objects of a call.
func (o *pollOrg) asked(call int) []string {
	var all []string
	for _, q := range o.calls[call] {
		all = append(all, fromObject.FindStringSubmatch(q.SOQL)[1])
	}
	return all
}

// taker makes a part that reads changes of an object, and what it has taken.
func taker(object string) (records.Part, *[]string) {
	taken := &[]string{}
	return records.Part{
		Name: object, Changes: true,
		Query: func(time.Time) soql.Query { return soql.Query{From: object} },
		Take: func(_ context.Context, rows []map[string]any) error {
			for _, r := range rows {
				id, _ := r["Id"].(string)
				*taken = append(*taken, id)
			}
			return nil
		},
	}, taken
}

func newPoll(t *testing.T, org records.Asker, m *marks, parts ...records.Part) *records.Poll {
	t.Helper()
	p, err := records.NewPoll(org, m, parts...)
	require.NoError(t, err)
	return p
}

func TestARecordThatIsCommittedLateIsStillSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, taken := taker("Draft__c")
		org := &pollOrg{rows: map[string][]stamped{"Draft__c": {{"old", time.Now().Add(-30 * 24 * time.Hour)}, {"new", time.Now()}}}}
		m := &marks{}
		p := newPoll(t, org, m, part)
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{"old", "new"}, *taken, "the first time everything is read")

		*taken = nil
		time.Sleep(15 * time.Second)
		// A long transaction ends now, and its record's time is older than the mark.
		org.rows["Draft__c"] = append(org.rows["Draft__c"], stamped{"late", time.Now().Add(-5 * time.Minute)})
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{"new", "late"}, *taken)

		*taken = nil
		restarted := newPoll(t, org, m, part)
		require.NoError(t, restarted.Run(t.Context()))
		require.Equal(t, []string{"new", "late"}, *taken, "a restart goes on where it was")
	})
}

func TestAnOrgInWhichNobodyWritesIsNotReadFromFurtherBackEachDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, _ := taker("Draft__c")
		org, m := &pollOrg{}, &marks{}
		p := newPoll(t, org, m, part)
		for range 24 * 60 * 4 {
			require.NoError(t, p.Run(t.Context()))
			time.Sleep(15 * time.Second)
		}
		last := org.calls[len(org.calls)-1][0].SOQL
		since, err := time.Parse(time.RFC3339, sinceStamp.FindStringSubmatch(last)[1])
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(-24*time.Hour-5*time.Minute), since, time.Minute)
		require.LessOrEqual(t, m.moves, 24*12+1, "the store is not written each time")
		require.WithinDuration(t, since, m.at["poll/Draft__c"], 10*time.Minute)
	})
}

// A machine whose clock runs on local time, taken for UTC, is up to 14 hours ahead.
func TestAClockThatIsHoursAheadMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, taken := taker("Draft__c")
		org, m := &pollOrg{rows: map[string][]stamped{}}, &marks{}
		p := newPoll(t, org, m, part)
		require.NoError(t, p.Run(t.Context()))
		time.Sleep(15 * time.Second)
		org.rows["Draft__c"] = []stamped{{"draft", time.Now().Add(-14 * time.Hour)}}
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{"draft"}, *taken)
	})
}

func TestWhatCouldNotBeTakenComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, taken := taker("Draft__c")
		take, full := part.Take, true
		part.Take = func(ctx context.Context, rows []map[string]any) error {
			if full {
				return errors.New("the disk is full")
			}
			return take(ctx, rows)
		}
		other, others := taker("Request__c")
		now := time.Now()
		org := &pollOrg{rows: map[string][]stamped{"Draft__c": {{"early", now.Add(-time.Hour)}, {"a", now}}, "Request__c": {{"b", now}}}}
		p := newPoll(t, org, &marks{}, part, other)
		require.ErrorContains(t, p.Run(t.Context()), "disk is full")
		require.Equal(t, []string{"b"}, *others, "the others go on")
		full = false
		time.Sleep(3 * time.Hour)
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{"early", "a"}, *taken)
	})
}

func TestAPartThatTheOrgRefusesIsLeftOutAloneAndTriedAgainLater(t *testing.T) {
	for what, refusal := range map[string]*fault.Error{
		"missing object":      refuse(fault.Auth, salesforce.CodeInvalidType),
		"missing object, 404": refuse(fault.Auth, salesforce.CodeNotFound),
		"hidden field":        refuse(fault.Auth, salesforce.CodeInvalidField),
		"query refused":       refuse(fault.Permanent, "MALFORMED_QUERY"),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, ones := taker("One__c")
				two, twos := taker("Two__c")
				org := &pollOrg{
					rows:   map[string][]stamped{"One__c": {{"1", time.Now()}}, "Two__c": {{"2", time.Now()}}},
					refuse: map[string]error{"One__c": refusal},
				}
				p := newPoll(t, org, &marks{}, one, two)
				for range 40 { // ten minutes
					require.NoError(t, p.Run(t.Context()))
					require.Equal(t, []records.LeftOut{{Part: "One__c", Object: "One__c", Err: refusal}}, p.LeftOut())
					time.Sleep(15 * time.Second)
				}
				require.Equal(t, []string{"One__c", "Two__c"}, org.asked(0))
				for i := 1; i < 40; i++ {
					require.Equal(t, []string{"Two__c"}, org.asked(i))
				}
				require.Contains(t, *twos, "2")

				org.refuse["One__c"] = refuse(fault.Transient, "QUERY_TIMEOUT")
				require.Error(t, p.Run(t.Context()))
				require.Len(t, p.LeftOut(), 1, "nothing says that it is well again")
				delete(org.refuse, "One__c")
				require.NoError(t, p.Run(t.Context()))
				require.Equal(t, []string{"1"}, *ones)
				require.Empty(t, p.LeftOut())
			})
		})
	}
}

func TestNothingToAskNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &pollOrg{}
		require.NoError(t, newPoll(t, org, &marks{}).Run(t.Context()))
		part, _ := taker("One__c")
		part.Every = time.Minute
		p := newPoll(t, org, &marks{}, part)
		for range 8 {
			require.NoError(t, p.Run(t.Context()))
			time.Sleep(15 * time.Second)
		}
		require.Len(t, org.calls, 2)
	})
}

func TestPartsThatTakeTurnsWaitEquallyLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts []records.Part
		for i := range 4 {
			part, _ := taker(fmt.Sprintf("Always%d__c", i))
			parts = append(parts, part)
		}
		for i := range 6 {
			part, _ := taker(fmt.Sprintf("Turn%d__c", i))
			part.Every = time.Minute
			parts = append(parts, part)
		}
		org := &pollOrg{refuse: map[string]error{"Turn3__c": refuse(fault.Transient, "QUERY_TIMEOUT")}}
		p := newPoll(t, org, &marks{}, parts...)
		for range 60 {
			_ = p.Run(t.Context()) // one part fails each time, and keeps nobody else waiting
			time.Sleep(15 * time.Second)
		}
		turns := map[string]int{}
		for i := range org.calls {
			asked := org.asked(i)
			require.Len(t, asked, salesforce.MaxQueries)
			for _, object := range asked {
				turns[object]++
			}
		}
		for object, n := range turns {
			want := 60
			if strings.HasPrefix(object, "Turn") {
				want = 10
			}
			require.Equal(t, want, n, object)
		}
		require.Len(t, turns, 10)
	})
}

func TestAnOrgThatIsDownLosesNobodyTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, taken := taker("One__c")
		part.Every = time.Hour
		org := &pollOrg{rows: map[string][]stamped{"One__c": {{"1", time.Now()}}}, down: refuse(fault.Transient, "SERVER_UNAVAILABLE")}
		p := newPoll(t, org, &marks{}, part)
		require.Equal(t, fault.Transient, fault.ClassOf(p.Run(t.Context())))
		org.down = nil
		time.Sleep(15 * time.Second)
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, []string{"1"}, *taken)
	})
}

func TestPartsThatDoNotFitAreRefusedAtTheStart(t *testing.T) {
	some := func(n int, every time.Duration) (all []records.Part) {
		for i := range n {
			part, _ := taker(fmt.Sprintf("P%d_%d__c", i, every))
			part.Every = every
			all = append(all, part)
		}
		return all
	}
	for what, parts := range map[string][]records.Part{
		"six at once":             some(6, 0),
		"no place for the others": append(some(5, 0), some(1, time.Minute)...),
		"twice":                   append(some(1, 0), some(1, 0)...),
		"without a query":         {{Name: "x", Take: some(1, 0)[0].Take}},
	} {
		_, err := records.NewPoll(&pollOrg{}, &marks{}, parts...)
		require.Error(t, err, what)
	}
	_, err := records.NewPoll(&pollOrg{}, &marks{}, append(some(4, 0), some(9, time.Minute)...)...)
	require.NoError(t, err)
}
