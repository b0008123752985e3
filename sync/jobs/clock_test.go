package jobs_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the cases below must not depend on the machine's zones

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/jobs/jobstest"
)

func newYork(t *testing.T, date string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04", date, zone)
	require.NoError(t, err)
	return at
}

// On 8 March 2026 New York's clocks go from 02:00 to 03:00, on 1 November back
// from 02:00 to 01:00.
func TestSchedulesFollowTheWallClock(t *testing.T) {
	for name, c := range map[string]struct {
		spec, start string
		hours       int
		want        []string // after the first run at the start
	}{
		"nightly in spring":         {"0 3 * * *", "2026-03-07 12:00", 48, []string{"03-08 03:00 EDT", "03-09 03:00 EDT"}},
		"nightly in autumn":         {"0 3 * * *", "2026-10-31 12:00", 48, []string{"11-01 03:00 EST", "11-02 03:00 EST"}},
		"an hour that is left out":  {"30 2 * * *", "2026-03-07 12:00", 48, []string{"03-09 02:30 EDT"}},
		"an hour that comes twice":  {"30 1 * * *", "2026-10-31 12:00", 48, []string{"11-01 01:30 EDT", "11-01 01:30 EST", "11-02 01:30 EST"}},
		"hourly over the gap":       {"0 * * * *", "2026-03-08 00:30", 3, []string{"03-08 01:00 EST", "03-08 03:00 EDT", "03-08 04:00 EDT"}},
		"a distance knows no zones": {"@every 2h", "2026-03-08 00:30", 4, []string{"03-08 03:30 EDT", "03-08 05:30 EDT"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *plant) {
				start := newYork(t, c.start)
				p.set(start)
				jobstest.Start(t, p.scheduler(sweeps("CRON_TZ=America/New_York "+c.spec)))
				time.Sleep(time.Duration(c.hours)*time.Hour + time.Minute)
				var got []string
				for _, at := range p.taken() {
					got = append(got, at.In(start.Location()).Format("01-02 15:04 MST"))
				}
				require.Equal(t, c.want, got[1:])
			})
		})
	}
}

func TestAClockThatJumps(t *testing.T) {
	day := newYork(t, "2026-06-10 12:00")
	for name, c := range map[string]struct {
		spec   string
		jump   time.Duration
		during time.Duration
		least  int
		most   int
	}{
		"far back, short distance":   {"@every 15s", -48 * time.Hour, 10 * time.Minute, 36, 41},
		"a little back":              {"@every 15s", -30 * time.Second, 10 * time.Minute, 36, 41},
		"ahead, and caught up once":  {"@every 15m", 24 * time.Hour, 10 * time.Minute, 1, 1},
		"back before the daily run":  {"CRON_TZ=America/New_York 0 12 * * *", -2 * time.Hour, 3 * time.Hour, 1, 1},
		"back, but the run is ahead": {"CRON_TZ=America/New_York 0 18 * * *", -2 * time.Hour, 3 * time.Hour, 0, 0},
		"ahead of the daily run":     {"CRON_TZ=America/New_York 0 18 * * *", 8 * time.Hour, 2 * time.Minute, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, p *plant) {
				p.set(day)
				jobstest.Start(t, p.scheduler(sweeps(c.spec)))
				time.Sleep(time.Minute)
				p.taken()
				p.offset.Add(int64(c.jump))
				time.Sleep(c.during)
				runs := p.taken()
				require.GreaterOrEqual(t, len(runs), c.least)
				require.LessOrEqual(t, len(runs), c.most)
			})
		})
	}
}

func TestASchedulerNamesAllItsFaults(t *testing.T) {
	_, err := jobs.NewScheduler(jobstest.OpenStore(t), nil, []jobs.Schedule{
		{Name: "archive", Spec: "at night"}, {Name: "", Spec: "@daily"}, {Name: "x", Spec: "@daily"}, {Name: "x", Spec: "@daily"},
	}, jobs.SchedulerOptions{})
	require.ErrorContains(t, err, `archive`)
	require.ErrorContains(t, err, `"at night"`)
	require.ErrorContains(t, err, `the name ""`)
	require.ErrorContains(t, err, `the name "x"`)
}
