package webhook

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// call is a request, taken apart as its signature needs it.
type call struct {
	query      string // as it came, with its question mark
	asked      url.Values
	readable   bool // all of asked, that is
	get        bool
	bodySHA256 string
	form       url.Values // the parameters that are signed; nil where only the URL is
	body       []byte
	json       bool
}

// readCall takes a request apart; it is false for one that has no parameters
// that could have been signed.
func readCall(r *http.Request, body []byte) (call, bool) {
	c := call{get: r.Method == http.MethodGet, body: body}
	c.asked, c.readable = parseForm(r.URL.RawQuery) // the signature covers it unread
	c.bodySHA256 = c.asked.Get("bodySHA256")
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		c.query = "?" + r.URL.RawQuery
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	c.json = err == nil && kind == "application/json"
	if c.get || c.bodySHA256 != "" {
		return c, true
	}
	var ok bool
	c.form, ok = parseForm(string(body))
	return c, ok
}

// parameters are what a verified call says. In a GET they are the query's;
// else they are the body's, and of the query only ref is read, which is ours.
func (c call) parameters() (url.Values, error) {
	form, ok := c.form, true
	switch {
	case c.get && c.readable:
		return c.asked, nil
	case c.get:
		return nil, errUnreadable
	case form != nil:
	case c.json:
		form, ok = parseJSON(c.body)
	default:
		form, ok = parseForm(string(c.body))
	}
	if !ok {
		return nil, errUnreadable
	}
	form["ref"] = c.asked["ref"]
	return form, nil
}

// parseForm reads a form or a query, without the pairs that are wrongly
// escaped, and reports whether there were none. Unlike net/url it takes a
// semicolon for the text that it is.
func parseForm(text string) (form url.Values, whole bool) {
	form, whole = url.Values{}, true
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			whole = false
			continue
		}
		form[name] = append(form[name], value)
	}
	return form, whole
}

// parseJSON reads an object as if it were a form: texts, and numbers as they
// are written. What else there may be is no parameter of ours.
func parseJSON(body []byte) (url.Values, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return nil, false
	}
	form := url.Values{}
	for name, raw := range object {
		var value any
		if json.Unmarshal(raw, &value) != nil {
			return nil, false
		}
		switch value := value.(type) {
		case string:
			form.Set(name, value)
		case float64:
			form.Set(name, string(raw))
		}
	}
	return form, true
}
