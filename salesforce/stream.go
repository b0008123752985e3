package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// stream is what happens to the body of a success that is too large to be held.
// An attempt that breaks off is followed by another one, which reads from the
// beginning.
type stream struct {
	mediaType string
	read      func(h http.Header, body io.Reader) error
}

// errForm marks a body that came whole but is not what the API promises.
var errForm = errors.New("the answer has another form")

// streamed is exchange for an answer that is read as it comes. The time allowed
// for one call is that of each wait for Salesforce, not of the whole body, whose
// length nobody knows; the reader's own time does not count.
func (w *wire) streamed(ctx context.Context, r *request) (*answer, error) {
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(w.timeout, func() { cancel(errTimeout) })
	defer clock.Stop()
	departure := &departure{}
	req, err := w.build(departure.watch(bounded), r)
	if err != nil {
		return nil, fault.New(fault.Permanent, opName(r.op), err)
	}
	resp, err := w.http.RoundTrip(req)
	if err != nil {
		return nil, cutOff(bounded, r, err, departure.mayHaveLeft(err))
	}
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if a.status < 200 || a.status > 299 {
		if a.body, err = readBody(resp); err != nil {
			return nil, cutOff(bounded, r, err, true)
		}
		return a, classify(r, a)
	}
	defer resp.Body.Close() //nolint:errcheck // the body has been read, or its error is known
	if !strings.EqualFold(mediaType(a.header), r.stream.mediaType) {
		return a, w.anotherForm(r, a, fmt.Errorf("status %d, but the body is %s", a.status, mediaType(a.header)))
	}
	clock.Stop()
	err = r.stream.read(a.header, &patient{body: resp.Body, clock: clock, patience: w.timeout})
	switch {
	case errors.Is(err, errForm):
		return a, w.anotherForm(r, a, err)
	case err != nil:
		return nil, cutOff(bounded, r, err, true)
	default:
		return a, nil
	}
}

func (w *wire) anotherForm(r *request, a *answer, err error) *fault.Error {
	f := unreadable(r.op, err)
	f.Status = a.status
	return f
}

// patient lets the clock run while a read waits, and only then.
type patient struct {
	body     io.Reader
	clock    *time.Timer
	patience time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	p.clock.Reset(p.patience)
	defer p.clock.Stop()
	return p.body.Read(b)
}
