// Package openapitest holds HTTP traffic against one of Twilio's own OpenAPI
// documents (https://github.com/twilio/twilio-oai), so that neither a client
// nor an emulator can drift from them unnoticed.
//
//	rt, faults := openapitest.Validate(srv.Client().Transport, file)
//	... use rt ...
//	require.Empty(t, faults())
//
// Checked are path, method, parameters and form of each request, credentials
// being there, and status, content type and body of each answer. The documents
// describe no errors; an answer of 400 and above that is JSON must have
// Twilio's error shape. Parameters that a document does not name are faults.
package openapitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// ErrNoDocument says that the OpenAPI documents are not on this machine.
var ErrNoDocument = errors.New("twilio's OpenAPI documents are not beside the repository")

// Spec finds a document ("twilio_api_v2010.yaml") in the shared folder beside
// the repository that the working directory belongs to, or ErrNoDocument.
func Spec(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("openapitest: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("openapitest: no go.mod above the working directory: %w", ErrNoDocument)
		}
		dir = filepath.Dir(dir)
	}
	file := filepath.Join(filepath.Dir(dir), "shared", "contracts", "openapi", name)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("openapitest: %w: %w", ErrNoDocument, err)
	}
	return file, nil
}

// Validate wraps a transport: everything that passes is checked against the
// document in the file. The returned function tells the faults so far, a file
// that could not be read among them. Traffic itself is never changed.
func Validate(rt http.RoundTripper, specFile string) (http.RoundTripper, func() []error) {
	doc, err := load(specFile)
	v := &validator{next: rt, doc: doc}
	if err != nil {
		v.report("", err)
	}
	return v, v.list
}

// validator is a transport that checks what passes.
type validator struct {
	next http.RoundTripper
	doc  *document

	mu     sync.Mutex
	faults []error
}

func (v *validator) list() []error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]error(nil), v.faults...)
}

func (v *validator) report(what string, err error) {
	if err == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = append(v.faults, fmt.Errorf("%s: %w", what, err))
}

// RoundTrip implements http.RoundTripper.
func (v *validator) RoundTrip(r *http.Request) (*http.Response, error) {
	if v.doc == nil {
		return v.next.RoundTrip(r)
	}
	sent := r.Body
	body, err := drain(&sent)
	if err != nil {
		return nil, err
	}
	what := r.Method + " " + r.URL.Path
	if sent != nil { // a transport must not change the request it was given
		r = r.Clone(r.Context())
		r.Body = sent
	}
	resp, err := v.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, cut := drain(&resp.Body)
	if cut != nil { // the caller sees the same broken body
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer), failing{cut}))
		return resp, nil //nolint:nilerr // reading the body gives the error
	}
	v.report(what, v.doc.check(r, body, resp, answer))
	return resp, nil
}

// drain reads a body to its end and puts a copy in its place.
func drain(body *io.ReadCloser) ([]byte, error) { //nolint:gocritic // it replaces what it is given
	if *body == nil {
		return nil, nil
	}
	all, err := io.ReadAll(*body)
	_ = (*body).Close() //nolint:errcheck // it has been read
	*body = io.NopCloser(bytes.NewReader(all))
	return all, err
}

type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }
