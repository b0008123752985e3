package salesforcetest

import (
	"net/http"
	"strings"
	"time"
)

// The operations of the Metadata API's REST resources.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_intro.htm
const (
	OpDeployStart  Operation = "deploy.start"
	OpDeployState  Operation = "deploy.state"
	OpDeployCancel Operation = "deploy.cancel"
)

// deployments are those that the org was asked for, and what came of them.
type deployments struct {
	list []*deployment
	// content is what was deployed, by type and name.
	content map[string]string
	sets    map[string]*permissions // permission sets, by name in lower case
}

// deployment is one of them. Its state follows from the clock; the org changes
// when it ends, all at once.
type deployment struct {
	id                     string
	options                deployOptions
	pack                   *zipPackage
	created, starts, ends  time.Time
	canceled               bool
	settled                bool
	successes, failures    []deployMessage
	lastModified, complete time.Time
}

// deployMessage is what became of one component.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deployresult.htm
type deployMessage struct {
	component

	line, column     int
	problem          string
	created, changed bool
}

// busy tells whether a deployment still takes the org's attention.
func (d *deployment) busy(now time.Time) bool { return !d.canceled && now.Before(d.ends) }

func (d *deployment) state(now time.Time) string {
	switch {
	case d.canceled:
		return "Canceled"
	case now.Before(d.starts):
		return "Pending"
	case now.Before(d.ends):
		return "InProgress"
	case len(d.failures) > 0:
		return "Failed"
	default:
		return "Succeeded"
	}
}

// Deployments is how many deployments the org was asked for, those that only
// check included.
func (s *Server) Deployments() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.deploys.list)
}

// mayModifyMetadata is the permission that the whole API stands on.
// https://github.com/forcedotcom/cli/issues/3048
func (c *call) mayModifyMetadata() *Error {
	if c.s.opts.NoModifyMetadata {
		return fail(http.StatusForbidden, "INSUFFICIENT_ACCESS",
			"use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions")
	}
	return nil
}

// startDeploy serves POST /metadata/deployRequest.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
func (c *call) startDeploy() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	if err := c.mayModifyMetadata(); err != nil {
		return nil, err
	}
	options, data, err := c.deployParts()
	if err != nil {
		return nil, err
	}
	pack, err := openPackage(data)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	delay := c.s.opts.DeployDelay
	d := &deployment{
		id: formatID("0Af", uint32(len(c.s.deploys.list)+1)), options: options, pack: pack,
		created: now, starts: now.Add(delay / 4), lastModified: now,
	}
	for _, earlier := range c.s.deploys.list { // one at a time
		if earlier.busy(now) && earlier.ends.After(d.starts) {
			d.starts = earlier.ends
		}
	}
	d.ends = d.starts.Add(delay - delay/4)
	c.s.deploys.list = append(c.s.deploys.list, d)
	rep := marshalled(map[string]any{
		"id": d.id, "validatedDeployRequestId": nil, "deployResult": nil, "deployOptions": options.shown(), "url": c.deployURL(d),
	})
	rep.status = http.StatusCreated
	return rep, nil
}

func (c *call) deployURL(d *deployment) string {
	return c.s.URL + c.base + "/metadata/deployRequest/" + d.id
}

func (c *call) deployment() (*deployment, *Error) {
	if err := c.mayModifyMetadata(); err != nil {
		return nil, err
	}
	for _, d := range c.s.deploys.list {
		if d.id == c.segs[2] || d.id[:15] == c.segs[2] {
			return d, nil
		}
	}
	return nil, notFound()
}

// deployState serves GET /metadata/deployRequest/{id}.
// https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy-checkstatus.html
func (c *call) deployState() (*reply, *Error) {
	if err := c.only("includeDetails"); err != nil {
		return nil, err
	}
	if err := c.noBody(); err != nil {
		return nil, err
	}
	d, err := c.deployment()
	if err != nil {
		return nil, err
	}
	details := c.query.Get("includeDetails")
	if details != "" && details != "true" && details != "false" {
		return nil, fail(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "includeDetails must be true or false")
	}
	return c.deployReply(d, details == "true"), nil
}

func (c *call) deployReply(d *deployment, details bool) *reply {
	return marshalled(map[string]any{
		"id": d.id, "validatedDeployRequestId": nil, "url": c.deployURL(d), "deployOptions": d.options.shown(),
		"deployResult": d.result(c.s, details),
	})
}

// cancelDeploy serves PATCH /metadata/deployRequest/{id}. A deployment that waits
// or runs is canceled at once.
// https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy-cancel.html
func (c *call) cancelDeploy() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	d, err := c.deployment()
	if err != nil {
		return nil, err
	}
	if err := c.members("deployResult"); err != nil {
		return nil, err
	}
	result := c.body.get("deployResult")
	if result.kind != nodeObject || len(result.kids) != 1 || result.kids[0].key != "status" || result.kids[0].text != "Canceling" {
		return nil, jsonError(`The status of a deployment can be set to "Canceling" and to nothing else`)
	}
	now := time.Now()
	if !d.busy(now) {
		return nil, fail(400, "INVALID_ID_FIELD", "Deployment already completed")
	}
	d.cancel(now)
	rep := c.deployReply(d, false)
	rep.status = http.StatusAccepted
	return rep, nil
}

// settleDeploys carries out what has come to its end by now, in order.
func (s *Server) settleDeploys() {
	now := time.Now()
	for _, d := range s.deploys.list {
		if d.settled || now.Before(d.ends) {
			continue
		}
		d.settled, d.complete, d.lastModified = true, d.ends, d.ends
		s.carryOut(d)
		d.pack = nil
	}
	if len(s.deploys.content) > 0 {
		s.regrant()
	}
}

// result is the answer's deployResult.
func (d *deployment) result(s *Server, details bool) map[string]any {
	now := time.Now()
	state := d.state(now)
	total := len(d.successes) + len(d.failures)
	if d.pack != nil {
		total = len(d.pack.components)
	}
	deployed := len(d.successes)
	if state == "InProgress" {
		deployed = int(int64(total) * int64(now.Sub(d.starts)) / int64(d.ends.Sub(d.starts)))
	}
	out := map[string]any{
		"id": d.id, "status": state, "done": !d.busy(now), "success": state == "Succeeded",
		"checkOnly": d.options.checkOnly, "ignoreWarnings": d.options.ignoreWarnings, "rollbackOnError": true, "runTestsEnabled": false,
		"numberComponentsDeployed": deployed, "numberComponentsTotal": total, "numberComponentErrors": len(d.failures),
		"numberTestsCompleted": 0, "numberTestsTotal": 0, "numberTestErrors": 0,
		"createdBy": s.userID(), "createdByName": "TwilioSF Integration", "createdDate": deployTime(d.created),
		"startDate": deployTime(d.starts), "lastModifiedDate": deployTime(d.lastModified), "completedDate": deployTime(d.complete),
		"errorMessage": nil, "errorStatusCode": nil, "stateDetail": nil, "canceledBy": nil, "canceledByName": nil,
	}
	if d.canceled {
		out["canceledBy"], out["canceledByName"] = s.userID(), "TwilioSF Integration"
	}
	if details {
		out["details"] = map[string]any{
			"componentFailures": messages(d.failures, false), "componentSuccesses": messages(d.successes, true),
			"retrieveResult": nil, "runTestResult": map[string]any{"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0, "failures": []any{}, "successes": []any{}},
		}
	}
	return out
}

func deployTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func messages(list []deployMessage, success bool) []any {
	out := []any{}
	for i := range list {
		m := &list[i]
		shown := map[string]any{
			"componentType": m.typ, "fullName": m.name, "fileName": m.file, "success": success, "warning": false,
			"created": m.created, "changed": m.changed, "deleted": false, "problem": orNil(m.problem), "problemType": nil,
			"lineNumber": nil, "columnNumber": nil, "knownPackagingProblem": false, "requiresProductionTestRun": false,
		}
		if !success {
			shown["problemType"] = "Error"
		}
		if m.line > 0 {
			shown["lineNumber"], shown["columnNumber"] = m.line, m.column
		}
		out = append(out, shown)
	}
	return out
}

// key is how components are told apart; names know no case.
func (c *component) key() string { return c.typ + "/" + strings.ToLower(c.name) }

// CancelDeployments cancels what waits or runs, as an administrator does in Setup.
func (s *Server) CancelDeployments() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, d := range s.deploys.list {
		if d.busy(now) {
			d.cancel(now)
		}
	}
}

func (d *deployment) cancel(now time.Time) {
	d.canceled, d.settled, d.pack, d.lastModified, d.complete = true, true, nil, now, now
}
