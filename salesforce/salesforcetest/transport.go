package salesforcetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Client returns an http.Client that reaches this org without a socket: the
// handler runs in the goroutine of the caller, and the request's context is
// obeyed also while the org is slow. It answers for the org's URL and for
// Salesforce's login hosts; any other host is unknown.
func (s *Server) Client() *http.Client { return &http.Client{Transport: &inProcess{s}} }

// inProcess is a transport that calls the handler.
type inProcess struct{ s *Server }

var loginHosts = map[string]bool{"login.salesforce.com": true, "test.salesforce.com": true}

// RoundTrip serves one request in process.
func (t *inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }() //nolint:errcheck // a transport closes the body; a failed close changes nothing
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !t.s.answersFor(req.URL) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: req.URL.Hostname(), IsNotFound: true}}
	}
	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RemoteAddr = "192.0.2.1:1234"
	out := &recorder{header: http.Header{}}
	t.s.serve(out, in)
	if err := ctx.Err(); err != nil && out.status == 0 {
		return nil, err
	}
	if out.cut {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return out.response(req), nil
}

func (s *Server) answersFor(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	if loginHosts[host] {
		return true
	}
	for _, own := range []string{s.URL, inProcessURL} {
		if _, rest, found := strings.Cut(own, "://"); found && rest == host {
			return true
		}
	}
	return false
}

// recorder collects an answer.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
	cut    bool
}

// Header, WriteHeader and Write make recorder an http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.body.Write(b)
}

func (r *recorder) response(req *http.Request) *http.Response {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	promised := int64(r.body.Len())
	var body io.Reader = bytes.NewReader(r.body.Bytes())
	if text := r.header.Get("Content-Length"); text != "" {
		if _, err := fmt.Sscan(text, &promised); err == nil && promised > int64(r.body.Len()) {
			body = io.MultiReader(body, brokenBody{})
		}
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(body), ContentLength: promised, Request: req,
	}
}

// brokenBody ends a body as a connection does that breaks in the middle.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// cut drops the connection without an answer: over TCP with a reset.
func cut(w http.ResponseWriter) {
	if r, inside := w.(*recorder); inside {
		r.cut = true
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler) // HTTP/2: ends the stream
	}
	if err != nil {
		return // already gone
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0) //nolint:errcheck // without it the close below is a plain end of file
	}
	_ = conn.Close() //nolint:errcheck // nothing is left to be told
}
