package campaign

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// whatsApp is the channel before a number.
const whatsApp = "whatsapp:"

// merger makes recipients of the people of one run.
type merger struct {
	*Engine
	body    *Body
	channel string // before the numbers
	keyword string
	media   bool
	textual bool // they are sent something
	fields  map[string]int
	record  string // the body as it stands on the record
	run     int64
}

func (e *Engine) merger(r *Run) (*merger, error) {
	body, err := ParseBody(r.Campaign.Body)
	if err != nil {
		return nil, err
	}
	m := &merger{
		Engine: e, body: body, keyword: r.Campaign.Keyword, media: strings.TrimSpace(r.Campaign.Media) != "",
		textual: r.Kind != ToForecast, fields: map[string]int{}, record: r.Campaign.Body, run: r.N,
	}
	if strings.HasPrefix(r.Sender, whatsApp) {
		m.channel = whatsApp
	}
	for i, f := range r.Audience.Fields {
		m.fields[f.Key()] = i
	}
	return m, nil
}

// recipients are the people of a page, those left out with the first reason that there
// is. Who shares a number with another, the ledger knows.
func (m *merger) recipients(ctx context.Context, people []Person) ([]Recipient, error) {
	page := make([]Recipient, len(people))
	var numbers []message.Number
	for i := range people {
		p := &people[i]
		page[i] = Recipient{Run: m.run, Person: p.Link, Member: p.Member, Last: p.Last}
		page[i].Number, page[i].Reason = m.number(p.Phones)
		if page[i].Reason == "" && p.Last == lastBlocked {
			page[i].Reason = Blocked
		}
		if page[i].Reason == "" {
			numbers = append(numbers, page[i].Number)
		}
	}
	if err := m.ask(ctx, page, numbers); err != nil {
		return nil, err
	}
	now := time.Now()
	for i := range page {
		r := &page[i]
		if r.Reason != "" || !m.textual {
			continue
		}
		if r.Text, r.Reason = m.text(&people[i]); r.Reason != "" {
			r.Text = ""
			continue
		}
		if at := m.allowedAt(r.Number, now); at.After(now) {
			r.Due = at
		}
	}
	return page, nil
}

// lastBlocked is the last status of a message to whoever blocks us.
const lastBlocked = "blocked"

// number is the first of a person's that is one.
func (m *merger) number(phones []string) (message.Number, Reason) {
	why := NoNumber
	for _, text := range phones {
		n, err := phone.Parse(text, m.o.Country)
		if err == nil {
			return message.Number(m.channel) + bare(n), ""
		}
		if !errors.Is(err, phone.ErrEmpty) {
			why = BadNumber
		}
	}
	return "", why
}

// bare is a number without its channel.
func bare(n message.Number) message.Number {
	if _, address, found := strings.Cut(string(n), ":"); found {
		return message.Number(address)
	}
	return n
}

// ask leaves those out who may not be texted.
func (m *merger) ask(ctx context.Context, page []Recipient, numbers []message.Number) error {
	if len(numbers) == 0 {
		return nil
	}
	in, err := m.Consent.Allowed(ctx, numbers, "")
	if err != nil {
		return err
	}
	joined := in
	if m.keyword != "" {
		if joined, err = m.Consent.Allowed(ctx, numbers, m.keyword); err != nil {
			return err
		}
	}
	for i := range page {
		switch r := &page[i]; {
		case r.Reason != "":
		case !in[r.Number]:
			r.Reason = OptedOut
		case !joined[r.Number]:
			r.Reason = NotOptedIn
		}
	}
	return nil
}

// text is what a person reads, "" for the body as it stands.
func (m *merger) text(p *Person) (string, Reason) {
	text := m.filled(p)
	switch {
	case strings.TrimSpace(text) == "" && !m.media, tooLong(text):
		return "", NoText
	case text == m.record:
		return "", ""
	case text == "":
		return " ", "" // the media alone
	}
	return text, ""
}

func (m *merger) filled(p *Person) string {
	return m.body.Fill(func(f Field) string {
		if i, known := m.fields[f.Key()]; known && i < len(p.Fields) {
			return p.Fields[i]
		}
		return ""
	})
}

// estimate adds up what those of a page would read who are not left out. Of several
// with one number only the first counts.
func (m *merger) estimate(page []Recipient) Estimate {
	if !m.textual {
		return Estimate{}
	}
	sum := NewEstimator(m.body, false)
	seen := map[message.Number]bool{}
	for i := range page {
		r := &page[i]
		if r.Reason != "" || seen[r.Number] {
			continue
		}
		seen[r.Number] = true
		if r.Text == "" {
			sum.Add(m.record)
			continue
		}
		sum.Add(r.Text)
	}
	return sum.Estimate(Price{}, 0)
}

// allowedAt is the first moment from a time on at which it is not quiet where a number
// is.
func (e *Engine) allowedAt(n message.Number, t time.Time) time.Time {
	if e.o.Quiet == (Quiet{}) {
		return t
	}
	zones := []*time.Location{e.o.Zone}
	if e.o.Zone == nil {
		zones = phone.Locations(n)
	}
	return e.o.Quiet.Next(t, zones)
}
