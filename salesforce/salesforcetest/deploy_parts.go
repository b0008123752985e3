package salesforcetest

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// deployOptions are the part of a request that says how. The others must be as an
// org that is in production wants them, or are not supported here.
type deployOptions struct {
	checkOnly, ignoreWarnings bool
	testLevel                 string
}

func (o *deployOptions) shown() map[string]any {
	return map[string]any{
		"allowMissingFiles": false, "autoUpdatePackage": false, "checkOnly": o.checkOnly, "ignoreWarnings": o.ignoreWarnings,
		"performRetrieve": false, "purgeOnDelete": false, "rollbackOnError": true, "runTests": nil, "singlePackage": true,
		"testLevel": orNil(o.testLevel),
	}
}

// deployParts takes the request apart: one part of JSON, and one with the zip.
func (c *call) deployParts() (o deployOptions, data []byte, bad *Error) {
	kind, params, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return o, nil, fail(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "A deployment is requested by multipart/form-data")
	}
	var options *node
	r := multipart.NewReader(strings.NewReader(c.text), params["boundary"])
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // the reader's contract names this very value
			break
		}
		if err != nil {
			return o, nil, multipartError("the parts cannot be told apart")
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return o, nil, multipartError("a part ends before its time")
		}
		switch media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); { //nolint:errcheck // one that cannot be read is none of these
		case part.FileName() == "" && media == "application/json" && options == nil:
			if options, bad = parseJSON(string(body)); bad != nil {
				return o, nil, bad
			}
		case strings.HasSuffix(part.FileName(), ".zip") && part.FormName() == "file" && data == nil:
			data = body
		default:
			return o, nil, multipartError("the part " + part.FormName() + " is neither the options nor the file")
		}
	}
	if options == nil || data == nil {
		return o, nil, multipartError("the options or the file are missing")
	}
	o, bad = readDeployOptions(options)
	return o, data, bad
}

func multipartError(why string) *Error {
	return fail(http.StatusBadRequest, "INVALID_MULTIPART_REQUEST", "The request is not a deployment: "+why)
}

// fixedOptions are those with one value that this org takes.
var fixedOptions = map[string]string{
	"allowMissingFiles": "false", "autoUpdatePackage": "false", "performRetrieve": "false", "purgeOnDelete": "false",
	"rollbackOnError": "true", "singlePackage": "true",
}

// readDeployOptions reads {"deployOptions": {...}}.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy.htm
func readDeployOptions(n *node) (o deployOptions, bad *Error) {
	if n.kind != nodeObject || len(n.kids) != 1 || n.kids[0].key != "deployOptions" || n.kids[0].kind != nodeObject {
		return o, jsonError("The options are one object: deployOptions")
	}
	in := &n.kids[0]
	given := map[string]bool{}
	for i := range in.kids {
		kid := &in.kids[i]
		want, fixed := fixedOptions[kid.key]
		given[kid.key] = true
		switch {
		case fixed && (kid.kind != nodeBool || kid.text != want):
			return o, fail(400, "INVALID_OPERATION", kid.key+" must be "+want+" in this org")
		case fixed:
		case kid.key == "runTests" && (kid.kind == nodeNull || kid.kind == nodeArray && len(kid.kids) == 0):
		case kid.key == "testLevel" && (kid.kind == nodeNull || slices.Contains([]string{"NoTestRun", "RunLocalTests"}, kid.text)):
			o.testLevel = kid.text
		case kid.key == "checkOnly" || kid.key == "ignoreWarnings":
		default:
			return o, jsonError(`Unrecognized field or value of deployOptions: "` + kid.key + `"`)
		}
	}
	for _, name := range []string{"rollbackOnError", "singlePackage"} { // their defaults are not what this org takes
		if !given[name] {
			return o, fail(400, "INVALID_OPERATION", name+" must be true in this org")
		}
	}
	if o.checkOnly, bad = flag(in, "checkOnly"); bad == nil {
		o.ignoreWarnings, bad = flag(in, "ignoreWarnings")
	}
	return o, bad
}
