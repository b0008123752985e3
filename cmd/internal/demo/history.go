package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	// historyDays is how long the account has been in use when the demo begins.
	historyDays = 3
	// unsentSpan is how old a past message that was never sent may be. Twilio's
	// list need not show older ones to a reader of closed days (they have no
	// date_sent), and the demo does not argue about that.
	unsentSpan = 18 * time.Hour
	// settled is the age of the youngest past message.
	settled = 2 * time.Minute
)

// past makes finished messages of conversations in the days before now.
type past struct {
	rng  *rand.Rand
	now  time.Time
	rows []twiliotest.Row
}

// history is n messages or a few more, oldest first.
func history(seed uint64, now time.Time, n int) []twiliotest.Row {
	p := &past{rng: rand.New(rand.NewPCG(seed, 0x70617374)), now: now.Truncate(time.Second)}
	said := Conversations()
	for i := 0; len(p.rows) < n; i++ {
		if i%len(said) == 0 {
			p.rng.Shuffle(len(said), func(a, b int) { said[a], said[b] = said[b], said[a] })
		}
		p.talk(newThread(said[i%len(said)], p.rng))
	}
	slices.SortStableFunc(p.rows, func(a, b twiliotest.Row) int { return a.Created.Compare(b.Created) })
	return p.rows
}

// talk lets a conversation take place, until a message of ours does not arrive.
func (p *past) talk(t *thread) {
	const span = historyDays * 24 * time.Hour
	at := p.now.Add(-settled - time.Duration(p.rng.Int64N(int64(span-settled))))
	for !t.over() && at.Before(p.now.Add(-settled)) {
		row := p.row(t, at.Truncate(time.Second))
		p.rows = append(p.rows, row)
		if row.ErrorCode != 0 || row.Status == "canceled" {
			return
		}
		at = at.Add(20*time.Second + time.Duration(p.rng.Int64N(int64(10*time.Minute))))
	}
}

func (p *past) row(t *thread, at time.Time) twiliotest.Row {
	line := t.line()
	ours := t.ours
	if t.service != "" {
		ours = sales
	}
	row := twiliotest.Row{From: t.theirs, To: ours, Body: line.Text, Direction: "inbound", Created: at, Sent: at}
	if t.picture(p.rng) {
		row.Media = []twiliotest.Media{{ContentType: "image/jpeg"}}
	}
	if line.Ours {
		row.From, row.To, row.ServiceSID, row.Direction = ours, t.theirs, t.service, "outbound-api"
		row.Sent = at.Add(time.Second)
		p.fate(&row, isChat(t))
	}
	if row.Status != "canceled" && row.Status != "failed" {
		row.Price = price(&row)
	}
	return row
}

// fate decides what became of one of our messages.
func (p *past) fate(row *twiliotest.Row, receipted bool) {
	row.Status, row.Updated = "delivered", row.Sent.Add(time.Duration(1+p.rng.IntN(9))*time.Second)
	young := p.now.Sub(row.Created) < unsentSpan
	switch at := p.rng.Float64(); {
	case at < 0.05:
		row.Status, row.ErrorCode = "undelivered", []int{30003, 30005, 30006, 30007}[p.rng.IntN(4)]
	case at < 0.13 && young:
		row.Status, row.ErrorCode, row.Sent = "failed", 30008, time.Time{}
	case at < 0.19 && young && row.ServiceSID != "":
		row.Status, row.Sent = "canceled", time.Time{}
	case at >= 0.98:
		row.Status = "sent" // a carrier without receipts
	case at < 0.55 && receipted:
		row.Status = "read"
	}
}

func isChat(t *thread) bool { return len(t.theirs) > len(chat) && t.theirs[:len(chat)] == chat }

// price is what a message cost, in dollars.
func price(row *twiliotest.Row) string {
	if len(row.Media) > 0 {
		return "-0.02000"
	}
	const segment = 750 // in 1/100,000 of a dollar
	cost := segment * twiliotest.Segments(row.Body)
	return fmt.Sprintf("-%d.%05d", cost/100_000, cost%100_000)
}
