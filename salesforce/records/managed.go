package records

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Managed are the names of the managed package Twilio for Salesforce. What it has
// no field for is not used, and neither are the fields by which it sends: those are
// its own.
// https://www.twilio.com/docs/salesforce/faq
func Managed() Names {
	const ns = packagePrefix
	return Names{
		Object: ns + "Message__c", SID: ns + "Message_SID_Unique__c", SIDCopy: ns + "Message_SID__c",
		Body: ns + "Body__c", From: ns + "From_Number__c", To: ns + "To_Number__c", Direction: ns + "Direction__c", Status: ns + "Status__c",
		ErrorCode: ns + "Error_Code__c", Created: ns + "Date_Created__c", Sent: ns + "Date_Sent__c", Updated: ns + "Date_Updated__c",
		Service: ns + "Messaging_Service_Sid__c", Media: ns + "Number_of_Media__c", Unread: ns + "Unread__c",
		Contact: ns + "Contact__c", Lead: ns + "Lead__c", Account: ns + "Account__c", Parent: ns + "SF_Parent_Record_Id__c",
		Theirs: NoField, ErrorMessage: NoField, Segments: NoField, Price: NoField, PriceUnit: NoField, Case: NoField, Bulk: NoField,
		SendAt: NoField, MediaURL: NoField, ContentSID: NoField, ContentValues: NoField, RequestKey: NoField, RejectedSID: NoField,
		Fold: true,
	}
}

// packagePrefix is the package's namespace.
const packagePrefix = "TwilioSF__"

func ofPackage(object string) bool {
	return len(object) > len(packagePrefix) && strings.EqualFold(object[:len(packagePrefix)], packagePrefix)
}

// packageHint stands in place of schemaHint: nothing of the package's is ours to deploy.
const packageHint = "Give the integration user access to the package's object and its fields, to read and edit; where the org has another field for " +
	"the same, name it under salesforce.objects, beside preset: managed."

// nearest is the status that says most of another one without saying more than is
// true of the message's way: who looks for what is under way, has failed or has
// arrived finds it there.
var nearest = map[message.Status]message.Status{
	message.Scheduled: message.Accepted, message.Accepted: message.Queued, message.Canceled: message.Failed,
	message.Read: message.Delivered, message.PartiallyDelivered: message.Delivered,
}

const statusColumn = "Status__c"

// folding writes statuses as a picklist has them. What is near to none of its
// values is written as it is, for the org to judge.
func folding(f salesforce.Field) writer {
	has := func(s message.Status) bool {
		return slices.ContainsFunc(f.Picklist, func(v salesforce.PicklistValue) bool { return v.Active && v.Value == string(s) })
	}
	as := map[message.Status]message.Status{}
	for s := range nearest {
		for to := s; to != "" && f.Type == "picklist"; to = nearest[to] {
			if has(to) {
				as[s] = to
				break
			}
		}
	}
	return func(dst []byte, m *message.Message) []byte {
		if to, ok := as[m.Status]; ok {
			return appendText(dst, string(to))
		}
		return appendText(dst, string(m.Status))
	}
}

// orphans are records that have the SID in the copy alone and cannot be given their
// key: why, by SID.
type orphans struct {
	mu  sync.Mutex
	why map[message.SID]error
}

// take answers why a message may have no record of its own, once: whoever writes it
// again asks first, as mirror.Sink.Held does.
func (o *orphans) take(sid message.SID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.why[sid]
	delete(o.why, sid)
	return err
}

func (o *orphans) has(sid message.SID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.why[sid] != nil
}

func (o *orphans) note(sid message.SID, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.why == nil {
		o.why = map[message.SID]error{}
	}
	o.why[sid] = err
}

// adopt gives their key to records that somebody else has made with the SID in the
// copy alone, so that the upsert finds them and makes no second one. Of several with
// one SID it is the oldest that gets it. One that cannot have it is an orphan: its
// message is not written.
func (s *Messages) adopt(ctx context.Context, sids []message.SID, there map[message.SID]bool) error {
	p, err := s.planner.current(ctx)
	if err != nil || p.names[NoField] == "" {
		return err
	}
	lone, updates, err := s.lone(ctx, p, sids, there)
	if err != nil || len(updates) == 0 {
		return err
	}
	results, err := s.org.UpdateCollection(ctx, updates)
	if err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.Err == nil, r.Err.Code == salesforce.CodeDuplicateValue: // another record has got the key meanwhile
			there[lone[i]] = true
		case r.Err.Code == salesforce.CodeEntityIsDeleted:
		default:
			why := *r.Err
			why.Op, why.Hint = "salesforce adopt", hintFor(p.object, r.Err)
			s.orphans.note(lone[i], &why)
		}
	}
	return nil
}

// lone finds the records that have a SID in the copy alone, and makes the updates
// that give them their key.
func (s *Messages) lone(ctx context.Context, p *plan, sids []message.SID, there map[message.SID]bool) (lone []message.SID, updates [][]byte, err error) {
	wanted := make(map[string]message.SID, len(sids)) // Salesforce compares without case
	for _, sid := range sids {
		if !there[sid] {
			wanted[strings.ToLower(string(sid))] = sid
		}
	}
	if len(wanted) == 0 {
		return nil, nil, nil
	}
	copied, key := p.names[NoField], p.names[sidColumn]
	q := soql.Query{
		Fields: []string{"Id", copied}, From: p.object, OrderBy: []string{"CreatedDate", "Id"},
		Where: []string{soql.In(copied, slices.Collect(maps.Values(wanted))), key + " = null"},
	}
	err = s.each(ctx, q, func(record map[string]any) {
		folded := strings.ToLower(textOf(record, copied))
		if sid, ok := wanted[folded]; ok {
			delete(wanted, folded)
			update := appendField([]byte(`{"attributes":{"type":"`+p.object+`"}`), "id", textOf(record, "Id"))
			lone, updates = append(lone, sid), append(updates, append(appendField(update, key, string(sid)), '}'))
		}
	})
	return lone, updates, err
}
