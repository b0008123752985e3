package salesforce

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// departure notes how far a request came, because a request that never left has
// certainly not happened.
type departure struct {
	dialing atomic.Bool
	wrote   atomic.Bool
}

func (d *departure) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { d.dialing.Store(true) },
		WroteHeaders: func() { d.wrote.Store(true) },
	})
}

// mayHaveLeft is the cautious answer: a transport that tells nothing about its
// connection may have sent the request. A failure to connect is the last word
// even if an older connection was tried before: net/http tries another one for
// a call that is not idempotent only when nothing of it was written.
func (d *departure) mayHaveLeft(err error) bool {
	var (
		dial *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return false
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &rec):
		return false
	default:
		return !d.dialing.Load() || d.wrote.Load()
	}
}

// cutOff classes an exchange that ended without a complete answer. ctx is the
// exchange's own context.
func cutOff(ctx context.Context, r *request, err error, left bool) *fault.Error {
	f := fault.New(fault.Transient, opName(r.op), err)
	if left && !r.repeatable {
		f.Class = fault.Uncertain
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTimeout):
		f.Code, f.Err = CodeTimeout, cause
		f.Hint = "Salesforce is slow or the connection stalls; the call is made again later."
	case cause != nil:
		// The caller gave up: errors.Is must find its reason.
		f.Err = cause
	default:
		f.Code = CodeConnection
		f.Err = fmt.Errorf("no complete answer: %w", err)
		f.Hint = "Check that this machine reaches Salesforce: DNS, proxy, firewall, trusted certificates."
	}
	return f
}
