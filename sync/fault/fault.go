// Package fault classes errors once, where a vendor's answer is first read, so
// that everything above decides by class and by code and nothing by text.
//
// A fault says whether the operation happened, whether repeating it can help,
// and what the operator should do about it.
package fault

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Class says what a caller may do about an error.
type Class uint8

const (
	// Transient: it did not happen; the same request may succeed later.
	Transient Class = iota + 1
	// Throttled: it did not happen, because we ask too much; slow down.
	Throttled
	// Permanent: this very request will be refused for ever.
	Permanent
	// Auth: we are refused for who we are or for what we may see: a credential,
	// a permission, an object or a field that is missing or hidden (Salesforce
	// answers both alike). Nothing is wrong with the data; it waits until an
	// operator has put the set-up right.
	Auth
	// Uncertain: it may or may not have happened; only a look-up can tell.
	Uncertain
)

// String is the class's name in logs and metric labels.
func (c Class) String() string {
	switch c {
	case Transient:
		return "transient"
	case Throttled:
		return "throttled"
	case Permanent:
		return "permanent"
	case Auth:
		return "auth"
	case Uncertain:
		return "uncertain"
	default:
		return "unclassified"
	}
}

// Error is a classed error. But for Words it never holds a secret, a message body
// or an unmasked number: whoever makes one cuts them out.
type Error struct {
	Class Class
	// Op is what was tried, in the words of the vendor's client: "twilio list messages".
	Op string
	// Code is the vendor's own code ("21211", "UNABLE_TO_LOCK_ROW"), "" if there is none.
	Code string
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Fields are the API names of the fields the vendor complained of.
	Fields []string
	// Condition names the condition (package health) that this fault is a sign of,
	// when the wire knows: "salesforce-login". "" leaves it to the caller.
	Condition string
	// Hint is what the operator should do, a whole sentence; "" if nothing.
	Hint string
	// Words are the vendor's own about one record, to be shown on that record and
	// nowhere else: they may repeat a number, so they are no part of Error.
	Words string
	// After is how long to wait before asking again; 0 if the vendor did not say.
	After time.Duration
	// Err is the cause.
	Err error
}

// New classes err. op is what was tried.
func New(class Class, op string, err error) *Error {
	return &Error{Class: class, Op: op, Err: err}
}

// Error is one line: what was tried, the code, the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Code != "" {
		b.WriteString(": ")
		b.WriteString(e.Code)
	}
	if len(e.Fields) > 0 {
		b.WriteString(" (" + strings.Join(e.Fields, ", ") + ")")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Of finds the outermost classed error in err's chain, nil if there is none.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// ClassOf is the class of err. What nobody classed (a closed store, a canceled
// context) counts as Transient: it is tried again and nothing is dropped.
// It is 0 for nil.
func ClassOf(err error) Class {
	if err == nil {
		return 0
	}
	if e := Of(err); e != nil {
		return e.Class
	}
	return Transient
}

// CodeOf is the vendor's code in err, "" if it has none.
func CodeOf(err error) string {
	if e := Of(err); e != nil {
		return e.Code
	}
	return ""
}

// Hint is what the operator should do about err, "" if nothing is known.
func Hint(err error) string {
	if e := Of(err); e != nil {
		return e.Hint
	}
	return ""
}

// Words are the vendor's own words in err, for the record it is about; "" if
// there are none.
func Words(err error) string {
	if e := Of(err); e != nil {
		return e.Words
	}
	return ""
}

// After is how long the vendor asked us to wait, 0 if it did not.
func After(err error) time.Duration {
	if e := Of(err); e != nil {
		return e.After
	}
	return 0
}

// Stopped reports whether err only says that we are stopping.
func Stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Cause(ctx)))
}
