package consent

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Subject is the number under which consent is kept. SMS, MMS and RCS share it;
// WhatsApp and others stand for themselves, as they do with Twilio.
// https://help.twilio.com/articles/223134027
func Subject(n message.Number) message.Number {
	return message.Number(strings.TrimPrefix(string(n), "rcs:"))
}

// Key is the unique key of a row in the org.
func Key(n message.Number, keyword string) string {
	if keyword == "" {
		keyword = "*"
	}
	return string(n) + ":" + keyword
}

// Row is what the register says of a number and one keyword, or of the number as
// a whole. Only a row of the whole that is not active keeps everything from it.
type Row struct {
	Keyword     string // "" for the number as a whole
	Active      bool
	InAt, OutAt time.Time
	Message     message.SID // that changed it last, "" if it was no message
	stopped     bool        // a STOP has ended it, so a START brings it back
}

// OptIn is the row as the org has it.
func (r *Row) OptIn(n message.Number) message.OptIn {
	return message.OptIn{
		Key: Key(n, r.Keyword), Number: n, Keyword: r.Keyword, Active: r.Active, InAt: r.InAt, OutAt: r.OutAt, Message: r.Message,
	}
}

// Settle says what the statements about one number come to. Their order does not
// matter, and none may be there twice.
//
// They count in the order of their dates; of one second, a STOP counts last. STOP
// ends every keyword's row and closes the whole; START opens the whole and brings
// back the rows that STOP has ended, and no others; a keyword makes or reopens its
// row, but does not open the whole, as it does not with Twilio.
func Settle(all []Statement) []Row {
	all = dated(all)
	slices.SortFunc(all, func(a, b Statement) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.ID, b.ID))
	})
	s := settling{}
	for i := range all {
		s.hear(&all[i])
	}
	rows := make([]Row, 0, len(s))
	for _, r := range s {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Keyword, b.Keyword) })
	return rows
}

// dated gives the rows that the org shows the places that are theirs.
//
// Most are our own work, written when a message came. Where we know from messages
// how such a row began, it tells nothing new. Else it counts under the date of the
// message that it names, as its own may be that of a webhook's receipt. A row that
// somebody has changed by hand since then says otherwise than its message, and
// counts under its own date.
func dated(all []Statement) []Statement {
	said := map[string]*Statement{}
	began := map[string]bool{} // by keyword
	for i := range all {
		switch x := &all[i]; x.Class {
		case shown:
			continue
		case Stop:
			began[""] = true
		case Join:
			began[x.Keyword] = true
		default: // nothing begins by it
		}
		said[all[i].ID] = &all[i]
	}
	count := make([]Statement, 0, len(all))
	for _, x := range all {
		by := said[string(x.Message)]
		if x.Class == shown && by != nil && x.Active == (by.Class != Stop) {
			if began[x.Keyword] {
				continue
			}
			x.under(by)
		}
		count = append(count, x)
	}
	return count
}

// under dates a shown row by the message that it names.
func (s *Statement) under(by *Statement) {
	s.At, s.stopped = by.At, by.Class == Stop
	if s.Active {
		s.InAt = by.At
	} else {
		s.OutAt = by.At
	}
}

// rank orders statements of one second.
func (s *Statement) rank() int {
	switch {
	case s.Class == Start:
		return 0
	case s.Class == shown && s.Active:
		return 1
	case s.Class == Join:
		return 2
	case s.Class == left:
		return 3
	case s.Class == Stop:
		return 4
	case s.Keyword == "":
		return 5
	default:
		return 6 // after the whole, by which it knows that a STOP has ended it
	}
}

// settling is the register of one number while it is made, by keyword.
type settling map[string]*Row

func (s settling) hear(x *Statement) {
	switch x.Class {
	case Stop:
		s.stop(x)
	case Start:
		s.start(x)
	case Join:
		if r := s.row(x.Keyword); !r.Active {
			r.open(x)
		}
	case left:
		for keyword, r := range s {
			if keyword != "" {
				r.close(x, false)
			}
		}
	case shown:
		s.show(x)
	default: // HELP changes nothing
	}
}

func (s settling) row(keyword string) *Row {
	if s[keyword] == nil {
		s[keyword] = &Row{Keyword: keyword}
	}
	return s[keyword]
}

func (s settling) stop(x *Statement) {
	if s[""] == nil {
		s[""] = &Row{Active: true}
	}
	for _, r := range s {
		if r.Active {
			r.close(x, true)
		}
	}
}

// start opens what STOP has closed. Without a STOP before it, it says nothing:
// people write YES for many reasons.
func (s settling) start(x *Statement) {
	for keyword, r := range s {
		if r.stopped || keyword == "" && !r.Active {
			r.open(x)
		}
	}
}

func (r *Row) open(x *Statement) {
	r.Active, r.InAt, r.Message, r.stopped = true, x.At, message.SID(x.ID), false
}

// close ends a row; by nobody's message if the number has left its person.
func (r *Row) close(x *Statement, byStop bool) {
	r.stopped = byStop
	if !r.Active {
		return
	}
	r.Active, r.OutAt, r.Message = false, x.At, ""
	if byStop {
		r.Message = message.SID(x.ID)
	}
}

// show takes a row of the org's over.
func (s settling) show(x *Statement) {
	r := s.row(x.Keyword)
	whole := s[""]
	r.Active, r.InAt, r.OutAt, r.Message = x.Active, x.InAt, x.OutAt, x.Message
	// A STOP puts its SID on all rows that it ends.
	r.stopped = x.stopped || !x.Active && x.Keyword != "" && x.Message != "" && whole != nil && !whole.Active && whole.Message == x.Message
}
