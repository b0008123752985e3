package records

import (
	"context"
	"slices"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
)

// WhoIs answers whose number it is, nil when it is nobody's or of several. An
// error says that it is not known yet.
type WhoIs func(ctx context.Context, number message.Number) (*message.Link, error)

// OptIns writes what the register of consent says, each row by its unique key.
type OptIns struct {
	org Upserter
	who WhoIs
}

// Upserter writes records by a key; *salesforce.Org is one.
type Upserter interface {
	UpsertCollection(ctx context.Context, object, keyField string, records [][]byte) ([]salesforce.RowResult, error)
}

var _ followup.Doer = (*OptIns)(nil)

// NewOptIns calls nobody.
func NewOptIns(org Upserter, who WhoIs) *OptIns { return &OptIns{org: org, who: who} }

// What an opt-in's record is written with. A look-up that the org refuses is left
// out, the person's before the keyword's: that the number has opted out must be
// seen there all the same.
const (
	withAll = iota
	withoutPerson
	withoutLookups
)

// Do implements followup.Doer.
func (o *OptIns) Do(ctx context.Context, batch []message.FollowUp) ([]error, error) {
	people := make([]*message.Link, len(batch))
	todo := make([]int, len(batch))
	for i := range batch {
		todo[i] = i
		if people[i] = batch[i].OptIn.Person; people[i] == nil {
			// Whom it belongs to can wait; what was said cannot.
			people[i], _ = o.who(ctx, batch[i].OptIn.Number) //nolint:errcheck // see above
		}
	}
	outcomes := make([]error, len(batch))
	for with := withAll; with <= withoutLookups && len(todo) > 0; with++ {
		rows := make([][]byte, len(todo))
		for i, at := range todo {
			rows[i] = appendOptIn(nil, batch[at].OptIn, people[at], with)
		}
		results, err := o.org.UpsertCollection(ctx, optInObject, optInKey, rows)
		if err != nil {
			return nil, lacking(err, optInHint)
		}
		for i, at := range todo {
			if outcomes[at] = nil; results[i].Err != nil {
				outcomes[at] = lacking(results[i].Err, optInHint)
			}
		}
		todo = slices.DeleteFunc(todo, func(at int) bool {
			return !refusedLookup(outcomes[at]) || people[at] == nil && batch[at].OptIn.Keyword == ""
		})
	}
	for i, err := range outcomes {
		if f := fault.Of(err); f != nil && raced(f) {
			outcomes[i] = fault.New(fault.Transient, f.Op, f) // another writer was there first; next time it is found
		}
	}
	return outcomes, nil
}

// refusedLookup is true for refusals that a look-up may be the cause of.
func refusedLookup(err error) bool {
	class := fault.ClassOf(err)
	return class == fault.Permanent || class == fault.Auth
}

func appendOptIn(dst []byte, o *message.OptIn, person *message.Link, with int) []byte {
	dst = append(dst, `{"attributes":{"type":"`+optInObject+`"},"`+optInKey+`":`...)
	dst = appendText(dst, o.Key)
	dst = appendText(append(dst, `,"Phone_Number__c":`...), string(o.Number))
	dst = append(dst, `,"Active__c":`...)
	if o.Active {
		dst = append(dst, "true"...)
	} else {
		dst = append(dst, "false"...)
	}
	dst = appendInstant(append(dst, `,"Opt_In_At__c":`...), o.InAt, datetimeForm)
	dst = appendInstant(append(dst, `,"Opt_Out_At__c":`...), o.OutAt, datetimeForm)
	dst = appendText(append(dst, `,"Message_SID__c":`...), string(o.Message))
	if o.Keyword != "" && with < withoutLookups {
		dst = appendText(append(dst, `,"Keyword__c":`...), o.Keyword)
	}
	if name := personField(person, "__c"); name != "" && with < withoutPerson {
		dst = appendText(append(dst, `,"`+name+`":`...), person.ID)
	}
	return append(dst, '}')
}

// personField is the look-up to a Contact or a Lead, "" for all others.
func personField(person *message.Link, suffix string) string {
	if person == nil || person.Object != "Contact" && person.Object != "Lead" {
		return ""
	}
	return person.Object + suffix
}

// lacking makes a refusal for want of an object, a field or a right one that waits
// for an operator, with our words on what to do: messages need none of these.
func lacking(err error, hint string) error {
	f := fault.Of(err)
	if f == nil || f.Class != fault.Auth {
		return err
	}
	with := *f
	switch f.Code {
	case salesforce.CodeInvalidType, salesforce.CodeNotFound:
		if hint == optInHint {
			with.Condition = CondLeftOut // the poll has found it missing too, and tells
		}
	case salesforce.CodeInvalidField, salesforce.CodeReadOnlyField, "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY":
	default:
		return err // the session, or something else that concerns everything
	}
	with.Code, with.After, with.Hint = CodeSchema, describeAfterFault, hint
	return &with
}

const optInHint = "Run twiliosf org deploy, or give the integration user access to " +
	optInObject + " and " + keywordObject + " and all their fields. What people say is kept meanwhile and written then; messages go on."
