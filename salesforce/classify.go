package salesforce

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// vendorError is one error of an answer. REST calls the code errorCode, rows of
// a collections answer call it statusCode.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
type vendorError struct {
	Code    string
	Message string
	Fields  []string
}

// classify makes the fault of an answer whose status is no success.
func classify(r *request, a *answer) *fault.Error {
	e, found := firstError(a.body)
	f := faultFrom(r.op, a.status, e, func() []string { return valuesIn(r) })
	if !found {
		f.Err = fmt.Errorf("status %d %s, %s without an error code", a.status, http.StatusText(a.status), mediaType(a.header))
	}
	if wait, ok := retryAfter(a.header); ok && (f.Class == fault.Transient || f.Class == fault.Throttled) {
		f.After = wait
	}
	if !r.repeatable && mayHaveHappened(f) {
		f.Class = fault.Uncertain
	}
	return f
}

// condStorage is the condition of an org whose data storage is full: new records
// wait, and everything else goes on.
const condStorage = "salesforce-storage"

// faultFrom classes one error. values gives the strings that must not be shown.
func faultFrom(op string, status int, e vendorError, values func() []string) *fault.Error {
	known := ruleFor(status, e)
	f := &fault.Error{
		Class: known.class, Op: opName(op), Code: e.Code, Status: status,
		Fields: e.Fields, Hint: known.hint, After: known.after,
	}
	if e.Code == CodeStorageLimit {
		f.Condition = condStorage
	}
	if e.Message != "" {
		f.Err = errors.New(scrub(e, values()))
	}
	return f
}

// mayHaveHappened tells the failures after which a call's effect is unknown.
func mayHaveHappened(f *fault.Error) bool {
	if f.Class != fault.Transient {
		return false
	}
	return f.Code == "REQUEST_RUNNING_TOO_LONG" || f.Status >= 500 && f.Code != "SERVER_UNAVAILABLE"
}

// firstError reads an error answer: a JSON array, a JSON object, XML. It does
// not trust the content type, which proxies and the edge change.
func firstError(body []byte) (vendorError, bool) {
	text := strings.TrimSpace(string(body[:min(len(body), 1)]))
	switch {
	case text == "[" || text == "{":
		return jsonError(body)
	case text == "<":
		return xmlError(body)
	default:
		trimmed := strings.TrimSpace(string(body))
		if trimmed == "" || len(trimmed) == len(body) {
			return vendorError{}, false
		}
		return firstError([]byte(trimmed))
	}
}

func jsonError(body []byte) (vendorError, bool) {
	type wireError struct {
		ErrorCode  string   `json:"errorCode"`
		StatusCode string   `json:"statusCode"`
		Message    string   `json:"message"`
		Fields     []string `json:"fields"`
	}
	var several []wireError
	if err := json.Unmarshal(body, &several); err != nil || len(several) == 0 {
		var one wireError
		if err := json.Unmarshal(body, &one); err != nil {
			return vendorError{}, false
		}
		several = []wireError{one}
	}
	first := several[0]
	if first.ErrorCode == "" {
		first.ErrorCode = first.StatusCode
	}
	return vendorError{Code: first.ErrorCode, Message: first.Message, Fields: first.Fields}, first.ErrorCode != ""
}

// xmlError reads <Errors><Error><errorCode>, Bulk's <error><exceptionCode> and
// SOAP's <faultcode>. HTML has none of them.
func xmlError(body []byte) (vendorError, bool) {
	var e vendorError
	d := xml.NewDecoder(strings.NewReader(string(body)))
	d.Strict = false
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var text string
		switch start.Name.Local {
		case "errorCode", "exceptionCode", "faultcode":
			if err := d.DecodeElement(&text, &start); err == nil && e.Code == "" {
				e.Code = text[strings.LastIndexByte(text, ':')+1:]
			}
		case "message", "exceptionMessage", "faultstring":
			if err := d.DecodeElement(&text, &start); err == nil && e.Message == "" {
				e.Message = text
			}
		}
	}
	return e, e.Code != ""
}

// retryAfter reads the header's two forms, seconds and a date.
func retryAfter(h http.Header) (time.Duration, bool) {
	v := h.Get("Retry-After")
	if v == "" {
		return 0, false
	}
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}
