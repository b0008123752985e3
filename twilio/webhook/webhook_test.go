package webhook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

func TestAnInboundMessageIsAcceptedAndAnsweredWithEmptyTwiML(t *testing.T) {
	w := newWorld(t)
	rec := w.do(signed(inbound("Body", "  \n hi \t")))
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "text/xml", rec.Header().Get("Content-Type"))
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?><Response/>`, rec.Body.String())
	e := w.only(t)
	require.Equal(t, message.InboundEvent, e.Kind)
	require.Equal(t, "  \n hi \t", e.Body)
	require.Equal(t, message.Number("+14155550100"), e.From)
	require.False(t, e.Received.IsZero())
	w.counted(t, "inbound", "accepted")
}

func TestAStatusIsAnswered204AndKeepsTheTokenOfItsURL(t *testing.T) {
	w := newWorld(t)
	w.inbox.reply.Text = "a status is not answered"
	params := callback("MessageStatus", "undelivered", "ErrorCode", "30003", "ref", "not ours: of the body")
	rec := w.do(post("/twilio/in?ref=abc%2Bd", form, params.Encode(), sign(token, publicURL+"?ref=abc%2Bd", params)))
	require.Equal(t, http.StatusNoContent, rec.Code)
	require.Empty(t, rec.Body.String())
	require.Empty(t, rec.Header().Get("Content-Type"))
	e := w.only(t)
	require.Equal(t, message.StatusEvent, e.Kind)
	require.Equal(t, "abc+d", e.Ref)
	require.Equal(t, 30003, e.ErrorCode)
	w.counted(t, "status", "accepted")
}

func TestAReplyIsEscaped(t *testing.T) {
	for _, text := range []string{
		"Thanks!", `<Redirect>https://evil.example.com</Redirect> & "so" 'on'`, "two\nlines\tand ]]>", "€ 😀", " ",
	} {
		w := newWorld(t)
		w.inbox.reply.Text = text
		rec := w.do(signed(inbound()))
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, "text/xml", rec.Header().Get("Content-Type"))
		var twiml struct {
			XMLName xml.Name `xml:"Response"`
			Message []string `xml:"Message"`
			Others  []string `xml:",any"`
		}
		require.NoError(t, xml.Unmarshal(rec.Body.Bytes(), &twiml))
		require.Equal(t, []string{text}, twiml.Message)
		require.Empty(t, twiml.Others)
	}
}

// A call that Twilio did not sign so is refused with nothing said, whatever it
// is that differs.
func TestWhatTwilioDidNotSignIsRefused(t *testing.T) {
	good := sign(token, publicURL, inbound())
	target := "/twilio/in"
	body := inbound().Encode()
	for name, r := range map[string]*http.Request{
		"no signature":       post(target, form, body, ""),
		"empty call":         post(target, form, "", ""),
		"other token":        post(target, form, body, sign("12346", publicURL, inbound())),
		"in lower case":      post(target, form, body, strings.ToLower(good)),
		"with a line break":  post(target, form, body, good+"\n"),
		"changed value":      post(target, form, inbound("Body", "Pay me").Encode(), good),
		"one more parameter": post(target, form, body+"&Extra=", good),
		"repeated parameter": post(target, form, body+"&Body=Pay+me", good),
		"cut short":          post(target, form, body[:len(body)-4], good),
		"cut in an escape":   post(target, form, body+"%2", good),
		"another query":      post(target+"?ref=x", form, body, good),
		"a question mark":    post(target+"?", form, body, good),
		"binary":             post(target, form, "\x00\xff\xfe\x80%00=&\xc3(", good),
		"as another type":    post(target, "multipart/form-data; boundary=x", body, sign(token, publicURL, nil)),
		"URL signed only":    post(target, form, body, sign(token, publicURL, nil)),
		"signed for a proxy": post(target, form, body, sign(token, "http://10.0.0.7:8080/twilio/in", inbound())),
		"signed for a host":  post(target, form, body, sign(token, "https://evil.example.com/twilio/in", inbound())),
		"another account":    signed(inbound("AccountSid", "AC"+strings.Repeat("f", 32))),
		"two accounts":       signed(url.Values{"AccountSid": {account, "AC" + strings.Repeat("f", 32)}, "MessageSid": {sid}}),
		"no account":         signed(url.Values{"MessageSid": {sid}}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.do(r)
			require.Equal(t, http.StatusForbidden, rec.Code)
			require.Empty(t, rec.Body.String())
			require.Empty(t, w.inbox.events)
			w.counted(t, "other", "forged")
			require.Equal(t, 1, w.logs.Len())
		})
	}
}

func TestWhatIsSignedButWrongIsMalformed(t *testing.T) {
	json := func(body string) *http.Request {
		target := "/twilio/in?bodySHA256=" + hash(body)
		return post(target, "application/json", body, sign(token, "https://sms.example.com"+target, nil))
	}
	get := httptest.NewRequest(http.MethodGet, "/twilio/in?x=%zz&"+inbound().Encode(), http.NoBody)
	get.Header.Set("X-Twilio-Signature", sign(token, publicURL+"?x=%zz&"+inbound().Encode(), nil))
	for name, r := range map[string]*http.Request{
		"a wrong escape":   get,
		"no SID":           signed(inbound("MessageSid", "")),
		"a call's SID":     signed(inbound("MessageSid", "CA0123456789abcdef0123456789abcdef")),
		"a status in caps": signed(callback("MessageStatus", "SENT")),
		"media":            signed(inbound("NumMedia", "-1")),
		"no JSON":          json(`{"AccountSid"`),
		"no object":        json(`null`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.do(r)
			require.Equal(t, http.StatusBadRequest, rec.Code)
			require.Empty(t, rec.Body.String())
			require.Empty(t, w.inbox.events)
			w.counted(t, "other", "malformed")
		})
	}
}

func TestABodyMayBeOfAnyTextAndShape(t *testing.T) {
	for name, body := range map[string]string{
		"only spaces": "   ", "empty": "", "semicolons": "a;b;c=d&e", "percent": "100% %41 +1", "binary": "\x00\x01\xff\xfe",
		"emoji": "👩‍👩‍👧 é", "long": strings.Repeat("x", 30_000),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.do(signed(inbound("Body", body)))
			require.Equal(t, http.StatusOK, rec.Code)
			require.Equal(t, strings.ToValidUTF8(body, "\uFFFD"), w.only(t).Body, "what is no UTF-8 is mended, or it could not be kept")
		})
	}
	t.Run("a semicolon that is not escaped", func(t *testing.T) {
		w := newWorld(t)
		params := inbound("Body", "a;b")
		raw := strings.ReplaceAll(params.Encode(), "%3B", ";")
		require.Contains(t, raw, ";")
		require.Equal(t, http.StatusOK, w.do(post("/twilio/in", form, raw, sign(token, publicURL, params))).Code)
		require.Equal(t, "a;b", w.only(t).Body)
	})
	t.Run("names that come twice", func(t *testing.T) {
		w := newWorld(t)
		params := inbound()
		params["Body"] = []string{"z", "a", "z"}
		params["MediaUrl"] = []string{"same", "same"}
		require.Equal(t, http.StatusOK, w.do(signed(params)).Code)
		require.Equal(t, "z", w.only(t).Body)
	})
}

func TestACallByGETIsSignedInItsURL(t *testing.T) {
	w := newWorld(t, public(publicURL+"?tenant=7"))
	query := "tenant=7&ref=T&" + inbound().Encode()
	get := func(signature string) int {
		r := httptest.NewRequest(http.MethodGet, "/twilio/in?"+query, http.NoBody)
		r.Header.Set("X-Twilio-Signature", signature)
		return w.do(r).Code
	}
	require.Equal(t, http.StatusForbidden, get(sign(token, publicURL+"?"+query, inbound())), "nothing is appended")
	require.Equal(t, http.StatusForbidden, get(sign(token, publicURL+"?tenant=7", nil)))
	require.Equal(t, http.StatusOK, get(sign(token, publicURL+"?"+query, nil)))
	require.Equal(t, "T", w.only(t).Ref)
	require.Equal(t, "Hello there", w.only(t).Body)
}

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func TestAJSONBodyIsSignedByItsHash(t *testing.T) {
	body := `{"MessageSid":"` + sid + `","AccountSid":"` + account + `","MessageStatus":"failed","ErrorCode":30008,"Extra":{"a":[1]},"To":null}`
	try := func(sum, body string) (*world, int) {
		w := newWorld(t)
		target := "/twilio/in?ref=T&bodySHA256=" + sum
		r := post(target, "application/json; charset=utf-8", body, sign(token, "https://sms.example.com"+target, nil))
		return w, w.do(r).Code
	}
	w, code := try(hash(body), body)
	require.Equal(t, http.StatusNoContent, code)
	require.Equal(t, 30008, w.only(t).ErrorCode)
	require.Equal(t, "T", w.only(t).Ref)

	for name, c := range map[string][2]string{
		"of another body": {hash("{}"), body},
		"changed body":    {hash(body), body + " "},
		"in upper case":   {strings.ToUpper(hash(body)), body},
		"cut":             {hash(body)[:63], body},
		"none":            {"", body},
	} {
		_, code := try(c[0], c[1])
		require.Equal(t, http.StatusForbidden, code, name)
	}
}

func TestAFormMayBeSignedByItsHashToo(t *testing.T) {
	w := newWorld(t)
	body := inbound().Encode()
	target := "/twilio/in?bodySHA256=" + hash(body)
	require.Equal(t, http.StatusOK, w.do(post(target, form, body, sign(token, "https://sms.example.com"+target, nil))).Code)
	require.Equal(t, message.SID(sid), w.only(t).SID)
}

func TestTooMuchIsRefusedBeforeItIsRead(t *testing.T) {
	small := func(o *webhook.Options) { o.MaxBody = 1000 }
	over := inbound("Body", strings.Repeat("x", 1001))
	query := publicURL + "?" + over.Encode()
	get := httptest.NewRequest(http.MethodGet, query, http.NoBody)
	get.Header.Set("X-Twilio-Signature", sign(token, query, nil))
	endless := post("/twilio/in", form, "", "x")
	endless.Body = io.NopCloser(zeros{})
	for name, r := range map[string]*http.Request{"body": signed(over), "query": get, "endless": endless} {
		w := newWorld(t, small)
		require.Equal(t, http.StatusRequestEntityTooLarge, w.do(r).Code, name)
		require.Empty(t, w.inbox.events)
		w.counted(t, "other", "too_large")
	}
	require.Equal(t, http.StatusRequestEntityTooLarge, newWorld(t).do(signed(inbound("Body", strings.Repeat("x", 64<<10)))).Code)

	exact := inbound("Body", "")
	exact["Body"] = []string{strings.Repeat("x", 1000-len(exact.Encode()))}
	require.Equal(t, http.StatusOK, newWorld(t, small).do(signed(exact)).Code)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestABodyThatBreaksOffIsNotUsed(t *testing.T) {
	w := newWorld(t)
	r := signed(inbound())
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(inbound().Encode()), broken{}))
	require.Equal(t, http.StatusBadRequest, w.do(r).Code)
	require.Empty(t, w.inbox.events)
	w.counted(t, "other", "malformed")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// P1: no 2xx for what is not on disk.
func TestWhatIsNotDurableIsAnswered503(t *testing.T) {
	for _, params := range []url.Values{inbound(), callback()} {
		w := newWorld(t)
		w.inbox.err = fault.New(fault.Transient, "store", errors.New("disk full at +14155550100: Hello there"))
		rec := w.do(signed(params))
		require.Equal(t, http.StatusServiceUnavailable, rec.Code)
		require.NotEmpty(t, rec.Header().Get("Retry-After"))
		require.Empty(t, rec.Body.String())
		require.Equal(t, 1, testutil.CollectAndCount(w.reg, "twiliosf_webhook_requests_total"))
		require.Equal(t, 1, w.logs.FilterMessageSnippet("durable").Len())
		w.quiet(t)
	}
}

func TestOnlyThePublicPathAndPOSTAndGETAreServed(t *testing.T) {
	w := newWorld(t, public("https://sms.example.com/a%2Fb/in"))
	for _, target := range []string{"/", "/a/b/in", "/a%2fb/in", "/a%2Fb/in/", "/a%2Fb/in/x", "/x/../a%2Fb/in", "//a%2Fb/in"} {
		require.Equal(t, http.StatusNotFound, w.do(post(target, form, inbound().Encode(), "x")).Code, target)
	}
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, "post"} {
		rec := w.do(httptest.NewRequest(method, "/a%2Fb/in", http.NoBody))
		require.Equal(t, http.StatusMethodNotAllowed, rec.Code, method)
		require.Equal(t, "GET, POST", rec.Header().Get("Allow"))
	}
	require.Zero(t, testutil.CollectAndCount(w.reg, "twiliosf_webhook_requests_total"))
	signature := sign(token, "https://sms.example.com/a%2Fb/in", inbound())
	require.Equal(t, http.StatusOK, w.do(post("/a%2Fb/in", form, inbound().Encode(), signature)).Code)
}

// P8.
func TestNothingOfACallIsLogged(t *testing.T) {
	w := newWorld(t)
	w.inbox.err = errors.New("+14155550100 Hello there")
	w.do(signed(inbound()))
	w.do(signed(inbound("NumSegments", "Hello there")))
	w.do(signed(callback("MessageStatus", "Hello there")))
	w.do(signed(inbound("MessageSid", "Hello there")))
	w.do(post("/twilio/in?ref=secret-ref", form, inbound().Encode(), "c2VjcmV0"))
	require.GreaterOrEqual(t, w.logs.Len(), 5)
	w.quiet(t)
}

// quiet reports values of calls in the log.
func (w *world) quiet(t *testing.T) {
	t.Helper()
	for _, entry := range w.logs.All() {
		text := entry.Message
		for _, field := range entry.Context {
			if err, ok := field.Interface.(error); ok {
				text += " " + err.Error()
			}
			text += " " + field.String
		}
		for _, value := range []string{"4155550", "Hello", token, "secret-ref", "c2VjcmV0"} {
			require.NotContains(t, text, value)
		}
	}
}

// A flood of strangers' calls is one line a minute.
func TestAFloodOfForgedCallsIsOneLine(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		w.do(post("/twilio/in", form, "", ""))
	}
	require.Equal(t, 1, w.logs.Len())
}

// Twilio waits for the answer over a real connection.
func TestItWorksBehindAServer(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w)
	defer server.Close()
	params := inbound()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/twilio/in", bytes.NewBufferString(params.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", form)
	r.Header.Set("X-Twilio-Signature", sign(token, publicURL, params))
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // it was only read
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/xml", resp.Header.Get("Content-Type"))
}
