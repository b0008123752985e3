package salesforce

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
)

// Limit is one limit of the org.
type Limit struct {
	Max       int `json:"Max"`
	Remaining int `json:"Remaining"`
}

// Limits reads the org's limits by name, like DailyApiRequests and
// DataStorageMB. They lag by minutes, and asking costs a call.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm
func (o *Org) Limits(ctx context.Context) (map[string]Limit, error) {
	limits := map[string]Limit{}
	err := o.read(ctx, "limits", "/limits", &limits)
	return limits, err
}

// Version is one API version that the org offers.
type Version struct {
	Label   string `json:"label"`
	URL     string `json:"url"`
	Version string `json:"version"` // "64.0"
}

// Versions lists the API versions that the org offers.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm
func (o *Org) Versions(ctx context.Context) ([]Version, error) {
	var versions []Version
	err := o.read(ctx, "versions", "/services/data/", &versions)
	return versions, err
}

// Identity is who we are logged in as, and where.
type Identity struct {
	UserID         string
	OrganizationID string
	Username       string
	// Instance is the scheme and host of the org.
	Instance string
}

// Identity asks who we are logged in as, logging in if need be.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm
func (o *Org) Identity(ctx context.Context) (Identity, error) {
	const op = "identity"
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodGet, Path: "/services/oauth2/userinfo", Repeatable: true})
	if err != nil {
		return Identity{}, err
	}
	var who struct {
		UserID         string `json:"user_id"`
		OrganizationID string `json:"organization_id"`
		Username       string `json:"preferred_username"`
	}
	if json.Unmarshal(data, &who) != nil || who.UserID == "" {
		return Identity{}, unreadable(op, errors.New("the answer names no user"))
	}
	id := Identity{UserID: who.UserID, OrganizationID: who.OrganizationID, Username: who.Username}
	if cur, _ := o.login.known(nil); cur != nil { //nolint:errcheck // without a session the instance is unknown
		id.Instance = cur.instance
	}
	return id, nil
}
