package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/archive"
)

// measureArchive takes old messages out of the org and brings them back.
func (z sizes) measureArchive(ctx context.Context) ([]figure, error) {
	s, dir, done, err := pair(0, salesforcetest.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	if err := age(s, z.archive); err != nil {
		return nil, err
	}
	before := held(s)
	p, err := start(ctx, s, dir, func(y string) string {
		return y + "archive: {delete: true, budget_share: 1, to: 'file://" + filepath.Join(dir, "archive") + "'}\n"
	})
	if err != nil {
		return nil, err
	}
	c, err := daemon.Dial(ctx, filepath.Join(dir, "control.sock"))
	if err != nil || c == nil {
		return nil, errors.Join(errors.New("the daemon has no control socket"), err)
	}
	out, err := timed(s, func() error {
		_, err := c.ArchiveDo(ctx, daemon.ArchiveTask{})
		return err
	})
	if err != nil {
		return nil, err
	}
	left := s.Org.Count(object)
	var restored daemon.ArchiveResult
	back, err := timed(s, func() error {
		restored, err = c.ArchiveDo(ctx, daemon.ArchiveTask{Restore: &archive.Wanted{All: true}})
		return err
	})
	if err != nil {
		return nil, err
	}
	u, err := p.stop()
	if err != nil {
		return nil, err
	}
	equal := maps.Equal(before, held(s))
	thousand := float64(z.archive) / 1000
	return []figure{{
		What: fmt.Sprintf("%d messages archived (copied, compared, deleted) and restored, field by field equal", z.archive),
		Measured: fmt.Sprintf("%.1f and %.1f Salesforce calls a thousand, %.0f and %.0f messages/s, %d MiB at the most; %d were left, %d are back, equal: %t",
			float64(out.calls)/thousand, float64(back.calls)/thousand, float64(z.archive)/out.took.Seconds(), float64(z.archive)/back.took.Seconds(),
			u.MaxRSS>>20, left, restored.Restored.Restored, equal),
		Goal: "equal; under 20 calls a thousand out and 6 back; under 128 MiB", Met: equal && left == 0 && float64(out.calls) < 20*thousand && float64(back.calls) < 6*thousand && u.MaxRSS < 128<<20,
	}}, nil
}

// spent is what something took.
type spent struct {
	took  time.Duration
	calls int
}

func timed(s *sandbox.Sandbox, do func() error) (spent, error) {
	began, calls := time.Now(), s.Org.Calls().Total
	err := do()
	return spent{time.Since(began), s.Org.Calls().Total - calls}, err
}

// age fills the org with messages of two years, the youngest 400 days old.
func age(s *sandbox.Sandbox, n int) error {
	now := time.Now().UTC().Truncate(time.Second)
	for from := 0; from < n; from += 10_000 {
		var rows []map[string]any
		for i := from; i < min(from+10_000, n); i++ {
			at := now.Add(-400*24*time.Hour - time.Duration(n-i)*(730*24*time.Hour/time.Duration(n)))
			rows = append(rows, map[string]any{
				sandbox.SIDField: fmt.Sprintf("SM%032x", i), "Body__c": fmt.Sprintf("Yes, Tuesday at ten is fine. Ticket %d.", i),
				"From_Number__c": fmt.Sprintf("+1415555%04d", i%10_000), "Their_Number__c": fmt.Sprintf("+1415555%04d", i%10_000), "To_Number__c": "+14155550100",
				"Direction__c": "inbound", "Status__c": "received", "Date_Created__c": at, "Date_Sent__c": at, "Date_Updated__c": at,
				"Num_Segments__c": 1, "Num_Media__c": 0, "Price__c": -0.0079, "Price_Unit__c": "USD",
			})
		}
		if _, err := s.Org.Load(object, rows); err != nil {
			return err
		}
	}
	return nil
}

// held is what the records hold, by SID, without what Salesforce itself writes.
func held(s *sandbox.Sandbox) map[string]string {
	all := map[string]string{}
	for row := range s.Org.Rows(object) {
		sid := fmt.Sprint(row[sandbox.SIDField])
		for _, name := range []string{"Id", "Name", "CreatedDate", "LastModifiedDate", "SystemModstamp", "Archive_After__c", "LastReferencedDate", "LastViewedDate"} {
			delete(row, name)
		}
		all[sid] = fmt.Sprint(row)
	}
	return all
}
