package daemon

import (
	"context"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// buildConsent makes the engine of consent. It takes effect with Install, which
// must come before anybody can write to us: a STOP counts by the words known in
// the moment that keeps it (P6).
func (g *generation) buildConsent(ctx context.Context) (err error) {
	c := g.cfg.Consent
	g.optIns = &records.OptInReader{Org: g.org, Number: numberOf}
	lists := consent.Lists{Stop: c.StopWords, Start: c.StartWords, Help: c.HelpWords}
	if faults := lists.Faults(); len(faults) > 0 {
		return &ConfigError{fmt.Errorf("consent: the %s word number %d %s", faults[0].List, faults[0].Index+1, faults[0].Why)}
	}
	g.consent, err = consent.New(ctx, consent.Ports{
		Register: g.store, Keywords: g.store, Progress: g.store, Rows: g.optIns, Health: g.health,
	}, lists)
	return err
}

// numberOf reads a number that a user or a form has written into an opt-in.
func numberOf(typed string) (message.Number, bool) {
	n, err := phone.Parse(typed, "")
	return n, err == nil
}

// consentParts are what the poll reads for consent.
func (g *generation) consentParts() []records.Part {
	return []records.Part{
		records.Keywords(g.consent.SetKeywords),
		g.optIns.Changed(g.consent.Began(), g.consent.Learn),
	}
}

// whoIs answers whose number it is: nobody's, while people are not known here.
func (g *generation) whoIs(context.Context, message.Number) (*message.Link, error) {
	return nil, nil //nolint:nilnil // nobody, and nothing is wrong
}
