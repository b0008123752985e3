package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// buildConsent makes the engine of consent. It takes effect with Install, which
// must come before anybody can write to us: a STOP counts by the words known in
// the moment that keeps it (P6).
func (g *generation) buildConsent(ctx context.Context) (err error) {
	c := g.cfg.Consent
	g.optIns = &records.OptInReader{Org: g.org, Number: g.typed}
	lists := consent.Lists{Stop: c.StopWords, Start: c.StartWords, Help: c.HelpWords}
	if faults := lists.Faults(); len(faults) > 0 {
		return &ConfigError{fmt.Errorf("consent: the %s word number %d %s", faults[0].List, faults[0].Index+1, faults[0].Why)}
	}
	g.consent, err = consent.New(ctx, consent.Ports{
		Register: g.store, Keywords: g.store, Progress: g.store, Rows: g.optIns, Health: g.health,
	}, lists)
	return err
}

// consentParts are what the poll reads for consent.
func (g *generation) consentParts() []records.Part {
	return []records.Part{
		records.Keywords(g.consent.SetKeywords),
		g.optIns.Changed(g.consent.Began(), g.consent.Learn),
	}
}

// mover ends the opt-ins of a number whose person has another one now, unless
// somebody else has it still. A number that was only taken out of a record is
// still that of whoever has opted in from it. A Case is nobody: its numbers are
// its Contact's, only later, or what somebody once typed.
type mover struct{ g *generation }

// Moved implements people.Mover.
func (m mover) Moved(ctx context.Context, moves []people.Move) error {
	leaving := map[phone.Key]int{} // by how many of those who move
	numbers := map[phone.Key]message.Number{}
	for _, move := range moves {
		if move.Person.Object == people.Case {
			continue
		}
		stay := map[phone.Key]bool{}
		for _, n := range move.New {
			stay[phone.KeyOf(n)] = true
		}
		for _, n := range move.Old {
			if key := phone.KeyOf(n); len(stay) > 0 && !stay[key] {
				leaving[key]++
				numbers[key] = n
			}
		}
	}
	had, err := m.g.store.People().Find(ctx, slices.Collect(maps.Keys(leaving)))
	if err != nil {
		return err
	}
	for key, n := range leaving {
		for _, match := range had[key] {
			if match.Object != people.Case {
				n -= match.Records // the index does not know of the moves yet
			}
		}
		if n < 0 {
			continue
		}
		if err := m.g.consent.Moved(ctx, numbers[key], time.Now()); err != nil {
			return err
		}
		m.g.followups.Wake(message.FollowOptIn)
	}
	return nil
}
