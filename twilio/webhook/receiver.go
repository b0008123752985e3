// Package webhook receives Twilio's calls: messages that people write to us
// and the status of messages that we sent. It believes a call only after its
// X-Twilio-Signature, and says that it has it only after the event is durable
// (P1). Nothing of a call's values reaches a log or an error (P8).
//
// https://www.twilio.com/docs/messaging/guides/webhook-request
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Inbox takes the events. It is called by many requests at once.
type Inbox interface {
	// Accept returns without an error only when e is durable (P1). An error means
	// that e may be lost here: Twilio is answered 503, and the sweep brings the
	// message. Twilio repeats calls, so one event may be accepted several times.
	// ctx ends when Twilio hangs up. The text of an error is not logged, its
	// class and code are: whoever makes it says more.
	Accept(ctx context.Context, e message.Event) (Reply, error)
}

// Reply is what the one who wrote is told at once.
type Reply struct {
	Text string // of an automatic reply; "" for none. A status has none.
}

// Receiver is the handler of one webhook URL. It is safe for concurrent use.
// Its server sets the timeouts.
type Receiver struct {
	account string
	path    string // as it is escaped in the public URL
	signed  verifier
	inbox   Inbox
	maxBody int64
	log     *zap.Logger
	metrics *metrics
	refused seldom
}

var _ http.Handler = (*Receiver)(nil)

// kindOther is the kind of a call that is not believed or not understood.
const kindOther message.EventKind = "other"

// outcome is what came of a call.
type outcome string

const (
	accepted   outcome = "accepted"
	forged     outcome = "forged"
	malformed  outcome = "malformed"
	tooLarge   outcome = "too_large"
	notDurable outcome = "not_durable"
)

// ServeHTTP answers one call. Calls for another path or with another method
// are nobody's and are not counted.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != rc.path {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	start := time.Now()
	kind, out := rc.receive(w, r, start)
	rc.metrics.observe(kind, out, time.Since(start))
}

// receive takes a call through its steps and answers it. The order is the
// point: size, signature, account, and only then what it says.
func (rc *Receiver) receive(w http.ResponseWriter, r *http.Request, now time.Time) (message.EventKind, outcome) {
	body, out := rc.read(w, r)
	if out != "" {
		w.WriteHeader(statusOf(out))
		return kindOther, out
	}
	form, err := rc.believe(r, body)
	if err != nil && !errors.Is(err, errUnreadable) {
		rc.refused.warn(rc.log, now, err)
		w.WriteHeader(statusOf(forged))
		return kindOther, forged
	}
	var e message.Event
	if err == nil {
		e, err = Parse(form, now)
	}
	if err != nil {
		rc.log.Warn("a webhook call of Twilio's cannot be read; the sweep brings its message", zap.Error(err))
		w.WriteHeader(statusOf(malformed))
		return kindOther, malformed
	}
	return e.Kind, rc.accept(w, r, e)
}

// read is the body, or why it cannot be had. A query is as long as a body at
// most, because in a GET it stands for one.
func (rc *Receiver) read(w http.ResponseWriter, r *http.Request) ([]byte, outcome) {
	if int64(len(r.URL.RawQuery)) > rc.maxBody {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rc.maxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, malformed // cut short: nobody waits for the answer
	}
	return body, ""
}

var (
	errUnsigned = errors.New("it has no X-Twilio-Signature")
	errForged   = errors.New("its X-Twilio-Signature is not right for the public URL and the auth tokens")
	// errUnreadable: it is signed, but its parameters are not what they are said to be.
	errUnreadable = errors.New("its parameters are neither a form nor a JSON object")
	errStranger   = errors.New("it is signed, but names another account")
)

// believe gives the parameters of a call that Twilio signed for our account.
func (rc *Receiver) believe(r *http.Request, body []byte) (url.Values, error) {
	signature := r.Header.Get("X-Twilio-Signature")
	if signature == "" {
		return nil, errUnsigned
	}
	c, ok := readCall(r, body)
	if !ok || !rc.signed.verify(c, signature) {
		return nil, errForged
	}
	form, err := c.parameters()
	if err == nil && !only(form["AccountSid"], rc.account) {
		err = errStranger
	}
	return form, err
}

// only reports whether values are want and nothing else: a name may come twice.
func only(values []string, want string) bool {
	for _, v := range values {
		if v != want {
			return false
		}
	}
	return len(values) > 0
}

// accept makes the event durable and answers.
func (rc *Receiver) accept(w http.ResponseWriter, r *http.Request, e message.Event) outcome {
	reply, err := rc.inbox.Accept(r.Context(), e)
	if err != nil {
		rc.log.Error("a webhook call could not be made durable; the sweep brings its message",
			zap.String("sid", string(e.SID)), zap.Stringer("class", fault.ClassOf(err)), zap.String("code", fault.CodeOf(err)))
		w.Header().Set("Retry-After", "5") // for what stands between; Twilio repeats only where it is told to
		w.WriteHeader(statusOf(notDurable))
		return notDurable
	}
	if e.Kind == message.StatusEvent {
		w.WriteHeader(http.StatusNoContent)
		return accepted
	}
	writeTwiML(w, reply)
	return accepted
}

func statusOf(out outcome) int {
	switch out {
	case forged:
		return http.StatusForbidden
	case malformed:
		return http.StatusBadRequest
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case notDurable:
		return http.StatusServiceUnavailable
	case accepted:
	}
	return http.StatusOK
}
