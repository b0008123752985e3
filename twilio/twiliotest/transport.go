package twiliotest

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"syscall"
)

// transport answers in the caller's goroutine.
type transport struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() //nolint:errcheck // a transport closes the body; a failed close changes nothing
	}
	trace := traceOf(r)
	trace.GetConn(r.URL.Host)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rep := t.s.answer(r)
	if rep.cut == noAnswer && rep.err != nil {
		return nil, rep.err
	}
	trace.GotConn(httptrace.GotConnInfo{})
	switch rep.cut {
	case abandoned:
		return nil, rep.err
	case noAnswer:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	default:
		return response(r, rep), nil
	}
}

// traceOf tells a client that asks (net/http/httptrace) whether its request found
// a connection, as net/http's own transport does.
func traceOf(r *http.Request) httptrace.ClientTrace {
	trace := httptrace.ClientTrace{}
	if given := httptrace.ContextClientTrace(r.Context()); given != nil {
		trace = *given
	}
	if trace.GetConn == nil {
		trace.GetConn = func(string) {}
	}
	if trace.GotConn == nil {
		trace.GotConn = func(httptrace.GotConnInfo) {}
	}
	return trace
}

func response(r *http.Request, rep reply) *http.Response {
	var body io.Reader = bytes.NewReader(rep.body)
	if rep.cut == halfAway {
		body = io.MultiReader(bytes.NewReader(rep.body[:len(rep.body)/2]), broken{})
	}
	return &http.Response{
		Status:     strconv.Itoa(rep.status) + " " + http.StatusText(rep.status),
		StatusCode: rep.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        rep.header,
		Body:          io.NopCloser(body),
		ContentLength: int64(len(rep.body)),
		Request:       r,
	}
}

// broken is the end of a body that a connection did not carry to its end.
type broken struct{}

// Read implements io.Reader.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// maxForm is more than any request to the account needs, in bytes.
const maxForm = 1 << 20

// handler answers over a connection.
type handler struct{ s *Server }

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The server notices a client that leaves only once the body is read.
	form, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		http.Error(w, "unreadable body", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(form))
	rep := h.s.answer(r)
	if rep.cut == noAnswer || rep.cut == abandoned {
		sever(w, true)
	}
	header := w.Header()
	maps.Copy(header, rep.header)
	if rep.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	w.WriteHeader(rep.status)
	if rep.cut == halfAway {
		_, _ = w.Write(rep.body[:len(rep.body)/2]) //nolint:errcheck // the client may have gone
		_ = http.NewResponseController(w).Flush()  //nolint:errcheck // likewise
		sever(w, false)
	}
	_, _ = w.Write(rep.body) //nolint:errcheck // the client may have gone
}

// sever ends the connection and the handler: with a TCP reset, or after what
// was written has gone out. Without a connection of its own it panics as
// net/http wants it.
func sever(w http.ResponseWriter, reset bool) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, buf, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok && reset {
				_ = tcp.SetLinger(0) //nolint:errcheck // then Close resets; failing that it merely closes
			} else {
				_ = buf.Flush() //nolint:errcheck // the connection is cut next
			}
			_ = conn.Close() //nolint:errcheck // nothing is left to be told
		}
	}
	panic(http.ErrAbortHandler)
}
