package salesforcetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	jsonType = "application/json;charset=UTF-8"
	htmlType = "text/html;charset=UTF-8"

	// maxURI is the longest request line, and maxHead that and the headers.
	maxURI = 16_384
	// maxBody is the largest request body, in bytes, but for data of a bulk job,
	// whose own limit lies below maxData.
	maxBody = 50 << 20
	maxData = 120 << 20
)

// exchange is one HTTP request on its way through the org.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	info   Request
	route  *route
	body   []byte
	faults []Fault
}

// serve is the org's HTTP handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if rep := tooLarge(r); rep != nil {
		s.write(&exchange{w: w, r: r}, rep)
		return
	}
	x := &exchange{w: w, r: r, route: findRoute(r)}
	x.info = Request{
		Operation: x.route.op, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Object: x.route.object, Header: r.Header, At: time.Now(),
	}
	s.faultMu.Lock()
	x.faults = s.faults.take(x.info)
	hook := s.onReq
	s.faultMu.Unlock()
	if !s.before(x) {
		return
	}
	if rep := x.readBody(); rep != nil {
		s.write(x, rep)
		return
	}
	if hook != nil {
		x.info.Body = x.body
		hook(x.info)
	}
	s.after(x, s.process(x))
}

// tooLarge is the edge's answer to a request line or headers beyond its buffer.
func tooLarge(r *http.Request) *reply {
	uri := len(r.URL.RequestURI())
	if uri > maxURI {
		return (&reply{status: http.StatusRequestURITooLong, body: []byte("<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")}).set("Content-Type", htmlType)
	}
	head := uri
	for k, vs := range r.Header {
		for _, v := range vs {
			head += len(k) + len(v) + 4
		}
	}
	if head > maxURI {
		return (&reply{status: http.StatusRequestHeaderFieldsTooLarge, body: []byte("<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")}).set("Content-Type", htmlType)
	}
	return nil
}

// before plays what goes wrong ahead of processing; false ends the exchange.
func (s *Server) before(x *exchange) bool {
	s.mu.Lock()
	s.stats.byOp[x.info.Operation]++
	s.mu.Unlock()
	ctx := x.r.Context()
	if s.opts.Latency != nil && !wait(ctx, s.opts.Latency(x.info.Operation)) {
		return false
	}
	for i := range x.faults {
		switch f := &x.faults[i]; f.kind {
		case faultLatency:
			if !wait(ctx, f.after) {
				return false
			}
		case faultHang:
			<-ctx.Done()
			return false
		case faultResetBefore:
			cut(x.w)
			return false
		case faultReply:
			s.write(x, f.reply)
			return false
		case faultRevoke:
			s.RevokeSessions()
		default: // it comes after processing, or with the rows
		}
	}
	return true
}

// after plays what goes wrong once the request was processed, or answers.
func (s *Server) after(x *exchange, rep *reply) {
	for i := range x.faults {
		switch x.faults[i].kind {
		case faultResetAfter:
			cut(x.w)
			return
		case faultTruncated:
			s.writeHalf(x, rep)
			return
		default: // it was played before
		}
	}
	s.write(x, rep)
}

// wait sleeps; false when the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (x *exchange) readBody() *reply {
	var in io.Reader = x.r.Body
	switch enc := strings.ToLower(x.r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errorReply(false, jsonError("The request body is not valid gzip"))
		}
		in = z
	default:
		return errorReply(false, fail(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content encoding '"+enc+"' is not supported"))
	}
	most := int64(maxBody)
	if x.route.op == OpIngestUpload {
		most = maxData
	}
	body, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return errorReply(false, jsonError("The request body ended before its time"))
	}
	if int64(len(body)) > most {
		return errorReply(false, fail(http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "The request body is larger than 50 MB"))
	}
	x.body = body
	return nil
}

// write sends an answer, with the limit header where the org sets it.
func (s *Server) write(x *exchange, rep *reply) {
	body := s.head(x, rep)
	x.w.WriteHeader(rep.status)
	_, _ = x.w.Write(body) //nolint:errcheck // the client may be gone; nothing is left to tell it
}

// writeHalf promises the whole answer and breaks off in the middle.
func (s *Server) writeHalf(x *exchange, rep *reply) {
	body := s.head(x, rep)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(rep.status)
	_, _ = x.w.Write(body[:len(body)/2]) //nolint:errcheck // broken on purpose
	if _, inside := x.w.(*recorder); inside {
		return
	}
	_ = http.NewResponseController(x.w).Flush() //nolint:errcheck // what follows cuts the connection anyway
	panic(http.ErrAbortHandler)
}

// head sets the headers of an answer and returns its body as it will travel.
func (s *Server) head(x *exchange, rep *reply) []byte {
	h := x.w.Header()
	maps.Copy(h, rep.header)
	if rep.status != http.StatusNoContent && rep.status != http.StatusNotModified && h.Get("Content-Type") == "" {
		h.Set("Content-Type", jsonType)
	}
	h.Set("Date", time.Now().Add(s.opts.ClockSkew).UTC().Format(http.TimeFormat))
	if x.route != nil && x.route.data {
		h.Set("Sforce-Limit-Info", s.limitInfo())
	}
	body := rep.body
	if x.r.Header.Get("X-PrettyPrint") == "1" && strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		var pretty bytes.Buffer
		if json.Indent(&pretty, body, "", "  ") == nil {
			body = pretty.Bytes()
		}
	}
	if s.opts.Gzip && len(body) > 0 && strings.Contains(x.r.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		h.Set("Content-Encoding", "gzip")
		h.Set("Vary", "Accept-Encoding")
	}
	return body
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(body) //nolint:errcheck // a bytes.Buffer takes everything
	_ = z.Close()        //nolint:errcheck // as above
	return out.Bytes()
}

func (s *Server) limitInfo() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.usage.used(time.Now())
	s.usage.answers++
	if s.opts.LimitJitter && s.usage.answers%7 == 0 {
		n = max(0, n-2)
	}
	return "api-usage=" + strconv.Itoa(n) + "/" + strconv.Itoa(s.opts.DailyLimit)
}
