package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

var opContent = operation{name: "twilio fetch medium", label: "fetch_medium"}

// maxHops is how many redirects lead to a medium's bytes; Twilio uses one.
const maxHops = 5

var (
	errStore = errors.New("the file store does not give the medium")
	errHops  = errors.New("the medium's address leads nowhere")
)

// Content reads the bytes of one medium of a message: into is called with its
// type and its bytes, and once more from the beginning when the first attempt
// broke off. What into fails with is handed on; a fault that is not Transient is
// not repeated. A medium that Twilio has no more is mirror.ErrGone. The address
// is made from the SIDs, so that the credentials go nowhere else.
func (a *Account) Content(ctx context.Context, sid message.SID, medium string, into func(contentType string, r io.Reader) error) error {
	if !validSID(sid) || !validID(medium, "ME") {
		return fault.New(fault.Permanent, opContent.name, errMedium)
	}
	return a.repeat(ctx, opContent, func(c *call) error {
		resp, err := c.download(a.mediaPath(sid) + "/" + medium) //nolint:bodyclose // attempt closes it
		if err != nil {
			return asGone(err)
		}
		return into(resp.Header.Get("Content-Type"), resp.Body)
	})
}

// download asks for a medium's bytes and follows the redirects to the file
// store. The credentials stay with Twilio's API: what it leads to is signed by
// itself, and another host must not learn them.
// https://www.twilio.com/docs/messaging/api/media-resource
func (c *call) download(path string) (*http.Response, error) {
	req, err := c.request(http.MethodGet, apiURL+path, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Del("Accept") // whatever it is
	for range maxHops {
		resp, err := c.get(req)
		if err != nil {
			return nil, err
		}
		next := resp.Header.Get("Location")
		switch {
		case resp.StatusCode >= 200 && resp.StatusCode <= 299:
			return resp, nil
		case resp.StatusCode < 300 || resp.StatusCode > 399 || next == "":
			return nil, c.notGiven(resp, req.Header.Get("Authorization") != "")
		}
		if req, err = c.hop(req.URL, next); err != nil {
			return nil, err
		}
	}
	return nil, c.lost(errHops)
}

// get makes one request of several; attempt closes the last one's body.
func (c *call) get(req *http.Request) (*http.Response, error) {
	c.close()
	c.method, c.url, c.body = req.Method, req.URL, nil
	c.account.calls.Add(1)
	resp, err := c.account.http.Do(req)
	if err == nil {
		c.body = resp.Body
	}
	return resp, err
}

// hop is the request that a redirect asks for, without credentials.
func (c *call) hop(from *url.URL, location string) (*http.Request, error) {
	u, err := from.Parse(location)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != from.Scheme {
		return nil, c.lost(errHops)
	}
	return http.NewRequestWithContext(c.ctx, http.MethodGet, u.String(), http.NoBody)
}

// notGiven classes an answer without bytes. Only Twilio's API tells what is
// gone: the file store's addresses expire by themselves.
func (c *call) notGiven(resp *http.Response, api bool) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) //nolint:errcheck // as in SendRequest
	if api {
		return c.refusal(resp, text)
	}
	f := c.lost(fmt.Errorf("%w: HTTP %d", errStore, resp.StatusCode))
	f.Status = resp.StatusCode
	return f
}

func (c *call) lost(err error) *fault.Error {
	f := fault.New(fault.Transient, c.op.name, err)
	f.Hint = hintNetwork
	return f
}
