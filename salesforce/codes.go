package salesforce

import (
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Codes of ours, for what has none of Salesforce's.
const (
	// CodeBudget: our share of the org's daily API calls is used up.
	CodeBudget = "BUDGET"
	// CodeConnection: no complete answer came.
	CodeConnection = "CONNECTION"
	// CodeTimeout: no complete answer within Options.Timeout.
	CodeTimeout = "TIMEOUT"
	// CodeNotBulk: Bulk API has no way to say what the record holds; the other
	// APIs have.
	CodeNotBulk = "NOT_IN_BULK"
	// CodeUnreadable: a success whose body is not what the API promises.
	CodeUnreadable = "UNREADABLE_ANSWER"
)

// Codes of Salesforce's that callers decide by.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
const (
	CodeDuplicateValue  = "DUPLICATE_VALUE"
	CodeEntityIsDeleted = "ENTITY_IS_DELETED"
	CodeInvalidField    = "INVALID_FIELD"
	CodeInvalidSession  = "INVALID_SESSION_ID"
	CodeInvalidType     = "INVALID_TYPE"
	CodeLockedRow       = "UNABLE_TO_LOCK_ROW"
	CodeNotFound        = "NOT_FOUND"
	CodeReadOnlyField   = "INVALID_FIELD_FOR_INSERT_UPDATE"
	CodeRequestLimit    = "REQUEST_LIMIT_EXCEEDED"
	CodeStorageLimit    = "STORAGE_LIMIT_EXCEEDED"
)

const (
	concurrentWait = 5 * time.Second
	dailyWait      = 15 * time.Minute
	storageWait    = 5 * time.Minute
)

// rule is what one error code means.
type rule struct {
	class fault.Class
	after time.Duration
	// lasting: another attempt within seconds is pointless.
	lasting bool
	hint    string
}

const (
	hintGrant    = "Give the integration user access to this object and its fields; twiliosf org diff shows what is missing of ours, twiliosf org deploy brings it."
	hintAPI      = "Use an edition with API access and give the integration user the permission API Enabled."
	hintVersion  = "Set salesforce.api_version to a version that this org still offers."
	hintQuery    = "This is a fault of the program; please report it with its code."
	hintNotBulk  = "The record is written by another API."
	hintStorage  = "The org's data storage is full: free or buy storage. New records wait, changes of existing ones go on."
	hintDaily    = "The org has used up its API calls of the last 24 hours: wait, find who uses them (Setup, System Overview) or buy more."
	hintInternal = "Salesforce failed inside; the call is made again later."
)

// rules are the error codes we know.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
var rules = map[string]rule{
	CodeInvalidSession:                        {class: fault.Auth},
	"LOGIN_OAUTH_INVALID_TOKEN":               {class: fault.Auth},
	CodeRequestLimit:                          {class: fault.Throttled, after: dailyWait, hint: hintDaily},
	CodeLockedRow:                             {class: fault.Transient, hint: "Other writers hold this record or its parent; the call is made again."},
	CodeDuplicateValue:                        {class: fault.Permanent, hint: "Another record holds this unique value, perhaps one that the integration user cannot see or that lies in the recycle bin."},
	"DUPLICATES_DETECTED":                     {class: fault.Permanent, hint: "A duplicate rule of the org blocks this record: exempt the integration user."},
	"REQUIRED_FIELD_MISSING":                  {class: fault.Permanent, hint: "The org requires a field that is not filled here: make it optional or give it a default."},
	"STRING_TOO_LONG":                         {class: fault.Permanent, hint: "The value is longer than the field: make the field longer."},
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": {class: fault.Permanent, hint: "The picklist is restricted: add the value or lift the restriction."},
	"FIELD_CUSTOM_VALIDATION_EXCEPTION":       {class: fault.Permanent, hint: "A validation rule of the org refuses this record: exempt the integration user."},
	"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":    {class: fault.Permanent, hint: "A trigger or Flow of the org failed on this record: see its debug log."},
	"FIELD_INTEGRITY_EXCEPTION":               {class: fault.Permanent, hint: "A field's value does not fit another's: see the named field."},
	"INVALID_CROSS_REFERENCE_KEY":             {class: fault.Permanent, hint: "A lookup names a record that does not exist (any more)."},
	"MALFORMED_ID":                            {class: fault.Permanent, hint: "A lookup holds something that is no record id."},
	CodeInvalidField:                          {class: fault.Auth, lasting: true, hint: hintGrant},
	CodeReadOnlyField:                         {class: fault.Auth, lasting: true, hint: "Give the integration user edit access to the named fields, or make them writable."},
	CodeInvalidType:                           {class: fault.Auth, lasting: true, hint: hintGrant},
	"MALFORMED_QUERY":                         {class: fault.Permanent, hint: hintQuery},
	"MALFORMED_SEARCH":                        {class: fault.Permanent, hint: hintQuery},
	"API_ERROR":                               {class: fault.Permanent, hint: hintQuery},
	"JSON_PARSER_ERROR":                       {class: fault.Permanent, hint: "Salesforce cannot read a value: see the named field."},
	"INVALID_QUERY_LOCATOR":                   {class: fault.Transient, lasting: true, hint: "The query's cursor has ended; the query starts anew."},
	"NUMBER_OUTSIDE_VALID_RANGE":              {class: fault.Permanent, hint: "A number is too large for its field."},
	"QUERY_TOO_COMPLICATED":                   {class: fault.Permanent, hint: "Use fewer formula fields or a simpler filter in this query."},
	"EXCEEDED_ID_LIMIT":                       {class: fault.Permanent, hint: hintQuery},
	"QUERY_TIMEOUT":                           {class: fault.Transient, after: time.Minute, lasting: true, hint: "The query takes longer than Salesforce allows: ask for an index on the fields it filters by."},
	"REQUEST_RUNNING_TOO_LONG":                {class: fault.Transient, after: time.Minute, lasting: true, hint: "Triggers and Flows of the org may be slow; the call is made again later."},
	"ENTITY_IS_LOCKED":                        {class: fault.Permanent, hint: "An approval process locks this record."},
	"ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE":  {class: fault.Permanent, hint: "The record has changed since it was read."},
	"INSUFFICIENT_ACCESS":                     {class: fault.Auth, lasting: true, hint: hintGrant},
	"INSUFFICIENT_ACCESS_OR_READONLY":         {class: fault.Auth, lasting: true, hint: hintGrant},
	"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": {class: fault.Auth, lasting: true,
		hint: "Give the integration user access to the record that this one refers to."},
	"INACTIVE_OWNER_OR_USER":            {class: fault.Permanent, hint: "The record's owner is inactive: transfer the record or activate the user."},
	"API_DISABLED_FOR_ORG":              {class: fault.Auth, lasting: true, hint: hintAPI},
	"API_CURRENTLY_DISABLED":            {class: fault.Auth, lasting: true, hint: hintAPI},
	CodeStorageLimit:                    {class: fault.Throttled, after: storageWait, hint: hintStorage},
	CodeEntityIsDeleted:                 {class: fault.Permanent, hint: "The record has been deleted in Salesforce."},
	CodeNotFound:                        {class: fault.Auth, lasting: true, hint: "The object, field or record does not exist or is hidden from the integration user: give the user access to it; what is ours, twiliosf org deploy brings."},
	"METHOD_NOT_ALLOWED":                {class: fault.Permanent, hint: hintQuery},
	"GONE":                              {class: fault.Auth, lasting: true, hint: hintVersion},
	"UNSUPPORTED_API_VERSION":           {class: fault.Auth, lasting: true, hint: hintVersion},
	"SERVER_UNAVAILABLE":                {class: fault.Transient, hint: "Salesforce is busy or under maintenance; the call is made again later."},
	"UNKNOWN_EXCEPTION":                 {class: fault.Transient, hint: hintInternal},
	"LIMIT_EXCEEDED":                    {class: fault.Throttled, after: time.Minute, hint: "A limit of the org is reached; the call is made again later."},
	"ALL_OR_NONE_OPERATION_ROLLED_BACK": {class: fault.Transient, hint: "Another record of the same call was refused."},
	"PROCESSING_HALTED":                 {class: fault.Transient, hint: "Another part of the same call was refused."},
	"BATCH_PROCESSING_HALTED":           {class: fault.Transient, hint: "Another part of the same call was refused."},
	CodeTimeout:                         {class: fault.Transient, lasting: true},
	CodeConnection:                      {class: fault.Transient},
	CodeUnreadable:                      {class: fault.Transient},
	CodeNotBulk:                         {class: fault.Permanent, hint: hintNotBulk},
}

// ruleFor finds what an error means: by its code, else by the status. The text
// is looked at where one code has two meanings; Salesforce gives nothing else
// to tell them apart.
func ruleFor(status int, e vendorError) rule {
	known, ok := rules[e.Code]
	switch {
	case e.Code == CodeRequestLimit && strings.Contains(e.Message, "Concurrent"):
		return rule{class: fault.Throttled, after: concurrentWait, hint: "Too many long calls at once; fewer are made for a while."}
	case e.Code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" && strings.Contains(e.Message, CodeLockedRow):
		return rules[CodeLockedRow]
	case e.Code == CodeInvalidField && strings.Contains(e.Message, "Foreign key external ID"):
		return rules["INVALID_CROSS_REFERENCE_KEY"]
	case ok:
		return known
	case strings.HasPrefix(e.Code, "TXN_SECURITY_"):
		return rule{class: fault.Permanent, hint: "A transaction security policy of the org blocks this: exempt the integration user."}
	case strings.HasPrefix(e.Code, "INSUFFICIENT_ACCESS"), strings.HasPrefix(e.Code, "API_DISABLED"):
		return rule{class: fault.Auth, lasting: true, hint: hintGrant}
	default:
		return ruleForStatus(status, e.Code != "")
	}
}

// ruleForStatus judges an answer by its status. api says that Salesforce's API
// gave it. What something else said (a proxy, the edge) is never taken as a
// verdict on the data.
func ruleForStatus(status int, api bool) rule {
	switch {
	case status == 401:
		return rule{class: fault.Auth, hint: "Salesforce does not accept the session."}
	case status == 420:
		return rule{class: fault.Transient, lasting: true, hint: "Salesforce has no route to this org: it may have moved, expired or been deleted."}
	case status == 429:
		return rule{class: fault.Throttled, after: concurrentWait, hint: "Salesforce asks for fewer calls."}
	case status == 408 || status == 425 || status >= 500:
		return rule{class: fault.Transient, hint: hintInternal}
	case status == 413 || status == 414 || status == 431:
		return rule{class: fault.Permanent, hint: hintQuery}
	case !api:
		return ruleForStranger(status)
	default:
		return rule{class: fault.Permanent}
	}
}

// ruleForStranger judges an answer that Salesforce's API did not give.
func ruleForStranger(status int) rule {
	switch status {
	case 403, 404, 407, 410:
		return rule{class: fault.Auth, hint: "Something that is not Salesforce's API refused the call: check salesforce.login_url, the org's state and any proxy."}
	default:
		return rule{class: fault.Transient, hint: "The answer does not come from Salesforce's API: check salesforce.login_url and any proxy."}
	}
}
