package salesforcetest

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxParts   = 25 // subrequests of a composite or batch call
	maxQueries = 5  // of them queries and collections, in a composite call
)

// part is one subrequest of a composite call.
type part struct {
	ref, method, url string
	body             *node
	header           http.Header
}

// composite serves POST /composite: parts that may use the answers of earlier ones.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
func (c *call) composite() (*reply, *Error) {
	parts, all, err := c.compositeParts()
	if err != nil {
		return nil, err
	}
	mark := len(c.x.undo)
	answers := map[string]*node{}
	replies := make([]*reply, len(parts))
	failed := false
	for i := range parts {
		if replies[i] = c.compositePart(&parts[i], answers); replies[i].status >= 300 {
			failed = true
			if all {
				break
			}
		}
	}
	if all && failed {
		c.x.rollback(mark)
		for i, r := range replies {
			if r == nil || r.status < 300 {
				replies[i] = errorReply(false, fail(400, "PROCESSING_HALTED",
					"The transaction was rolled back since another operation in the same transaction failed."))
			}
		}
	}
	b := []byte(`{"compositeResponse":[`)
	for i, r := range replies {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPart(b, r, parts[i].ref)
	}
	return ok(append(b, "]}"...)), nil
}

func appendPart(b []byte, r *reply, ref string) []byte {
	b = append(b, `{"body":`...)
	if len(r.body) == 0 {
		b = append(b, "null"...)
	}
	b = append(b, r.body...)
	b = append(b, `,"httpHeaders":{`...)
	if loc := r.header.Get("Location"); loc != "" {
		b = appendPair(b, "Location", loc)
	}
	b = append(b, `},"httpStatusCode":`...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, ',')
	return append(appendPair(b, "referenceId", ref), '}')
}

var refName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (c *call) compositeParts() (parts []part, allOrNone bool, err *Error) {
	if err := c.only(); err != nil {
		return nil, false, err
	}
	if err := c.members("allOrNone", "collateSubrequests", "compositeRequest"); err != nil {
		return nil, false, err
	}
	if allOrNone, err = flag(c.body, "allOrNone"); err != nil {
		return nil, false, err
	}
	if _, err = flag(c.body, "collateSubrequests"); err != nil {
		return nil, false, err
	}
	list, err := subrequests(c.body, "compositeRequest")
	if err != nil {
		return nil, false, err
	}
	names, queries := map[string]bool{}, 0
	for i := range list {
		p, err := readPart(&list[i])
		if err != nil {
			return nil, false, err
		}
		if !refName.MatchString(p.ref) {
			return nil, false, fail(400, "INVALID_INPUT", "referenceId may hold letters, digits and underscores only: "+p.ref)
		}
		if names[p.ref] {
			return nil, false, fail(400, "INVALID_INPUT", "referenceId is not unique: "+p.ref)
		}
		names[p.ref] = true
		if strings.Contains(p.url, "/query") || strings.Contains(p.url, "/composite/sobjects") {
			queries++
		}
		parts = append(parts, p)
	}
	if queries > maxQueries {
		return nil, false, fail(400, "LIMIT_EXCEEDED", "Composite requests may have at most 5 query and sObject collections subrequests")
	}
	return parts, allOrNone, nil
}

func subrequests(body *node, key string) ([]node, *Error) {
	n := body.get(key)
	if n == nil || n.kind != nodeArray || len(n.kids) == 0 {
		return nil, fail(400, "REQUIRED_FIELD_MISSING", "At least 1 subrequest is required")
	}
	if len(n.kids) > maxParts {
		return nil, fail(400, "LIMIT_EXCEEDED", "Limit of 25 subrequests exceeded")
	}
	return n.kids, nil
}

func readPart(n *node) (part, *Error) {
	p := part{header: http.Header{}}
	if n.kind != nodeObject {
		return p, jsonError("Cannot deserialize instance of subrequest from " + tokenName(n))
	}
	for i := range n.kids {
		kid := &n.kids[i]
		switch kid.key {
		case "method":
			p.method = kid.text
		case "url":
			p.url = kid.text
		case "referenceId":
			p.ref = kid.text
		case "body", "richInput":
			if kid.kind != nodeNull {
				p.body = kid
			}
		case "httpHeaders":
			for j := range kid.kids {
				p.header.Set(kid.kids[j].key, kid.kids[j].text)
			}
		default:
			return p, jsonError(`Unrecognized field "` + kid.key + `"`)
		}
	}
	if p.method == "" || p.url == "" {
		return p, fail(400, "REQUIRED_FIELD_MISSING", "method and url are required in each subrequest")
	}
	return p, nil
}

// compositePart runs one subrequest and keeps its answer for later references.
func (c *call) compositePart(p *part, answers map[string]*node) *reply {
	address, missing := expand(p.url, answers)
	body := p.body
	if missing == "" && body != nil {
		body, missing = expandNode(body, answers)
	}
	if missing != "" {
		return errorReply(false, fail(400, "PROCESSING_HALTED", "Invalid reference specified. No value for "+missing+" found."))
	}
	rest, whole := strings.CutPrefix(address, "/services/data/")
	if !whole {
		return errorReply(false, fail(400, "INVALID_INPUT", "The url of a subrequest must start with /services/data/"))
	}
	rep := c.sub(p.method, rest, body, p.header)
	if n, err := parseJSON(string(rep.body)); err == nil && rep.status < 300 {
		answers[p.ref] = n
	}
	return rep
}

// sub runs a part of a composite or batch call. A failing part leaves nothing
// behind, and raw blanks in its address are accepted.
func (c *call) sub(httpMethod, address string, body *node, header http.Header) *reply {
	path, rawQuery, _ := strings.Cut(address, "?")
	query, bad := url.ParseQuery(strings.ReplaceAll(rawQuery, " ", "%20"))
	if bad != nil {
		return errorReply(false, fail(400, "INVALID_INPUT", "The query string of a subrequest cannot be read"))
	}
	rt := dataRoute(httpMethod, strings.TrimSuffix(path, "/"), query)
	if rt.fault != nil {
		return errorReply(false, rt.fault)
	}
	if rt.op == OpComposite || rt.op == OpBatch || rt.segs[0] == "jobs" {
		return errorReply(false, fail(400, "INVALID_INPUT", "A composite, batch or bulk call cannot be part of another"))
	}
	for k := range header {
		if k != "If-Modified-Since" && k != "If-Unmodified-Since" && !strings.HasPrefix(k, "Sforce-") {
			return errorReply(false, fail(400, "INVALID_HEADER", "The header "+k+" is not supported in a subrequest"))
		}
	}
	c.s.stats.byOp[rt.op]++
	part := &call{
		s: c.s, op: rt.op, method: httpMethod, version: rt.version, segs: rt.segs, query: query, header: header,
		text: c.text, body: body, x: c.x, refuse: c.refuse,
	}
	return part.run(rt.run, false)
}

// batch serves POST /composite/batch: independent parts, each counted as a call.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_batch.htm
func (c *call) batch() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	if err := c.members("haltOnError", "batchRequests"); err != nil {
		return nil, err
	}
	halt, err := flag(c.body, "haltOnError")
	if err != nil {
		return nil, err
	}
	list, err := subrequests(c.body, "batchRequests")
	if err != nil {
		return nil, err
	}
	failed, b := false, []byte(nil)
	for i := range list {
		p, err := readPart(&list[i])
		if err != nil {
			return nil, err
		}
		rep := &reply{status: http.StatusPreconditionFailed, body: errorReply(false, fail(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")).body}
		if !failed || !halt {
			c.s.count(time.Now())
			rep = c.sub(p.method, strings.TrimPrefix(p.url, "/"), p.body, p.header)
		}
		failed = failed || rep.status >= 300
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"statusCode":`...)
		b = strconv.AppendInt(b, int64(rep.status), 10)
		b = append(b, `,"result":`...)
		if len(rep.body) == 0 {
			b = append(b, "null"...)
		}
		b = append(append(b, rep.body...), '}')
	}
	return ok([]byte(`{"hasErrors":` + strconv.FormatBool(failed) + `,"results":[` + string(b) + `]}`)), nil
}
