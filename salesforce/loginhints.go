package salesforce

import (
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// meaning is what a refused login asks of the operator.
type meaning struct {
	code string
	// about is a part of the description in lower case; "" for any.
	about string
	class fault.Class
	after time.Duration
	hint  string
}

// meanings are looked through in order. The token endpoint says almost
// everything by invalid_grant, so its description has to be read; nowhere above
// this table is a text looked at.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
var meanings = []meaning{
	{"invalid_grant", "user hasn't approved this consumer", fault.Auth, 0,
		"Pre-authorize the integration user in the app (admin approved users, with a profile or permission set), and check that salesforce.login_url and audience belong to this org (login. or test.salesforce.com)."},
	{"invalid_grant", "not admin approved", fault.Auth, 0,
		"Assign the app's permission set or profile to the integration user."},
	{"invalid_grant", "audience", fault.Auth, 0,
		"Set salesforce.audience to https://login.salesforce.com, or https://test.salesforce.com for a sandbox."},
	{"invalid_grant", "invalid assertion", fault.Auth, 0,
		"The private key does not belong to the certificate uploaded to the app: compare them."},
	{"invalid_grant", "expired authorization code", fault.Auth, 0,
		"The assertion was too old when it arrived: set this machine's clock (NTP)."},
	{"invalid_grant", "expired access/refresh token", fault.Auth, 0,
		"The token was revoked: authorize the app again."},
	{"invalid_grant", "ip restricted", fault.Auth, 0,
		"Let this machine's address through: login IP ranges of the profile, or relax the app's IP policy."},
	{"invalid_grant", "login must use", fault.Auth, 0,
		"The org's login policy wants another address or My Domain: set salesforce.login_url to the My Domain URL."},
	{"invalid_grant", "no client credentials user", fault.Auth, 0,
		"Choose a run-as user for the client credentials flow in the app's policies."},
	{"invalid_grant", "", fault.Auth, 0,
		"Check user name, password and security token, that the user is not locked or inactive, its login IP ranges and hours, and that the app and the org allow this flow."},
	{"invalid_client_id", "", fault.Auth, 0,
		"Check salesforce.client_id (the consumer key). A new app needs up to ten minutes until every server knows it."},
	{"invalid_client", "", fault.Auth, 0,
		"Check salesforce.client_id and client_secret."},
	{"unsupported_grant_type", "", fault.Auth, 0,
		"Enable this OAuth flow in the app, and use the org's My Domain URL for client_credentials."},
	{"invalid_scope", "", fault.Auth, 0,
		"Give the app the OAuth scope Manage user data via APIs (api)."},
	{"inactive_user", "", fault.Auth, 0, "Activate the integration user."},
	{"inactive_org", "", fault.Auth, 0, "The org is locked, expired or deleted: ask Salesforce."},
	{"rate_limit_exceeded", "", fault.Throttled, time.Minute, "Too many logins: find who else logs in as this user."},
	{"server_error", "", fault.Transient, 0, hintInternal},
	{"temporarily_unavailable", "", fault.Transient, 0, hintInternal},

	// The SOAP login's fault codes.
	// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
	{"INVALID_LOGIN", "", fault.Auth, 0,
		"Check user name, password and security token (a new password brings a new token by e-mail), and that the user is not locked out."},
	{"INVALID_OPERATION", "disabled by default", fault.Auth, 0,
		"This org has switched the SOAP login off: use auth: jwt, or enable it in Setup, User Interface or OAuth settings."},
	{"INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "", fault.Auth, 0,
		"The user's password has expired: set a new one, and the new security token."},
	{"LOGIN_MUST_USE_SECURITY_TOKEN", "", fault.Auth, 0,
		"Set salesforce.security_token, or trust this machine's address in the org."},
	{"LOGIN_DURING_RESTRICTED_DOMAIN", "", fault.Auth, 0,
		"Add this machine's address to the login IP ranges of the user's profile."},
	{"LOGIN_DURING_RESTRICTED_TIME", "", fault.Auth, 0,
		"The user's profile forbids logins at this time: lift its login hours."},
	{"PASSWORD_LOCKOUT", "", fault.Auth, 0, "The user is locked out: unlock it in Setup, then check the password."},
	{"ORG_LOCKED", "", fault.Auth, 0, "The org is locked: ask Salesforce."},
	{"UNSUPPORTED_API_VERSION", "", fault.Auth, 0,
		"This API version has no SOAP login: use auth: jwt, or an api_version up to 64.0."},
	{"API_CURRENTLY_DISABLED", "", fault.Auth, 0, hintAPI},
	{"API_DISABLED_FOR_ORG", "", fault.Auth, 0, hintAPI},
	{"REQUEST_LIMIT_EXCEEDED", "", fault.Throttled, time.Minute, hintDaily},
	{"SERVER_UNAVAILABLE", "", fault.Transient, 0, hintInternal},
	{"UNKNOWN_EXCEPTION", "", fault.Transient, 0, hintInternal},
}

// meaningOf finds what a refused login means. What is unknown is a matter for
// the operator as well.
func meaningOf(code, description string) meaning {
	description = strings.ToLower(description)
	for _, m := range meanings {
		if m.code == code && strings.Contains(description, m.about) {
			return m
		}
	}
	return meaning{class: fault.Auth, hint: "Salesforce refuses the login: look at the user's login history in Setup."}
}

// sessionHint is what it means that a session is refused right after its login.
func sessionHint(cause error) string {
	text := ""
	if cause != nil {
		text = cause.Error()
	}
	switch {
	case strings.Contains(text, "not valid for use with the REST API"):
		return "The login works, but its session may not use the REST API: give the app the scope api, and check its IP policy and the user's."
	case strings.Contains(text, "not attached to Agent"):
		return "The login works, but the app is not allowed for this kind of user: attach it in Setup."
	default:
		return "The login works, but its session is refused at once: check the app's and the user's IP and session policies, and that salesforce.login_url belongs to this org."
	}
}
