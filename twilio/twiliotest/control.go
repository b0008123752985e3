package twiliotest

import (
	"fmt"
	"iter"
	"time"
)

// Inbound is a message that someone sends to the account.
type Inbound struct {
	From, To, Body string
	Media          []Media
	// Receiving is how long the message is still receiving, without date_sent;
	// 0 means that it is received at once.
	Receiving time.Duration
}

// Receive lets a message come in, and returns its SID. Nothing of it is
// checked: people send what they like.
func (s *Server) Receive(in Inbound) string {
	now := s.lock()
	defer s.mu.Unlock()
	at := now + int64(in.Receiving)
	r := record{
		from: in.From, to: in.To, body: in.Body, created: now, updated: now, sent: now, price: noPrice,
		status: received, direction: inbound, mm: len(in.Media) > 0,
		segments: segmentsOf(Row{Body: in.Body, Media: in.Media}),
	}
	r.id = s.nextDigits()
	r.attach(s.attachments(in.Media, now))
	if in.Receiving > 0 {
		r.status, r.sent = receiving, null
		r.extra().schedule = append(r.extra().schedule, step{at: at, status: received})
	}
	if life := s.opts.Life; !life.Still {
		r.extra().schedule = append(r.extra().schedule, step{at: at + int64(life.Priced.Min), price: true})
	}
	stored, _ := s.ledger.add(r) // its SID is new
	if stored.status == received {
		s.announceInbound(stored, now)
	}
	return stored.sid()
}

// Outbound is a message that another system sends from the account.
type Outbound struct {
	// From is a number, or ServiceSID one of the account's services.
	From, ServiceSID string
	To, Body         string
	// MediaURLs as in a create.
	MediaURLs []string
	// StatusCallback as in a create.
	StatusCallback string
	// Direction is outbound-api when empty.
	Direction string
}

// Send makes an outbound message as another system's create would, without
// its checks, starts its life and returns its SID.
func (s *Server) Send(out Outbound) string {
	c := creation{from: out.From, to: out.To, body: out.Body, media: out.MediaURLs, callback: out.StatusCallback}
	if out.ServiceSID != "" {
		var ok bool
		if c.service, ok = s.opts.service(out.ServiceSID); !ok || len(c.service.Senders) == 0 {
			panic(fmt.Sprintf("twiliotest: no service %q with senders", out.ServiceSID))
		}
	}
	now := s.lock()
	defer s.mu.Unlock()
	r := s.admit(c, now)
	r.direction = direction(word(directionNames, or(out.Direction, "outbound-api")))
	return r.sid()
}

// Seed stores finished rows as they are and returns their SIDs. They do not
// change by themselves. A SID that is taken panics.
func (s *Server) Seed(rows ...Row) []string {
	sids := make([]string, len(rows))
	s.SeedFunc(len(rows), func(i int) Row { return rows[i] }, func(i int, sid string) { sids[i] = sid })
	return sids
}

// SeedFunc stores n rows without holding them all; it is cheapest when each is
// sent after the one before. stored, if there is one, gets each row's SID.
func (s *Server) SeedFunc(n int, row func(i int) Row, stored func(i int, sid string)) {
	now := s.opts.Now()
	for i := range n {
		sid := s.seed(row(i), now)
		if stored != nil {
			stored(i, sid)
		}
	}
}

func (s *Server) seed(row Row, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.ledger.add(s.record(row, now))
	if !ok {
		panic(fmt.Sprintf("twiliotest: SID %q is taken", row.SID))
	}
	return r.sid()
}

// SetStatus gives a message a status and an error code (0 for none) for good:
// what was to become of it is dropped. It gets a date_sent where the status
// means that it was sent. It reports whether there is such a message.
func (s *Server) SetStatus(sid, name string, code int) bool {
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.ledger.find(sid)
	if !ok {
		return false
	}
	s.ledger.edit(ref, func(r *record) {
		if r.more != nil {
			r.more.schedule = nil
		}
		step{at: now, status: status(word(statusNames, name)), code: int32(code)}.apply(r)
	})
	return true
}

// Update changes a message; its SID stays. Updated moves to now unless the
// change sets it. What was to become of the message is dropped when its status
// changes. It reports whether there is such a message.
func (s *Server) Update(sid string, change func(*Row)) bool {
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.ledger.find(sid)
	if !ok {
		return false
	}
	old := s.ledger.at(ref)
	row := s.row(old)
	updated := row.Updated
	if row.ErrorMessage == codeText(row.ErrorCode) {
		row.ErrorMessage = ""
	}
	change(&row)
	row.SID = sid
	if row.Updated.Equal(updated) {
		row.Updated = moment(now)
	}
	next := s.record(row, moment(now))
	if old.more != nil && old.more.callback != "" {
		next.extra().callback = old.more.callback
	}
	if old.more != nil && next.status == old.status {
		next.extra().schedule = old.more.schedule
	}
	s.ledger.edit(ref, func(r *record) { *r = next })
	return true
}

// Delete removes a message as if its owner had. It reports whether there was
// such a message.
func (s *Server) Delete(sid string) bool {
	s.lock()
	defer s.mu.Unlock()
	ref, ok := s.ledger.find(sid)
	if ok {
		s.ledger.delete(ref)
	}
	return ok
}

// Message is the present state of one message, whatever its age.
func (s *Server) Message(sid string) (Row, bool) {
	s.lock()
	defer s.mu.Unlock()
	ref, ok := s.ledger.find(sid)
	if !ok {
		return Row{}, false
	}
	return s.row(s.ledger.at(ref)), true
}

// Len is the number of messages, whatever their age.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.live
}

// Messages yields all messages, whatever their age, in the list's order, newest
// first. The account may change meanwhile: a message that moves up may then be
// missed or come twice, as in a walk over HTTP.
func (s *Server) Messages() iter.Seq[Row] {
	const batch = 256
	return func(yield func(Row) bool) {
		from := top
		rows := make([]Row, 0, batch)
		for {
			s.lock()
			rows = rows[:0]
			for p := range s.ledger.order.below(from) {
				rows = append(rows, s.row(s.ledger.at(p.ref)))
				from = p
				if len(rows) == batch {
					break
				}
			}
			s.mu.Unlock()
			for _, row := range rows {
				if !yield(row) {
					return
				}
			}
			if len(rows) < batch {
				return
			}
		}
	}
}
