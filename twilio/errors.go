package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// errGarbage says that an answer is not what Twilio's API sends: a proxy's
// page, half an answer, another kind of object.
var errGarbage = errors.New("the answer is not Twilio's")

// errCut says that an answer ended before its end.
var errCut = errors.New("the answer is cut off")

// errLeft says that we stopped waiting for the answer to a request that had left.
var errLeft = errors.New("given up before the answer came")

// condCredentials is the condition of credentials that Twilio does not accept.
// An account that is suspended has good ones.
const condCredentials = "twilio-credentials" //nolint:gosec // the name of a condition

const (
	hintKey     = "Check twilio.api_key_sid and twilio.api_key_secret: the key may be revoked or mistyped, a test credential, or made in another region than twilio.base_url or TWILIO_REGION names."
	hintToken   = "Check twilio.account_sid and twilio.auth_token: the token may be rotated or mistyped, a test credential, or of another region than twilio.base_url or TWILIO_REGION names." //nolint:gosec // no credential: where to look for one
	hintAccount = "The Twilio account is suspended, closed or not yet active: look at its state in the Twilio Console."
	hintTest    = "These are Twilio's test credentials, which can read no messages: use the live ones."
	hintBase    = "Check twilio.base_url and the proxy settings: what answers there is not Twilio's API."
	hintProxy   = "The proxy wants a login: check HTTPS_PROXY in the daemon's environment."
	hintNetwork = "Check that this machine reaches the host: name resolution, firewall, proxy and certificates."
)

// refusal classes an answer that is not in the 200s. The HTTP status decides
// first, because Twilio refines its codes and advises against logic on them;
// then the code, with Permanent for those that nobody has described.
// https://www.twilio.com/en-us/changelog/updates-to-the-error-code-dictionary-to-clarify-number-validatio
func (c *call) refusal(resp *http.Response, body []byte) *fault.Error {
	said := parseRefusal(body)
	rule, known := codes[said.code]
	f := &fault.Error{
		Op: c.op.name, Status: resp.StatusCode, Class: rule.class, Hint: rule.hint,
		After: retryAfter(resp.Header.Get("Retry-After")), Err: errors.New(rule.meaning), Words: said.words(),
	}
	if said.code != 0 {
		f.Code = strconv.Itoa(said.code)
	}
	if !known {
		f.Class, f.Err = fault.Permanent, errors.New(said.text(resp.StatusCode))
	}
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.Class = fault.Auth
		if f.Hint == "" || rule.class != fault.Auth {
			f.Hint, f.Condition = c.credentialHint(), condCredentials
		}
	case status == http.StatusProxyAuthRequired:
		f.Class, f.Hint = fault.Auth, hintProxy
	case status == http.StatusTooManyRequests:
		f.Class = fault.Throttled
	case status >= 500, status == http.StatusRequestTimeout:
		f.Class = c.unanswered()
	case status < 400, !said.twilio:
		f.Class, f.Hint = c.unanswered(), hintBase
	}
	if !said.twilio {
		f.Err = fmt.Errorf("%w: HTTP %d", errGarbage, resp.StatusCode)
	}
	return f
}

// unanswered is the class of a request of which we do not know what became:
// a read may be repeated, a write may have happened.
func (c *call) unanswered() fault.Class {
	if c.method == "" || c.method == http.MethodGet || c.method == http.MethodHead {
		return fault.Transient
	}
	return fault.Uncertain
}

func (c *call) credentialHint() string {
	if c.account.byKey {
		return hintKey
	}
	return hintToken
}

// explain classes whatever else went wrong with a request that has a slot.
// ctx is the caller's.
func (c *call) explain(ctx context.Context, err error) error {
	if fault.Of(err) != nil {
		return err
	}
	var (
		inURL  *url.Error
		dial   *net.OpError
		lookup *net.DNSError
	)
	if errors.As(err, &inURL) {
		err = inURL.Err // the URL may hold a phone number
	}
	f := fault.New(c.unanswered(), c.op.name, err)
	if f.Class == fault.Uncertain && c.wire.untouched(c.ctx.Err() != nil) {
		f.Class = fault.Transient
	}
	switch {
	case ctx.Err() != nil && f.Class == fault.Uncertain:
		f.Err = errLeft // not the cause: nobody may take it for a mere stop
	case ctx.Err() != nil:
		f.Err = context.Cause(ctx)
	case c.ctx.Err() != nil:
		f.Err = fmt.Errorf("%w (%s)", errTimeout, c.account.timeout)
	case c.body != nil && garbage(err) != nil:
		f.Err, f.Hint = garbage(err), hintBase
		if errors.Is(f.Err, errCut) {
			f.Hint = hintNetwork
		}
	case errors.As(err, &lookup), errors.As(err, &dial) && dial.Op == "dial":
		f.Class, f.Hint = fault.Transient, hintNetwork // it never left
	default:
		f.Hint = hintNetwork
	}
	return f
}

// garbage is err in words of ours if a JSON decoder made it, whose own words
// may repeat a piece of a message; else nil.
func garbage(err error) error {
	var (
		syntax  *jsontext.SyntacticError
		syntax1 *json.SyntaxError
		kind1   *json.UnmarshalTypeError
	)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", errGarbage, errCut)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: no JSON from byte %d on", errGarbage, syntax.ByteOffset)
	case errors.As(err, &syntax1):
		return fmt.Errorf("%w: no JSON from byte %d on", errGarbage, syntax1.Offset)
	case errors.As(err, &kind1):
		return fmt.Errorf("%w: %s is of a wrong kind", errGarbage, kind1.Field)
	case errors.Is(err, errNoList), errors.Is(err, errKind):
		return fmt.Errorf("%w: %w", errGarbage, err)
	default:
		return nil
	}
}

// said is an error as Twilio's API words it.
type said struct {
	twilio  bool // the body is an error object of Twilio's
	code    int
	message string
}

// parseRefusal reads an error body, {"code":20003,"message":"Authenticate",
// "status":401}. Its status is not used: the HTTP one is the truth.
// https://www.twilio.com/docs/usage/twilios-response
func parseRefusal(body []byte) said {
	var object struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	if json.Unmarshal(body, &object) != nil {
		return said{}
	}
	code, err := strconv.Atoi(object.Code.String())
	if err != nil || code < 0 {
		code = 0
	}
	return said{twilio: code != 0 || object.Message != "", code: code, message: object.Message}
}

// maxWords is how much of a text of Twilio's is repeated, in characters.
const maxWords = 160

// words is Twilio's text as it is, for the record that it is about.
func (s said) words() string {
	text := []rune(strings.Join(strings.Fields(s.message), " "))
	return string(text[:min(len(text), maxWords)])
}

// text is what Twilio said about a code that we do not know, without what it
// may have copied from the request (P8): quoted text and what follows a colon
// are dropped, and words with a digit in them or with signs that are not plain
// become dots.
func (s said) text(status int) string {
	text, _, _ := strings.Cut(s.message, ":")
	words := strings.Fields(dropQuoted(text))
	for i, word := range words {
		if strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r > '~' || unicode.IsDigit(r) }) >= 0 {
			words[i] = "..."
		}
	}
	text = strings.Join(words, " ")
	if len(text) > maxWords {
		text = text[:maxWords]
	}
	if text == "" {
		return "HTTP " + strconv.Itoa(status)
	}
	return text
}

// dropQuoted cuts quoted text out, up to the end where a quote is not closed.
// A parameter's name ('To') stays.
func dropQuoted(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(text, "'\"`")
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i])
		quote, rest := text[i], text[i+1:]
		j := strings.IndexByte(rest, quote)
		if j < 0 {
			return b.String()
		}
		if parameters[rest[:j]] {
			b.WriteString(rest[:j])
		} else {
			b.WriteString("...")
		}
		text = rest[j+1:]
	}
}

// parameters are names that may be repeated from an error text.
var parameters = map[string]bool{
	"To": true, "From": true, "Body": true, "MediaUrl": true, "DateSent": true, "PageSize": true, "PageToken": true,
	"StatusCallback": true, "MessagingServiceSid": true, "ContentSid": true, "ContentVariables": true, "SendAt": true,
}

// retryAfter reads the header of that name: seconds or a date; 0 if there is
// none or it cannot be read.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
