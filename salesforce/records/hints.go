package records

import (
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// hints are what to do about a refused record, by Salesforce's code.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
var hints = map[string]string{
	"REQUIRED_FIELD_MISSING":                        "{object} requires {fields}, which messages do not fill: make it optional or give it a default, then retry the record.",
	"STRING_TOO_LONG":                               "The message's value is longer than {fields} of {object}: make the field longer, then retry the record.",
	"NUMBER_OUTSIDE_VALID_RANGE":                    "The message's value is too large for {fields} of {object}: give the field more digits, then retry the record.",
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":       "The picklist {fields} of {object} lacks the message's value: lift its restriction or add the value, then retry the record.",
	"FIELD_CUSTOM_VALIDATION_EXCEPTION":             "A validation rule on {object} refuses the record: let the rule pass the integration user, then retry the record.",
	"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":          "A trigger or Flow on {object} fails for this record: see its debug log, mend it, then retry the record.",
	"FIELD_INTEGRITY_EXCEPTION":                     "{fields} of {object} does not accept the message's value: look at what the field depends on, then retry the record.",
	"INVALID_CROSS_REFERENCE_KEY":                   "{fields} of {object} refers to a record that does not exist: look at automation that fills it, then retry the record.",
	"MALFORMED_ID":                                  "{fields} of {object} got something that is no record id: look at automation that fills it, then retry the record.",
	"DUPLICATE_VALUE":                               "Another record of {object} holds the same unique value, out of the integration user's sight or in the recycle bin: give it View All on {object}, or delete that record, then retry.",
	"DUPLICATES_DETECTED":                           "A duplicate rule on {object} blocks the record: let the rule pass the integration user, then retry the record.",
	"ENTITY_IS_LOCKED":                              "An approval process locks the record of {object}: unlock it, then retry the record.",
	"ENTITY_IS_DELETED":                             "The record of {object} was deleted while it was written; retry it to make it anew.",
	"INACTIVE_OWNER_OR_USER":                        "The record's owner is inactive: transfer records of {object} to an active user, then retry the record.",
	"INVALID_FIELD_FOR_INSERT_UPDATE":               "Give the integration user edit access to {fields} of {object}.",
	"INVALID_FIELD":                                 "Give the integration user access to {fields} of {object}, or run twiliosf org deploy, which brings what is missing.",
	"INSUFFICIENT_ACCESS_OR_READONLY":               "Give the integration user edit access to records of {object}: sharing, or Modify All on the object.",
	"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Give the integration user access to the record that {object} refers to.",
	"JSON_PARSER_ERROR":                             "{fields} of {object} has a type that cannot hold the message's value: change the field's type, then retry the record.",
	"STORAGE_LIMIT_EXCEEDED":                        "The org's data storage is full: free or buy storage. The record waits and is written then.",
	"UNABLE_TO_LOCK_ROW":                            "Other writers hold the record or its parent; it is written again shortly.",
}

// hintFor puts a refusal in our words; without any, what the org client said.
func hintFor(object string, f *fault.Error) string {
	form, ok := hints[f.Code]
	if !ok {
		return f.Hint
	}
	if f.Code == salesforce.CodeInvalidField && ofPackage(object) {
		form = hints["INVALID_FIELD_FOR_INSERT_UPDATE"] // nothing is to be deployed there
	}
	fields := "a field"
	if len(f.Fields) > 0 {
		fields = strings.Join(f.Fields, ", ")
	}
	hint := strings.NewReplacer("{object}", object, "{fields}", fields).Replace(form)
	return strings.ToUpper(hint[:1]) + hint[1:]
}
