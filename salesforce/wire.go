package salesforce

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	gzipAbove = 1 << 10
	// maxAnswer bounds one answer's body. A query page of 2,000 rows with the
	// longest texts stays far below it.
	maxAnswer = 256 << 20
)

// request is one exchange to be made.
type request struct {
	op     string
	method string
	host   string // scheme and host; the session link fills it in
	path   string // with the query
	token  string
	body   []byte

	contentType string
	header      http.Header
	repeatable  bool
	soap        bool // XML both ways: the login
	stream      *stream
	patience    time.Duration // how long it may take, if longer than usual
}

// answer is what came back, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// link is one concern of the chain. The answer is nil when none came; with a
// status that is no success both answer and fault are given. Every error is a
// *fault.Error.
type link interface {
	exchange(ctx context.Context, r *request) (*answer, error)
}

// wire makes the HTTP exchange and classes what went wrong.
type wire struct {
	http    http.RoundTripper
	timeout time.Duration
	gzip    bool
}

func newWire(o *Options) *wire {
	return &wire{http: o.transport(), timeout: o.Timeout, gzip: o.GzipRequests}
}

var errTimeout = errors.New("no complete answer within the time allowed for one call")

func (w *wire) exchange(ctx context.Context, r *request) (*answer, error) {
	if r.stream != nil {
		return w.streamed(ctx, r)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, max(w.timeout, r.patience), errTimeout)
	defer cancel()
	departure := &departure{}
	req, err := w.build(departure.watch(bounded), r)
	if err != nil {
		return nil, fault.New(fault.Permanent, opName(r.op), err)
	}
	resp, err := w.http.RoundTrip(req)
	if err != nil {
		return nil, cutOff(bounded, r, err, departure.mayHaveLeft(err))
	}
	body, err := readBody(resp)
	if err != nil {
		return nil, cutOff(bounded, r, err, true)
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: body}
	if f := w.judge(r, a); f != nil {
		return a, f
	}
	return a, nil
}

// judge is nil for a success whose body can be read.
func (w *wire) judge(r *request, a *answer) *fault.Error {
	if a.status < 200 || a.status > 299 {
		return classify(r, a)
	}
	if r.soap || len(a.body) == 0 || jsontext.Value(a.body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return nil
	}
	f := unreadable(r.op, fmt.Errorf("status %d, but the body (%s, %d bytes) is not complete JSON",
		a.status, mediaType(a.header), len(a.body)))
	f.Status = a.status
	if !r.repeatable {
		f.Class = fault.Uncertain
	}
	return f
}

func (w *wire) build(ctx context.Context, r *request) (*http.Request, error) {
	body, encoding := r.body, ""
	zipped := strings.HasPrefix(r.contentType, "multipart/")
	if w.gzip && !r.soap && !zipped && r.contentType != csvType && len(body) > gzipAbove {
		body, encoding = compress(body), "gzip"
	}
	// bytes.Reader makes the request replayable: a connection that the server
	// closed while it was idle is replaced without our seeing it.
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.host+r.path, reader)
	if err != nil {
		// The parser's error quotes the URL, which may hold SOQL.
		return nil, errors.New("the request's address cannot be parsed")
	}
	if r.contentType != "" && body != nil {
		req.Header.Set("Content-Type", r.contentType)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
		// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers.htm
		req.Header.Set("Sforce-Call-Options", "client="+clientName)
		req.Header.Set("Sforce-Mru", "updateMru=false")
	}
	maps.Copy(req.Header, r.header)
	return req, nil
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(body) / 4)
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) //nolint:errcheck // a bytes.Buffer takes everything
	_ = z.Close()        //nolint:errcheck // as above
	return b.Bytes()
}

func readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close() //nolint:errcheck // the body has been read, or its error is known
	if n := resp.ContentLength; n > 0 && n <= maxAnswer {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return body, err
}

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if t == "" {
		return "no content type"
	}
	return strings.TrimSpace(t)
}
