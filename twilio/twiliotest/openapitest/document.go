package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// document is one OpenAPI document, ready to check against.
type document struct {
	spec  *openapi3.T
	paths []templated
}

// templated is a path with {Names} as an expression.
type templated struct {
	path  string
	like  *regexp.Regexp
	names []string
	item  *openapi3.PathItem
}

var (
	loaded   = map[string]*document{}
	loadedMu sync.Mutex
)

// load reads a document once in a process: they are large.
func load(file string) (*document, error) {
	loadedMu.Lock()
	defer loadedMu.Unlock()
	if d := loaded[file]; d != nil {
		return d, nil
	}
	spec, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("openapitest: reading the document: %w", err)
	}
	d := &document{spec: spec}
	for path, item := range spec.Paths.Map() {
		relax(item)
		d.paths = append(d.paths, template(path, item))
	}
	sort.Slice(d.paths, func(i, j int) bool { return len(d.paths[i].names) < len(d.paths[j].names) })
	loaded[file] = d
	return d, nil
}

var inBraces = regexp.MustCompile(`\\\{([A-Za-z]+)\\\}`)

func template(path string, item *openapi3.PathItem) templated {
	t := templated{path: path, item: item}
	quoted := regexp.QuoteMeta(path)
	for _, m := range inBraces.FindAllStringSubmatch(quoted, -1) {
		t.names = append(t.names, m[1])
	}
	t.like = regexp.MustCompile("^" + inBraces.ReplaceAllString(quoted, "([^/]+?)") + "$")
	return t
}

func (d *document) find(method, path string) (*routers.Route, map[string]string, error) {
	for _, t := range d.paths {
		m := t.like.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		op := t.item.GetOperation(method)
		if op == nil {
			return nil, nil, errors.New("the document has no such method here")
		}
		params := map[string]string{}
		for i, name := range t.names {
			params[name] = m[i+1]
		}
		return &routers.Route{Spec: d.spec, Path: t.path, PathItem: t.item, Method: method, Operation: op}, params, nil
	}
	return nil, nil, errors.New("the document has no such path")
}

// check holds one exchange against the document. Answers of 400 and above say
// that the request was at fault, so that only their own shape is checked.
func (d *document) check(r *http.Request, body []byte, resp *http.Response, answer []byte) error {
	if resp.StatusCode >= http.StatusBadRequest {
		return checkError(resp, answer)
	}
	if outside(r.URL.Path) {
		return nil
	}
	route, params, err := d.find(r.Method, r.URL.Path)
	if err != nil {
		return err
	}
	copied := r.Clone(context.WithoutCancel(r.Context()))
	copied.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: authenticated, IncludeResponseStatus: true, SkipSettingDefaults: true,
		},
	}
	if err := openapi3filter.ValidateRequest(copied.Context(), in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := named(route.Operation, r.URL.Query(), form(r, body)); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(answer)), Options: in.Options,
	}
	if err := openapi3filter.ValidateResponse(copied.Context(), out); err != nil {
		return fmt.Errorf("response %d: %w", resp.StatusCode, err)
	}
	return whole(route.Operation, resp.StatusCode, answer)
}

// authenticated wants HTTP Basic credentials of whatever value.
func authenticated(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if _, _, ok := in.RequestValidationInput.Request.BasicAuth(); !ok {
		return in.NewError(errors.New("no HTTP Basic credentials"))
	}
	return nil
}

func form(r *http.Request, body []byte) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil // the validation of the request has said so
	}
	return values
}

// named refuses parameters that the document does not have: Twilio ignores
// them in silence, so a client that sends one is mistaken.
func named(op *openapi3.Operation, query, form url.Values) error {
	for name := range query {
		if op.Parameters.GetByInAndName("query", name) == nil {
			return fmt.Errorf("the document has no query parameter %q", name)
		}
	}
	for name := range form {
		if !formHas(op, name) && name != undocumented {
			return fmt.Errorf("the document has no form field %q", name)
		}
	}
	return nil
}

func formHas(op *openapi3.Operation, name string) bool { return formOf(op)[name] != nil }

// formOf are the fields of an operation's form.
func formOf(op *openapi3.Operation) openapi3.Schemas {
	if op.RequestBody == nil {
		return nil
	}
	media := op.RequestBody.Value.Content.Get("application/x-www-form-urlencoded")
	if media == nil || media.Schema == nil {
		return nil
	}
	return media.Schema.Value.Properties
}

// checkError wants Twilio's error shape of JSON; what is not JSON comes from a
// proxy and has none: https://www.twilio.com/docs/usage/twilios-response
func checkError(resp *http.Response, answer []byte) error {
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	var e struct {
		Code     *int    `json:"code"`
		Message  *string `json:"message"`
		MoreInfo *string `json:"more_info"`
		Status   *int    `json:"status"`
	}
	if err := json.Unmarshal(answer, &e); err != nil {
		return fmt.Errorf("error %d: %w", resp.StatusCode, err)
	}
	if e.Code == nil || e.Message == nil || e.MoreInfo == nil || e.Status == nil || *e.Status != resp.StatusCode {
		return fmt.Errorf("error %d lacks code, message, more_info or status", resp.StatusCode)
	}
	return nil
}
