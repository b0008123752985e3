package salesforce

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
// connection may have sent the request.
func (d *departure) mayHaveLeft(err error) bool {
	if d.dialing.Load() {
		return d.wrote.Load()
	}
	var (
		dial *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
		auth x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return false
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &rec), errors.As(err, &auth):
		return false
	default:
		return true
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
