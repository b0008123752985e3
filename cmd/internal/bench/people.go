package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// typed are ways in which people write a number of the area 415; %03d and %04d
// are its last digits.
var typed = []string{
	"(415) %03d-%04d", "415-%03d-%04d", "415.%03d.%04d", "+1415%03d%04d", "1 (415) %03d-%04d", "(415) %03d-%04d x3", "415 %03d %04d (cell)",
}

// measurePeople fills the index with Contacts and matches messages from them.
func (z sizes) measurePeople(ctx context.Context) ([]figure, error) {
	s, dir, done, err := pair(0, salesforcetest.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	contacts, err := populate(s, z.contacts)
	if err != nil {
		return nil, err
	}
	write(s, z.matched, z.contacts)
	p, err := start(ctx, s, dir, func(y string) string { return backfillConfig(y) + "people: {refresh_every: 1m}\n" })
	if err != nil {
		return nil, err
	}
	took, err := mirrored(ctx, s, p, z.matched, nil)
	if err != nil {
		return nil, err
	}
	for s.Org.Calls().ByOperation[salesforcetest.OpQueryAll] == 0 { // the first refresh
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	calls := s.Org.Calls()
	u, err := p.stop()
	if err != nil {
		return nil, err
	}
	wrong := 0
	for row := range s.Org.Rows(object) {
		if number, _ := row["From_Number__c"].(string); row["Contact__c"] != contacts[number] { //nolint:errcheck // "" is nobody's
			wrong++
		}
	}
	writes := calls.ByOperation[salesforcetest.OpCollectionsUpsert]
	perThousand := float64(calls.Total) / float64(z.matched) * 1000
	return []figure{{
		What: fmt.Sprintf("%d messages from %d Contacts, each linked to its own (first filling and a refresh included)", z.matched, z.contacts),
		Measured: fmt.Sprintf("%.2f Salesforce calls a thousand messages (%d writes, %d else), %d wrong links, %.1f us CPU a message, %d MiB at the most, %.0f s",
			perThousand, writes, calls.Total-writes, wrong, float64(u.CPU.Microseconds())/float64(z.matched), u.MaxRSS>>20, took.Seconds()),
		Goal: "5 writes a thousand, under 50 calls else; no wrong link", Met: wrong == 0 && calls.Total-writes < 50,
	}}, nil
}

// populate makes n Contacts, each with a number of its own, and answers their ids
// by it.
func populate(s *sandbox.Sandbox, n int) (map[string]any, error) {
	ids := make(map[string]any, n)
	for i := range n {
		area, line := 200+i/10_000, i%10_000
		id, err := s.Org.Insert("Contact", map[string]any{
			"LastName": fmt.Sprint("Person ", i), "MobilePhone": fmt.Sprintf(typed[i%len(typed)], area, line),
		})
		if err != nil {
			return nil, err
		}
		ids[fmt.Sprintf("+1415%03d%04d", area, line)] = id
	}
	return ids, nil
}

// write fills the account with messages from people among the first of so many.
func write(s *sandbox.Sandbox, n, people int) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same messages each time
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -historyDays-3)
	step := historyDays * 24 * time.Hour / time.Duration(n)
	s.Twilio.SeedFunc(n, func(i int) twiliotest.Row {
		at, who := begin.Add(time.Duration(i)*step), random.IntN(people)
		return twiliotest.Row{
			From: fmt.Sprintf("+1415%03d%04d", 200+who/10_000, who%10_000), To: "+14155550100", Body: "Yes, Tuesday at ten is fine.",
			Direction: "inbound", Status: "received", Created: at, Sent: at, Updated: at, Segments: 1, Price: "-0.00790",
		}
	}, nil)
}
