package records

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// statuses remember which statuses records show because we wrote them.
type statuses struct {
	mu  sync.Mutex
	all map[string]campaign.Status
}

// mostStatuses bounds what is remembered; what is forgotten costs a query.
const mostStatuses = 10_000

func (s *statuses) shows(id string, status campaign.Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id] == status
}

// set takes note of a status that was written; "" of one that is not known.
func (s *statuses) set(id string, status campaign.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= mostStatuses {
		s.all = map[string]campaign.Status{}
	}
	if s.all[id] = status; status == "" {
		delete(s.all, id)
	}
}

// saying is what a record says before it is told.
type saying struct {
	status    campaign.Status
	command   campaign.Command
	completed time.Time
}

// Tell implements campaign.Org with a call, and with another one before it for those
// whose status or command is written: an author may have changed them meanwhile, and
// what an author says is not to be lost.
func (c *Campaigns) Tell(ctx context.Context, all []campaign.Telling) ([]error, error) {
	if err := fits(len(all)); err != nil || len(all) == 0 {
		return nil, err
	}
	p, err := c.shape(ctx)
	if err != nil {
		return nil, err
	}
	said, err := c.said(ctx, p, all)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(all))
	var rows [][]byte
	var places []int
	full := make([]bool, len(all)) // its status is shown afterwards
	for i := range all {
		known := c.told.shows(all[i].ID, all[i].Status)
		now, found := said[all[i].ID]
		if !found && (!known || all[i].Obeyed != "") {
			c.told.set(all[i].ID, "")
			outcomes[i] = campaign.ErrGone
			continue
		}
		status := !known && mayShow(&all[i], now)
		full[i] = known || status || now.status == all[i].Status
		rows, places = append(rows, telling(p, &all[i], now, status)), append(places, i)
	}
	results, err := updateAll(ctx, c.org, rows)
	if err != nil {
		c.bulk.doubt(err)
		return nil, err
	}
	for n, i := range places {
		outcomes[i] = c.wasTold(&all[i], full[i], results[n].Err)
	}
	return outcomes, nil
}

// wasTold is what came of one telling. full says that the record then shows its status.
func (c *Campaigns) wasTold(t *campaign.Telling, full bool, refusal *fault.Error) error {
	if refusal == nil && full {
		c.told.set(t.ID, t.Status)
		return nil
	}
	c.told.set(t.ID, "")
	switch {
	case refusal == nil:
		return nil
	case gone(refusal):
		return campaign.ErrGone
	default:
		c.bulk.doubt(refusal)
		return worded(bulkObject, refusal)
	}
}

// said reads what records say whose status or command is to be written.
func (c *Campaigns) said(ctx context.Context, p *plan, all []campaign.Telling) (map[string]saying, error) {
	var ids []string
	for i := range all {
		if all[i].Obeyed != "" || !c.told.shows(all[i].ID, all[i].Status) {
			ids = append(ids, all[i].ID)
		}
	}
	fields := []string{"Id", bulkStatus, bulkCommand}
	if p.has(bulkCompleted) {
		fields = append(fields, bulkCompleted)
	}
	said := make(map[string]saying, len(ids))
	err := c.rows(ctx, fields, ids, func(row map[string]any) {
		completed, _ := timeOf(row, bulkCompleted)
		said[textOf(row, "Id")] = saying{
			oneOf(textOf(row, bulkStatus), campaign.Draft, campaign.Send, campaign.Scheduled, campaign.Sending, campaign.Paused, campaign.Canceled, campaign.Completed, campaign.Failed),
			oneOf(textOf(row, bulkCommand), campaign.Pause, campaign.Resume, campaign.Cancel), completed,
		}
	})
	if err != nil {
		c.bulk.doubt(err)
	}
	return said, err
}

// mayShow says whether a status may be written over what a record says: not over an
// author's word that the poll has yet to bring. Draft and Canceled call it off; and a
// record that shows its end already and says Send is to be sent again.
func mayShow(t *campaign.Telling, now saying) bool {
	switch {
	case !t.Status.Over() && (now.status == campaign.Draft || now.status == campaign.Canceled):
		return false
	case t.Status.Over() && now.status == campaign.Send:
		return t.Ended.IsZero() || !now.completed.Equal(t.Ended.Truncate(time.Second))
	default:
		return true
	}
}

// telling makes the record of an update.
func telling(p *plan, t *campaign.Telling, now saying, status bool) []byte {
	dst := with(p.record(make([]byte, 0, 512)), "id", func(dst []byte) []byte { return appendString(dst, t.ID) })
	if status {
		dst = with(dst, bulkStatus, func(dst []byte) []byte { return appendText(dst, string(t.Status)) })
	}
	if t.Obeyed != "" && now.command == t.Obeyed {
		dst = with(dst, bulkCommand, func(dst []byte) []byte { return append(dst, null...) })
	}
	for _, c := range bulkCounters {
		if p.has(c.field) {
			dst = with(dst, c.field, func(dst []byte) []byte { return appendWhole(dst, c.of(t.Counts), false) })
		}
	}
	dst = p.withText(dst, bulkProblem, t.Problem)
	for _, moment := range []struct {
		field string
		at    time.Time
	}{{bulkStarted, t.Started}, {bulkCompleted, t.Ended}} {
		if p.has(moment.field) && (!moment.at.IsZero() || t.ForgetStarted) {
			dst = with(dst, moment.field, func(dst []byte) []byte { return appendInstant(dst, moment.at, datetimeForm) })
		}
	}
	return append(dst, '}')
}

// worded puts a refusal into our words.
func worded(object string, f *fault.Error) error {
	with := *f
	with.Hint = hintFor(object, f)
	return &with
}
