package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/jobs"
)

// poll is what Salesforce is asked each sync.drafts_every.
type poll struct {
	*records.Poll
	watches *records.Watches
	trouble *health.Outage
}

// buildPoll makes the poll of all parts that somebody here takes.
func (g *generation) buildPoll() (err error) {
	p := &poll{watches: records.NewWatches(g.sweepNow), trouble: health.NewOutage("salesforce", g.health)}
	parts := append(slices.Concat(g.consentParts(), g.outboxParts(), g.campaignParts()),
		p.watches.Part(), records.PersonalNumbers(g.typed, g.people.SetPersonal))
	if g.mirrorOnly() {
		parts = nil // all of them read objects of ours
	}
	p.Poll, err = records.NewPoll(g.org, g.store, parts...)
	g.poll = p
	return err
}

// pollOrg is the job: it polls once.
func (g *generation) pollOrg(ctx context.Context) error {
	err := g.poll.Run(ctx)
	if fault.Stopped(ctx, err) {
		return err
	}
	if err == nil {
		g.poll.trouble.Over()
	} else { // the store's is none of the org's: the job's failure tells of it
		g.poll.trouble.Had(ctx, err)
	}
	g.noteLeftOut(g.poll.LeftOut())
	return err
}

// sweepNow has the active sweep run at once, for a user who looks on: its next
// time may be as far away as the poll that told of the user was.
func (g *generation) sweepNow() {
	// Not the schedule's key, or its next run would count as left out. When the
	// store refuses, whoever needs it next tells of it, and the schedule remains.
	_, _ = g.engine.Enqueue(context.Background(), jobs.Job{Kind: jobActive, Key: jobActive + "/now"}) //nolint:errcheck // see above
}

// noteLeftOut tells what the poll leaves out because the org refuses it.
func (g *generation) noteLeftOut(left []records.LeftOut) {
	const name = records.CondLeftOut
	left = g.notMessages(left)
	if len(left) == 0 {
		g.health.Clear(name)
		return
	}
	parts := make([]string, len(left))
	for i, l := range left {
		parts[i] = fmt.Sprintf("%s (%s %s)", l.Part, l.Object, cause(l.Err))
	}
	g.health.Raise(health.Condition{
		Name: name, Severity: health.Notice,
		Cause:  "Salesforce does not tell of " + strings.Join(parts, ", ") + ". The rest goes on.",
		Remedy: "Deploy the named objects (twiliosf org deploy) and give the integration user read access to them and all their fields. It is tried again every ten minutes.",
	})
}

// notMessages leaves out what reads the messages' own object: whoever looks at the
// org tells of that, for the mirror needs it too, and is asked to look now.
func (g *generation) notMessages(left []records.LeftOut) (others []records.LeftOut) {
	for _, l := range left {
		if l.Part == records.DraftsPart {
			select {
			case g.orgInDoubt <- struct{}{}:
			default:
			}
			continue
		}
		others = append(others, l)
	}
	return others
}

// salesforceDown says that the org's trouble is told already: a poll takes long
// then.
func (g *generation) salesforceDown() bool {
	return slices.ContainsFunc(g.health.Active(), func(c health.Condition) bool {
		return c.Severity >= health.Degraded && strings.HasPrefix(c.Name, "salesforce-")
	})
}

// cause says what is wrong with an object; Salesforce's own words only where the
// code alone does not tell which field it is about.
func cause(err error) string {
	switch fault.CodeOf(err) {
	case salesforce.CodeInvalidType, salesforce.CodeNotFound:
		return "is missing or hidden"
	default:
		return "is refused: " + err.Error()
	}
}
