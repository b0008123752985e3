package twilio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// far is the other end of connections to Twilio: serve plays it for each.
type far struct {
	dials, requests atomic.Int32
	dial            func(ctx context.Context) error // in place of a connection
	serve           func(f *far, conn net.Conn)     // nil hangs up
	near            func(net.Conn) net.Conn         // around our end
}

func (f *far) open(ctx context.Context, _, _ string) (net.Conn, error) {
	f.dials.Add(1)
	if f.dial != nil {
		return nil, f.dial(ctx)
	}
	ours, theirs := net.Pipe()
	if f.serve == nil {
		_ = theirs.Close()
		return ours, nil
	}
	go func() {
		f.serve(f, theirs)
		_ = theirs.Close()
	}()
	if f.near != nil {
		ours = f.near(ours)
	}
	return ours, nil
}

// whole reads a request to its end.
func (f *far) whole(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	if _, err = io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	f.requests.Add(1)
	return true
}

// says answers every request with the text, and goes after the last byte.
func says(answer string) func(*far, net.Conn) {
	return func(f *far, conn net.Conn) {
		if f.whole(bufio.NewReader(conn)) {
			_, _ = io.WriteString(conn, answer)
		}
	}
}

func answered(status int, kind, body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s",
		status, kind, len(body), strings.Join(append(headers, ""), "\r\n"), body)
}

func refusedWith(status, code int, headers ...string) string {
	return answered(status, "application/json", twilioError(status, code, "No to +14155550199: 'dear Anna'"), headers...)
}

const accepted = `{"sid":"SM00000000000000000000000000000001","to":"+14155550199","from":"+14155550100","body":"dear Anna",` +
	`"status":"queued","direction":"outbound-api","num_segments":"1","date_created":"Thu, 30 Jul 2015 20:12:31 +0000"}`

var greeting = message.Outgoing{To: "+14155550199", From: "+14155550100", Body: "dear Anna"}

// sending is an account whose writes go to the far end.
func sending(t *testing.T, base string, f *far) *Account {
	t.Helper()
	a, err := New(Options{AccountSID: "AC00000000000000000000000000000001", AuthToken: "t0ken", BaseURL: base})
	require.NoError(t, err)
	tr, ok := newWriteTransport(1).(*http.Transport)
	require.True(t, ok)
	tr.Proxy, tr.DialContext = nil, counted(f.open)
	a.writes.Transport = tr
	t.Cleanup(tr.CloseIdleConnections)
	return a
}

func TestWhatBecameOfACreate(t *testing.T) {
	const plain, tls = "http://twilio.test", "https://twilio.test"
	hang := func(_ *far, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	for _, c := range []struct {
		name  string
		base  string
		far   *far
		class fault.Class
		asked int32 // requests that the far end has read whole
		text  string
		after time.Duration
	}{
		{name: "no such host", far: &far{dial: func(context.Context) error {
			return &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
		}}, class: fault.Transient, text: "no such host"},
		{name: "a dial that is refused", far: &far{dial: func(context.Context) error {
			return &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}}, class: fault.Transient, text: "refused"},
		{name: "a dial without an answer", far: &far{dial: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}, class: fault.Transient, text: "no answer in time"},
		{name: "no TLS at the other end", base: tls, far: &far{serve: func(_ *far, conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 100))
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}}, class: fault.Transient},
		{name: "a TLS handshake without an answer", base: tls, far: &far{serve: hang}, class: fault.Transient, text: "handshake"},
		{name: "TLS that breaks off", base: tls, far: &far{serve: func(_ *far, conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 100))
		}}, class: fault.Transient},
		{name: "reset before any byte", far: &far{}, class: fault.Transient},
		{name: "reset after one byte", far: &far{serve: func(_ *far, conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 1))
		}}, class: fault.Uncertain},
		{name: "reset after the head", far: &far{serve: func(_ *far, conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReaderSize(conn, 16))
		}}, class: fault.Uncertain},
		{name: "reset after all of it", far: &far{serve: says("")}, asked: 1, class: fault.Uncertain},
		{name: "half a status line", far: &far{serve: says("HTTP/1.1 20")}, asked: 1, class: fault.Uncertain},
		{name: "no answer", far: &far{serve: hang}, class: fault.Uncertain, text: "no answer in time (30s)"},
		{name: "nobody who reads", far: &far{serve: func(*far, net.Conn) { time.Sleep(time.Minute) }}, class: fault.Uncertain, text: "no answer in time"},
		{name: "an answer cut in its body", far: &far{serve: says(answered(201, "application/json", accepted)[:200])}, asked: 1, class: fault.Uncertain, text: "cut off"},
		{name: "half the JSON", far: &far{serve: says(answered(201, "application/json", accepted[:50]))}, asked: 1, class: fault.Uncertain, text: "cut off"},
		{name: "201 and a page", far: &far{serve: says(answered(201, "text/html", "<html>Sorry</html>"))}, asked: 1, class: fault.Uncertain, text: "not Twilio's"},
		{name: "201 and nothing", far: &far{serve: says(answered(201, "application/json", ""))}, asked: 1, class: fault.Uncertain},
		{name: "201 and no SID", far: &far{serve: says(answered(201, "application/json", `{"status":"queued"}`))}, asked: 1, class: fault.Uncertain, text: "SID"},
		{name: "200 and a page", far: &far{serve: says(answered(200, "text/html", "<html>Log in</html>"))}, asked: 1, class: fault.Uncertain},
		{name: "a redirect", far: &far{serve: says("HTTP/1.1 307 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")}, asked: 1, class: fault.Uncertain},
		{name: "too many requests", far: &far{serve: says(refusedWith(429, 20429))}, asked: 1, class: fault.Throttled},
		{name: "too many, with a time", far: &far{serve: says(refusedWith(429, 20429, "Retry-After: 7"))}, asked: 1, class: fault.Throttled, after: 7 * time.Second},
		{name: "an internal error", far: &far{serve: says(refusedWith(500, 20500))}, asked: 1, class: fault.Uncertain},
		{name: "a gateway's page", far: &far{serve: says(answered(502, "text/html", "<html>"))}, asked: 1, class: fault.Uncertain},
		{name: "unavailable", far: &far{serve: says(refusedWith(503, 20503, "Retry-After: 7"))}, asked: 1, class: fault.Uncertain, after: 7 * time.Second},
		{name: "a gateway's timeout", far: &far{serve: says(answered(504, "text/html", ""))}, asked: 1, class: fault.Uncertain},
		{name: "opted out", far: &far{serve: says(refusedWith(400, 21610))}, asked: 1, class: fault.Permanent, text: "21610"},
		{name: "a code nobody knows", far: &far{serve: says(refusedWith(400, 29999))}, asked: 1, class: fault.Permanent, text: "29999"},
		{name: "a full queue", far: &far{serve: says(refusedWith(400, 21611))}, asked: 1, class: fault.Throttled, text: "21611"},
		{name: "wrong credentials", far: &far{serve: says(refusedWith(401, 20003))}, asked: 1, class: fault.Auth},
		{name: "a suspended account", far: &far{serve: says(refusedWith(403, 20005))}, asked: 1, class: fault.Auth, text: "20005"},
		{name: "forbidden", far: &far{serve: says(refusedWith(403, 20403))}, asked: 1, class: fault.Auth},
		{name: "test credentials", far: &far{serve: says(refusedWith(403, 20008))}, asked: 1, class: fault.Auth},
		{name: "another account", far: &far{serve: says(refusedWith(404, 20404))}, asked: 1, class: fault.Auth},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if c.base == "" {
					c.base = plain
				}
				a := sending(t, c.base, c.far)
				m, err := a.Create(t.Context(), greeting)
				time.Sleep(time.Hour) // nothing comes of it later either
				require.Error(t, err)
				require.Zero(t, m)
				f := fault.Of(err)
				require.NotNil(t, f)
				require.Equal(t, c.class.String(), f.Class.String(), "%v", err)
				require.EqualValues(t, 1, c.far.dials.Load(), "once, whatever happened")
				require.Equal(t, c.asked, c.far.requests.Load())
				require.Contains(t, err.Error(), c.text)
				require.Equal(t, c.after, f.After)
				require.NotContains(t, err.Error(), "4155550199")
				require.NotContains(t, err.Error(), "Anna")
				if f.Code != "" {
					require.Equal(t, "No to +14155550199: 'dear Anna'", fault.Words(err), "for the record")
				}
				if c.class == fault.Auth || c.class == fault.Permanent && f.Code != "29999" {
					require.NotEmpty(t, f.Hint)
				}
			})
		})
	}
}

func TestAProxyThatRefusesTheTunnelHasSentNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{serve: says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")}
		a := sending(t, "https://twilio.test", f)
		tr, ok := a.writes.Transport.(*http.Transport)
		require.True(t, ok)
		tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})
		_, err := a.Create(t.Context(), greeting)
		require.Equal(t, fault.Transient, fault.ClassOf(err), "%v", err)
		require.EqualValues(t, 1, f.requests.Load(), "the CONNECT")
	})
}

// dying is our end of a connection that breaks by itself.
type dying struct {
	net.Conn
	after atomic.Int64 // bytes that it still takes; 0 and below: none
}

func (d *dying) Write(b []byte) (int, error) {
	room := d.after.Add(-int64(len(b))) + int64(len(b))
	if room >= int64(len(b)) {
		return d.Conn.Write(b)
	}
	n := 0
	if room > 0 {
		n, _ = d.Conn.Write(b[:room])
	}
	return n, syscall.ECONNRESET
}

// On a connection that was good once net/http sends a second time what it
// believes harmless; of a create nothing is.
func TestAConnectionThatWasGoodDies(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes int64
		chars int
		class fault.Class
	}{
		{"before a byte", 0, 1, fault.Transient},
		{"after a byte", 1, 1, fault.Uncertain},
		{"before a byte of a long one", 0, 1600, fault.Transient},
		{"after the head and some of the body", 5000, 1600, fault.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line := &dying{}
				f := &far{
					serve: func(f *far, conn net.Conn) {
						for r := bufio.NewReader(conn); f.whole(r); {
							_, _ = io.WriteString(conn, answered(201, "application/json", accepted))
						}
					},
					near: func(conn net.Conn) net.Conn { line.Conn = conn; return line },
				}
				line.after.Store(1 << 20)
				a := sending(t, "http://twilio.test", f)
				m, err := a.Create(t.Context(), greeting)
				require.NoError(t, err)
				require.EqualValues(t, "SM00000000000000000000000000000001", m.SID)

				line.after.Store(c.takes)
				long := greeting
				long.Body = strings.Repeat("ж", c.chars)
				_, err = a.Create(t.Context(), long)
				require.Equal(t, c.class.String(), fault.ClassOf(err).String(), "%v", err)
				require.EqualValues(t, 1, f.dials.Load(), "nothing goes a second time")
				require.EqualValues(t, 1, f.requests.Load())
			})
		})
	}
}

func TestAnIdleConnectionIsClosedByUsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{serve: func(f *far, conn net.Conn) {
			for r := bufio.NewReader(conn); f.whole(r); {
				_, _ = io.WriteString(conn, answered(201, "application/json", accepted))
			}
		}}
		a := sending(t, "http://twilio.test", f)
		for _, rest := range []time.Duration{writeIdle - time.Second, writeIdle + time.Second, 0} {
			_, err := a.Create(t.Context(), greeting)
			require.NoError(t, err)
			time.Sleep(rest)
			synctest.Wait()
		}
		require.EqualValues(t, 2, f.dials.Load())
	})
}

func TestStoppingBeforeACreateHasLeftIsNoDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{}
		a := sending(t, "http://twilio.test", f)
		a.gate = newGate(1, func(int) {})
		_, err := a.gate.enter(t.Context(), false)
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		left := make(chan error)
		go func() { _, err := a.Create(ctx, greeting); left <- err }()
		synctest.Wait()
		cancel(errors.New("closing"))
		err = <-left
		require.True(t, fault.Stopped(ctx, err))
		require.Equal(t, fault.Transient, fault.ClassOf(err))

		_, err = a.Create(ctx, greeting)
		require.Equal(t, fault.Transient, fault.ClassOf(err), "a slot is not even asked for")
		require.Zero(t, f.dials.Load())
		require.Zero(t, a.Calls())
	})
}

func TestStoppingAfterACreateHasLeftIsADoubtAndNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{serve: func(f *far, conn net.Conn) {
			r := bufio.NewReader(conn)
			f.whole(r)
			_, _ = io.Copy(io.Discard, r)
		}}
		a := sending(t, "http://twilio.test", f)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { _, err := a.Create(ctx, greeting); left <- err }()
		synctest.Wait()
		require.EqualValues(t, 1, f.requests.Load())
		cancel()
		err := <-left
		require.Equal(t, fault.Uncertain, fault.ClassOf(err), "%v", err)
		require.False(t, fault.Stopped(ctx, err), "whoever asks that first must not go on")
	})
}

func TestASendersFullQueueDoesNotNarrowTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for code, want := range map[int]int{21611: defaultConcurrency, 20429: defaultConcurrency / 2} {
			status := map[int]int{21611: 400, 20429: 429}[code]
			a := sending(t, "http://twilio.test", &far{serve: says(refusedWith(status, code))})
			_, err := a.Create(t.Context(), greeting)
			require.Equal(t, fault.Throttled, fault.ClassOf(err))
			require.Equal(t, want, a.gate.allowed)
		}
	})
}
