package salesforce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// DeployOptions say how metadata is deployed. Whatever they say, a deployment is
// all or nothing, and deletes nothing.
type DeployOptions struct {
	// CheckOnly has Salesforce check the deployment and change nothing.
	CheckOnly bool
}

// Deployment is how far a deployment is.
// https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy-checkstatus.html
type Deployment struct {
	ID string
	// Status is Pending, InProgress, Succeeded, SucceededPartial, Failed, Canceling,
	// Canceled, and what else Salesforce thinks of.
	Status string
	// Done says that it has ended, Succeeded that all of it was deployed.
	Done, Succeeded bool
	// Deployed and Total count components, Errors those that failed.
	Deployed, Total, Errors int
	Failures                []ComponentFailure
	// Reason is Salesforce's word on a deployment that failed as a whole.
	Reason string
}

// ComponentFailure is why one component cannot be deployed.
type ComponentFailure struct {
	Type, Name   string // CustomField, Contact.Last_Message_Status__c
	File         string // in the zip
	Line, Column int    // 0: unknown
	// Problem is Salesforce's text.
	Problem string
}

const hintDeploy = "Give the user, for the time of the deployment, a permission set with Modify Metadata Through Metadata API Functions, " +
	"Customize Application and Manage Profiles and Permission Sets; or have an administrator deploy the source in deploy/salesforce with Salesforce's own tools."

// StartDeploy asks for the deployment of a zip file in the Metadata API's format,
// and gives its id. It is not made again when the answer gets lost, unless it only
// checks: the fault is Uncertain then, and Setup, Deployment Status shows whether it
// runs. Deploying the same once more does no harm.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
func (o *Org) StartDeploy(ctx context.Context, zip []byte, options DeployOptions) (id string, err error) {
	const op = "deploy start"
	body, kind, err := deployBody(zip, options)
	if err != nil {
		return "", fault.New(fault.Permanent, opName(op), err)
	}
	// Not by the library, which sends JSON only.
	a, err := o.chain.exchange(ctx, &request{
		op: op, method: http.MethodPost, path: o.path("/metadata/deployRequest"), body: body, contentType: kind,
		repeatable: options.CheckOnly,
	})
	if err != nil {
		return "", mayNotDeploy(err)
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(a.body, &made); err != nil || !plainName(made.ID) {
		f := unreadable(op, errors.New("the answer names no deployment"))
		f.Class = fault.Uncertain
		return "", f
	}
	return made.ID, nil
}

// deployBody is a form of two parts: how, and what.
func deployBody(zip []byte, options DeployOptions) (body []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(disposition, kind string, content []byte) {
		p, failed := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}})
		if failed == nil {
			_, failed = p.Write(content)
		}
		err = errors.Join(err, failed)
	}
	// The level of tests is left to Salesforce: an org in production runs its own
	// tests only where there is code in the zip.
	part(`form-data; name="json"`, "application/json", fmt.Appendf(nil,
		`{"deployOptions":{"allowMissingFiles":false,"autoUpdatePackage":false,"checkOnly":%t,"ignoreWarnings":true,`+
			`"performRetrieve":false,"purgeOnDelete":false,"rollbackOnError":true,"singlePackage":true}}`, options.CheckOnly))
	part(`form-data; name="file"; filename="twiliosf.zip"`, "application/zip", zip)
	err = errors.Join(err, w.Close())
	return b.Bytes(), w.FormDataContentType(), err
}

// mayNotDeploy says what a refusal of the Metadata API asks for.
func mayNotDeploy(err error) error {
	f := fault.Of(err)
	if f == nil || !strings.HasPrefix(f.Code, "INSUFFICIENT_ACCESS") {
		return err
	}
	refused := *f
	refused.Hint = hintDeploy
	return &refused
}

// DeployState asks once how far a deployment is.
func (o *Org) DeployState(ctx context.Context, id string) (Deployment, error) {
	const op = "deploy state"
	path, err := deployPath(op, id)
	if err != nil {
		return Deployment{}, err
	}
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodGet, Path: path + "?includeDetails=true", Repeatable: true})
	if err != nil {
		return Deployment{}, mayNotDeploy(err)
	}
	d, ok := readDeployment(data)
	if !ok {
		return Deployment{}, unreadable(op, errors.New("the answer is JSON of another form"))
	}
	d.ID = id
	return d, nil
}

// CancelDeploy asks for the end of a deployment, which then changes nothing. It
// comes some time after; DeployState shows when. One that has ended already, or
// can be stopped no more, is refused.
// https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy-cancel.html
func (o *Org) CancelDeploy(ctx context.Context, id string) error {
	const op = "deploy cancel"
	path, err := deployPath(op, id)
	if err != nil {
		return err
	}
	_, err = o.Do(ctx, Call{
		Op: op, Method: http.MethodPatch, Path: path, Body: []byte(`{"deployResult":{"status":"Canceling"}}`), Repeatable: true,
	})
	return err
}

func deployPath(op, id string) (string, error) {
	if !plainName(id) {
		return "", fault.New(fault.Permanent, opName(op), errors.New("the deployment's id is no id"))
	}
	return "/metadata/deployRequest/" + id, nil
}

// loose is a number or a truth value that may come as a text, as the
// documentation shows them.
type loose string

// UnmarshalJSON takes the value without its quotes.
func (l *loose) UnmarshalJSON(data []byte) error {
	if v := jsontext.Value(data); v.Kind() != 'n' {
		*l = loose(strings.Trim(string(data), `"`))
	}
	return nil
}

func (l loose) number() int {
	n, err := strconv.Atoi(string(l))
	if err != nil {
		return 0
	}
	return n
}

// readDeployment reads an answer.
func readDeployment(data []byte) (Deployment, bool) {
	var answer struct {
		Result struct {
			Status   string `json:"status"`
			Done     loose  `json:"done"`
			Deployed loose  `json:"numberComponentsDeployed"`
			Total    loose  `json:"numberComponentsTotal"`
			Errors   loose  `json:"numberComponentErrors"`
			Code     string `json:"errorStatusCode"`
			Message  string `json:"errorMessage"`
			Details  struct {
				Failures []struct {
					Type    string `json:"componentType"`
					Name    string `json:"fullName"`
					File    string `json:"fileName"`
					Problem string `json:"problem"`
					Line    loose  `json:"lineNumber"`
					Column  loose  `json:"columnNumber"`
				} `json:"componentFailures"`
			} `json:"details"`
		} `json:"deployResult"`
	}
	if json.Unmarshal(data, &answer) != nil || answer.Result.Status == "" {
		return Deployment{}, false
	}
	r := &answer.Result
	d := Deployment{
		Status: r.Status, Deployed: r.Deployed.number(), Total: r.Total.number(), Errors: r.Errors.number(),
		Reason: scrub(vendorError{Code: r.Code, Message: r.Message}, nil),
	}
	switch r.Status {
	case "Succeeded":
		d.Done, d.Succeeded = true, true
	case "SucceededPartial", "Failed", "Canceled":
		d.Done = true
	default:
		d.Done = r.Done == "true"
	}
	for _, f := range r.Details.Failures {
		d.Failures = append(d.Failures, ComponentFailure{
			Type: f.Type, Name: f.Name, File: f.File, Line: f.Line.number(), Column: f.Column.number(), Problem: Scrub(f.Problem, nil),
		})
	}
	return d, true
}
