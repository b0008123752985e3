package salesforce

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// carrier is the transport under the library for one call. It takes the context
// along, which the library does not, and keeps a fault aside: the library would
// print the answer of a failed call, so it gets an empty one instead.
type carrier struct {
	ctx        context.Context //nolint:containedctx // it lives for one call, whose library has no room for a context
	chain      link
	op         string
	repeatable bool
	extra      http.Header
	soap       bool
	// host is where the request goes when no session decides that.
	host string

	fault error
	// body is the answer of a call that is not the library's to understand, which
	// it would copy piece by piece.
	body []byte
	kept bool
}

// RoundTrip never fails: what went wrong is kept for result.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := drain(req)
	if err != nil {
		c.fault = unreadable(c.op, err)
		return stub(req, c.empty()), nil
	}
	r := &request{
		op: c.op, method: req.Method, host: c.host, path: req.URL.RequestURI(), body: body,
		contentType: req.Header.Get("Content-Type"), header: c.extra, repeatable: c.repeatable, soap: c.soap,
	}
	if c.soap {
		r.header = http.Header{"Soapaction": req.Header.Values("SOAPAction")}
	}
	a, err := c.chain.exchange(c.ctx, r)
	if err != nil {
		if c.soap && a != nil {
			err = loginFault(r, a, err)
		}
		c.fault = err
		return stub(req, c.empty()), nil
	}
	if c.kept {
		c.body = a.body
		return stub(req, c.empty()), nil
	}
	return stub(req, a.body), nil
}

// result is the call's error: ours if the exchange failed, else the library's,
// which then can only be about an answer it does not understand. Its text may
// quote that answer, so it is not kept.
func (c *carrier) result(libraryErr error) error {
	switch {
	case c.fault != nil:
		return c.fault
	case libraryErr != nil:
		return unreadable(c.op, fmt.Errorf("the answer has an unexpected form (%T)", libraryErr))
	default:
		return nil
	}
}

// empty is an answer that the library takes without a word.
func (c *carrier) empty() []byte {
	if c.soap {
		return []byte("<Envelope/>")
	}
	return []byte("{}")
}

// drain copies and closes a request's body.
func drain(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close() //nolint:errcheck // reading from memory
	if req.ContentLength <= 0 {
		return io.ReadAll(req.Body)
	}
	body := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, body)
	return body, err
}

// stub is a 200 answer with the given body.
func stub(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}
