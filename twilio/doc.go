// Package twilio is the Twilio account as the engines see it: messages listed
// page by page and fetched by SID, errors classed by what may be done about
// them, few requests at once and fewer when Twilio asks for it.
//
// The vendor's generated services and models (github.com/twilio/twilio-go)
// carry the requests over an HTTP client of this package's own, because the
// library's client takes no context, loses the headers of an error, never
// closes its body (one stuck connection a failure) and cuts ".digits" out of
// query values.
//
// # What must not happen twice
//
// Twilio takes no idempotency key: a create that is sent twice is two messages.
// So Create and Execute make one request, and nothing below repeats it: not this
// package, not twilio-go, not net/http, which has no second copy of the body. They
// travel over a pool of HTTP/1.1 connections of their own that count the bytes
// that leave, and an error says Transient only when none has.
//
// # Rows that cannot be read
//
// A row of a list without a valid SID, without any date, or with a value of a
// wrong kind is left out of its page; the other rows and the pages after it
// are handed over as if nothing had happened. When the walk ends it fails with
// a Transient fault that names the page, the row and the field. So no record
// is written from half a message, no message waits for a bad neighbour, and no
// cursor moves past a message that nobody has read (P3, P9).
package twilio
