package twilio

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// writeIdle is how long a connection for writes may rest. It is less than what
// load balancers allow (60 s and more), so that we close it and not they: a
// request that meets their closing is one of which nobody knows what became.
const writeIdle = 30 * time.Second

// newWriteTransport carries what must not happen twice. Over HTTP/1.1 a connection has
// one request at a time, so the bytes that leave it are this request's; HTTP/2
// would, after a GOAWAY, send again by itself what has left.
func newWriteTransport(concurrency int) http.RoundTripper {
	t := newTransport(concurrency)
	t.HTTP2 = nil
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.IdleConnTimeout = writeIdle
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = counted(dial)
	return t
}

// counted makes connections count the bytes that leave.
func counted(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: conn}, nil
	}
}

type countedConn struct {
	net.Conn
	left atomic.Int64
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.left.Add(int64(n))
	return n, err
}

// wire watches one request on its way out.
type wire struct {
	mu     sync.Mutex
	begun  bool // the transport has the request
	tells  bool // the transport is one that tells what it does
	asked  bool // it looked for a connection
	got    bool // and had one
	conn   *countedConn
	before int64 // what had left that connection until then
}

// watch makes the request tell what becomes of it, and takes from the transport
// the means to send it a second time.
func (w *wire) watch(req *http.Request, by http.RoundTripper) *http.Request {
	_, w.tells = by.(*http.Transport)
	w.begun = true
	req.GetBody = nil
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked, w.tells = true, true
		},
		GotConn: func(info httptrace.GotConnInfo) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got, w.conn = true, countedIn(info.Conn)
			if w.conn != nil {
				w.before = w.conn.left.Load()
			}
		},
	}))
}

// countedIn finds the connection below TLS, nil if it is none of ours.
func countedIn(conn net.Conn) *countedConn {
	for {
		switch c := conn.(type) {
		case *countedConn:
			return c
		case *tls.Conn:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// untouched reports that surely no byte of the request has left or will. over says
// that we gave up waiting: then a connection that was found may yet be written
// to.
func (w *wire) untouched(over bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.begun:
		return true
	case !w.asked:
		return w.tells
	case !w.got:
		return true
	default:
		return !over && w.conn != nil && w.conn.left.Load() == w.before
	}
}
