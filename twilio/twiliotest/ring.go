package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with HMAC-SHA1
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// patience is how long one call may take, with all its attempts:
	// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
	patience = 15 * time.Second
	// maxAnswer is more than any TwiML has, in bytes.
	maxAnswer = 1 << 16
	// maxRetries is the most that an address may ask for.
	maxRetries = 5
)

// answered is what a webhook says.
type answered struct {
	status int
	kind   string // media type
	body   string
}

func (a answered) ok() bool { return a.status >= 200 && a.status < 300 }

// ring makes one call, again as often as its address wants, and acts on the
// answer.
func (s *Server) ring(ctx context.Context, c call) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := persistenceOf(c.to.url)
	for try := 0; ; try++ {
		a, err := s.attempt(limited, c)
		s.count(a, err)
		if err == nil && a.ok() {
			if c.inbound {
				s.reply(c, a)
			}
			return
		}
		if try >= again.retries || !again.covers(a, err) || limited.Err() != nil {
			return
		}
	}
}

func (s *Server) count(a answered, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.counts.Made++
	switch {
	case err != nil:
		s.calls.counts.Failed++
	case a.ok():
		s.calls.counts.Accepted++
	default:
		s.calls.counts.Refused++
	}
}

// attempt makes the call once. Redirects are followed, as Twilio does.
func (s *Server) attempt(ctx context.Context, c call) (answered, error) {
	req, err := s.request(ctx, c)
	if err != nil {
		return answered{}, err
	}
	s.mu.Lock()
	client := http.Client{Transport: s.calls.hook.Via} // nil is the default
	s.mu.Unlock()
	resp, err := client.Do(req)
	if err != nil {
		return answered{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read, or its error is known
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) //nolint:errcheck // an unreadable type is none
	return answered{resp.StatusCode, kind, string(body)}, err
}

// request signs the address as it is configured, without its fragment and
// credentials: https://www.twilio.com/docs/usage/security
func (s *Server) request(ctx context.Context, c call) (*http.Request, error) {
	target, _, _ := strings.Cut(c.to.url, "#")
	body, signed := "", c.form
	if c.to.method == http.MethodGet {
		target, signed = withQuery(target, c.form), nil
	} else {
		body = c.form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, c.to.method, target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if req.URL.User != nil {
		bare := *req.URL
		bare.User = nil
		target = bare.String()
	}
	if c.to.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("I-Twilio-Idempotency-Token", c.token)
	req.Header.Set("X-Twilio-Signature", s.signature(target, signed))
	return req, nil
}

func withQuery(target string, form url.Values) string {
	if strings.Contains(target, "?") {
		return target + "&" + form.Encode()
	}
	return target + "?" + form.Encode()
}

func (s *Server) signature(target string, form url.Values) string {
	text := []byte(target)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		text = append(append(text, name...), form.Get(name)...)
	}
	mac := hmac.New(sha1.New, []byte(s.AuthToken))
	_, _ = mac.Write(text) // a hash takes everything
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// persistence is how an address wants its calls repeated.
type persistence struct {
	retries int
	on      []string // ct, rt, 4xx, 5xx, all
}

// persistenceOf reads an address's fragment; without one, a call is made again
// once when there was no connection:
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
func persistenceOf(target string) persistence {
	p := persistence{retries: 1, on: []string{"ct"}}
	_, fragment, _ := strings.Cut(target, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return p
	}
	if n, err := strconv.Atoi(values.Get("rc")); err == nil {
		p.retries = min(max(n, 0), maxRetries)
	}
	if values.Has("rp") {
		p.on = strings.Split(values.Get("rp"), ",")
	}
	return p
}

// covers reports whether the failure is one of those that the address means.
func (p persistence) covers(a answered, err error) bool {
	kind := strconv.Itoa(a.status/100) + "xx"
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		kind = "ct"
	case err != nil:
		kind = "rt"
	}
	return slices.Contains(p.on, kind) || slices.Contains(p.on, "all")
}
