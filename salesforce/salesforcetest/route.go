package salesforcetest

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// handler serves one REST call; the org's lock is held.
type handler = func(c *call) (*reply, *Error)

// method is what a resource does for one HTTP method.
type method struct {
	op  Operation
	run handler
}

// resource is a path below /services/data/vXX.0/; "*" is any one segment.
type resource struct {
	path    []string
	methods map[string]method
}

func res(path string, methods map[string]method) resource {
	var segs []string
	if path != "" {
		segs = strings.Split(path, "/")
	}
	return resource{segs, methods}
}

var resources = []resource{
	res("", map[string]method{"GET": {OpResources, (*call).resources}}),
	res("limits", map[string]method{"GET": {OpLimits, (*call).limits}}),
	res("limits/recordCount", map[string]method{"GET": {OpRecordCount, (*call).recordCount}}),
	res("query", map[string]method{"GET": {OpQuery, (*call).runQuery}}),
	res("queryAll", map[string]method{"GET": {OpQueryAll, (*call).queryAll}}),
	res("query/*", map[string]method{"GET": {OpQueryMore, (*call).queryMore}}),
	res("queryAll/*", map[string]method{"GET": {OpQueryMore, (*call).queryMore}}),
	res("sobjects", map[string]method{"GET": {OpGlobalDescribe, (*call).globalDescribe}}),
	res("sobjects/*", map[string]method{"GET": {OpObjectInfo, (*call).objectInfo}, "POST": {OpRowCreate, (*call).createRow}}),
	res("sobjects/*/describe", map[string]method{"GET": {OpDescribe, (*call).describeObject}}),
	res("sobjects/*/updated", map[string]method{"GET": {OpUpdated, (*call).updatedRows}}),
	res("sobjects/*/deleted", map[string]method{"GET": {OpDeleted, (*call).deletedRows}}),
	res("sobjects/*/*", map[string]method{
		"GET": {OpRowGet, (*call).getRow}, "PATCH": {OpRowUpdate, (*call).updateRow},
		"DELETE": {OpRowDelete, (*call).deleteRow}, "POST": {OpRowCreate, (*call).createByID},
	}),
	res("sobjects/*/*/*", map[string]method{
		"GET": {OpRowGet, (*call).getByKey}, "PATCH": {OpRowUpsert, (*call).upsertRow},
		"DELETE": {OpRowDelete, (*call).deleteByKey},
	}),
	res("sobjects/*/listviews/*/describe", map[string]method{"GET": {OpListView, (*call).describeListView}}),
	res("composite", map[string]method{"POST": {OpComposite, nil}}),
	res("composite/batch", map[string]method{"POST": {OpBatch, nil}}),
	res("composite/sobjects", map[string]method{
		"POST": {OpCollectionsCreate, (*call).createMany}, "PATCH": {OpCollectionsUpdate, (*call).updateMany},
		"DELETE": {OpCollectionsDelete, (*call).deleteMany},
	}),
	res("composite/sobjects/*", map[string]method{"GET": {OpCollectionsRead, (*call).readMany}, "POST": {OpCollectionsRead, (*call).readMany}}),
	res("jobs/query", map[string]method{"GET": {OpBulkList, (*call).listJobs}, "POST": {OpBulkCreate, (*call).createJob}}),
	res("jobs/query/*", map[string]method{
		"GET": {OpBulkState, (*call).jobState}, "PATCH": {OpBulkAbort, (*call).abortJob}, "DELETE": {OpBulkDelete, (*call).deleteJob},
	}),
	res("jobs/query/*/results", map[string]method{"GET": {OpBulkResults, (*call).jobResults}}),
	res("jobs/ingest", map[string]method{"GET": {OpIngestList, (*call).listIngests}, "POST": {OpIngestCreate, (*call).createIngest}}),
	res("jobs/ingest/*", map[string]method{
		"GET": {OpIngestState, (*call).ingestState}, "PATCH": {OpIngestChange, (*call).changeIngest}, "DELETE": {OpIngestDelete, (*call).deleteIngest},
	}),
	res("jobs/ingest/*/batches", map[string]method{"PUT": {OpIngestUpload, (*call).uploadIngest}}),
	res("jobs/ingest/*/successfulResults", map[string]method{"GET": {OpIngestSuccesses, (*call).ingestSuccesses}}),
	res("jobs/ingest/*/failedResults", map[string]method{"GET": {OpIngestFailures, (*call).ingestFailures}}),
	res("jobs/ingest/*/unprocessedrecords", map[string]method{"GET": {OpIngestUnprocessed, (*call).ingestUnprocessed}}),
	res("metadata/deployRequest", map[string]method{"POST": {OpDeployStart, (*call).startDeploy}}),
	res("metadata/deployRequest/*", map[string]method{
		"GET": {OpDeployState, (*call).deployState}, "PATCH": {OpDeployCancel, (*call).cancelDeploy},
	}),
	res("tooling/query", map[string]method{"GET": {OpTooling, (*call).toolingQuery}}),
	res("composite/sobjects/*/*", map[string]method{"PATCH": {OpCollectionsUpsert, (*call).upsertMany}}),
}

// init closes the one cycle: a composite call looks its parts up in this table.
func init() {
	for i := range resources {
		switch strings.Join(resources[i].path, "/") {
		case "composite":
			resources[i].methods["POST"] = method{OpComposite, (*call).composite}
		case "composite/batch":
			resources[i].methods["POST"] = method{OpBatch, (*call).batch}
		}
	}
}

// route is where a request goes.
type route struct {
	op      Operation
	data    bool // a REST call: session, limit, count, limit header
	login   func(*Server, *exchange) *reply
	run     handler
	segs    []string // below the version, unescaped
	version int
	object  string
	fault   *Error
}

// findRoute classifies a request by its path and method.
func findRoute(r *http.Request) *route {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	rest, isData := strings.CutPrefix(path, "/services/data/")
	switch {
	case path == "/services/data":
		return &route{op: OpVersions, login: (*Server).versions}
	case isData:
		return dataRoute(r.Method, rest, r.URL.Query())
	case path == "/services/oauth2/token":
		return &route{op: OpToken, login: (*Server).token}
	case path == "/services/oauth2/introspect":
		return &route{op: OpIntrospect, login: (*Server).introspect}
	case path == "/services/oauth2/revoke":
		return &route{op: OpRevoke, login: (*Server).revoke}
	case path == "/services/oauth2/userinfo":
		return &route{op: OpIdentity, login: (*Server).userinfo}
	case strings.HasPrefix(path, "/id/"):
		return &route{op: OpIdentity, login: (*Server).identity}
	case strings.HasPrefix(path, "/services/Soap/u/"), strings.HasPrefix(path, "/services/Soap/c/"):
		return &route{op: OpSOAP, login: (*Server).soap}
	default:
		return &route{op: opUnknown, login: func(*Server, *exchange) *reply { return errorReply(false, notFound()) }}
	}
}

const (
	oldestVersion = 31 // 21 to 30 answer 410 since Summer '25
	newestVersion = 67
)

// dataRoute finds the resource of a path that starts with a version.
func dataRoute(httpMethod, path string, query url.Values) *route {
	out := &route{op: opUnknown, data: true}
	version, rest, _ := strings.Cut(path, "/")
	out.version, out.fault = parseVersion(version)
	if out.fault != nil {
		return out
	}
	if rest != "" {
		for seg := range strings.SplitSeq(rest, "/") {
			text, err := url.PathUnescape(seg)
			if err != nil || text == "" {
				out.fault = notFound()
				return out
			}
			out.segs = append(out.segs, text)
		}
	}
	if httpMethod == "POST" && query.Has("_HttpMethod") {
		httpMethod = query.Get("_HttpMethod")
	}
	out.find(httpMethod)
	return out
}

func (r *route) find(httpMethod string) {
	for _, one := range resources {
		if !matchPath(one.path, r.segs) {
			continue
		}
		if len(r.segs) > 1 && r.segs[0] == "sobjects" {
			r.object = r.segs[1]
		} else if len(r.segs) > 2 && r.segs[0] == "composite" {
			r.object = r.segs[2]
		}
		m, known := one.methods[httpMethod]
		if !known {
			names := make([]string, 0, len(one.methods))
			for name := range one.methods {
				names = append(names, name)
			}
			sort.Strings(names)
			r.fault = methodNotAllowed(httpMethod, names...)
			return
		}
		r.op, r.run = m.op, m.run
		return
	}
	r.fault = notFound()
}

func matchPath(pattern, segs []string) bool {
	return slices.EqualFunc(pattern, segs, func(p, s string) bool { return p == "*" || p == s })
}

// parseVersion reads v64.0. Retired versions are gone, unknown ones not found.
func parseVersion(text string) (int, *Error) {
	digits, whole := strings.CutSuffix(strings.TrimPrefix(text, "v"), ".0")
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil || !whole || !strings.HasPrefix(text, "v") || n < 20 || n > newestVersion:
		return 0, notFound()
	case n < oldestVersion:
		return 0, fail(http.StatusGone, "GONE", "The requested resource is no longer available: API version "+digits+".0 is retired")
	default:
		return n, nil
	}
}
