package records_test

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const (
	contactID = "003000000000001AAA"
	leadID    = "00Q000000000001AAA"
	houseID   = "a01000000000001AAA"
	ownerID   = "005000000000001AAA"
)

// newRecord is an inbound message whose record is to be made.
func newRecord() mirror.Record {
	m := numbered(1)[0]
	m.Direction = message.Inbound
	return mirror.Record{Message: &m, Links: &message.Links{
		People: []message.Link{{Object: "Contact", ID: contactID}, {Object: "House__c", ID: houseID}}, Owner: ownerID,
	}}
}

func TestOnlyANewRecordIsGivenWhatUsersOwn(t *testing.T) {
	f := newFake()
	s := newMessages(t, f)
	old := newRecord()
	old.Message.SID, old.Links = "SM1", nil
	outgoing := newRecord()
	outgoing.Message.SID, outgoing.Message.Direction = "SM2", message.OutboundAPI
	outcomes, err := s.Upsert(t.Context(), []mirror.Record{newRecord(), old, outgoing})
	requireAll(t, outcomes, err)
	made := f.rows[string(newRecord().Message.SID)]
	require.Equal(t, true, made["Unread__c"])
	require.Equal(t, ownerID, made["OwnerId"])
	require.Equal(t, contactID, made["Contact__c"])
	require.Equal(t, houseID, made["Parent_Record_Id__c"], "an object without a lookup of its own goes to the parent's field")
	for _, name := range []string{"Unread__c", "OwnerId", "Contact__c", "Lead__c", "Parent_Record_Id__c"} {
		require.NotContains(t, f.rows["SM1"], name)
	}
	require.NotContains(t, f.rows["SM2"], "Unread__c", "what we have written ourselves is not unread")
	require.Equal(t, contactID, f.rows["SM2"]["Contact__c"])
}

func TestOnlyANewRecordIsLinkedToItsBulkMessage(t *testing.T) {
	s, w := emulated(t)
	bulk := insert(t, s, "TwilioSF_Bulk_Message__c", map[string]any{"Status__c": "Sending"})
	contact := insert(t, s, "Contact", map[string]any{"LastName": "Doe"})
	batch := plain(numbered(2))
	for i := range batch {
		batch[i].Bulk = bulk
	}
	batch[0].Links = &message.Links{People: []message.Link{{Object: "Contact", ID: contact}}}
	outcomes, err := w.Upsert(t.Context(), batch)
	requireAll(t, outcomes, err)
	require.Equal(t, bulk, stored(t, s, batch[0].Message.SID)["Bulk_Message__c"])
	require.Equal(t, contact, stored(t, s, batch[0].Message.SID)["Contact__c"])
	require.Nil(t, stored(t, s, batch[1].Message.SID)["Bulk_Message__c"], "it may have been there, and is its user's")
}

func TestABulkMessageThatIsDeletedMeanwhileCostsNoOtherLink(t *testing.T) {
	for _, alone := range []bool{true, false} {
		s, w := emulated(t)
		bulk := insert(t, s, "TwilioSF_Bulk_Message__c", map[string]any{"Status__c": "Sending"})
		contact := insert(t, s, "Contact", map[string]any{"LastName": "Doe"})
		require.NoError(t, s.Delete("TwilioSF_Bulk_Message__c", bulk))
		r := plain(numbered(1))
		r[0].Bulk, r[0].Links = bulk, &message.Links{}
		if !alone {
			r[0].Links.People = []message.Link{{Object: "Contact", ID: contact}}
		}
		outcomes, err := w.Upsert(t.Context(), r)
		requireAll(t, outcomes, err)
		row := stored(t, s, r[0].Message.SID)
		require.Nil(t, row["Bulk_Message__c"])
		require.Equal(t, alone, row["Contact__c"] == nil)
		require.Equal(t, bulk, r[0].Bulk, "the caller's record is the caller's")
	}
}

func TestAnObjectWithALookupOfItsOwn(t *testing.T) {
	f := newFake()
	f.object.Fields = append(f.object.Fields, field("House__c", "reference"))
	s, err := records.New(f, records.Options{Lookups: map[string]string{"House__c": "House__c"}})
	require.NoError(t, err)
	outcomes, err := s.Upsert(t.Context(), []mirror.Record{newRecord()})
	requireAll(t, outcomes, err)
	made := f.rows[string(newRecord().Message.SID)]
	require.Equal(t, houseID, made["House__c"])
	require.NotContains(t, made, "Parent_Record_Id__c")
}

func TestALookupThatTheOrgLacksHoldsUpNoMessage(t *testing.T) {
	f := newFake()
	f.object = without(f.object, "Contact__c", "Unread__c")
	s := newMessages(t, f)
	outcomes, err := s.Upsert(t.Context(), []mirror.Record{newRecord()})
	requireAll(t, outcomes, err)
	require.Equal(t, []string{"Unread__c", "Contact__c"}, s.Missing())
	require.Equal(t, contactID, f.rows[string(newRecord().Message.SID)]["Parent_Record_Id__c"])
}

// A message is never held up by who it belongs to.
func TestAnOwnerOrALinkThatTheOrgRefusesIsLeftOut(t *testing.T) {
	inactive := func(r map[string]any) *fault.Error {
		if r["OwnerId"] != nil {
			return refuse(fault.Permanent, "INACTIVE_OWNER_OR_USER")
		}
		return nil
	}
	deleted := func(r map[string]any) *fault.Error {
		if r["Contact__c"] != nil {
			return refuse(fault.Permanent, "INVALID_CROSS_REFERENCE_KEY", "Contact__c")
		}
		return nil
	}
	both := func(r map[string]any) *fault.Error { return cmp.Or(inactive(r), deleted(r)) }
	for _, c := range []struct {
		name           string
		row            func(map[string]any) *fault.Error
		owner, contact any
		calls          int
		heard          []string
	}{
		{"the owner is inactive", inactive, nil, contactID, 2, []string{"INACTIVE_OWNER_OR_USER"}},
		{"the contact was deleted a moment ago", deleted, nil, nil, 2, []string{"INVALID_CROSS_REFERENCE_KEY"}},
		{"both", both, nil, nil, 3, []string{"INACTIVE_OWNER_OR_USER", "INVALID_CROSS_REFERENCE_KEY"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			f.row = c.row
			var heard []string
			s, err := records.New(f, records.Options{Unlinked: func(f *fault.Error) { heard = append(heard, f.Code) }})
			require.NoError(t, err)
			other := newRecord()
			other.Message.SID, other.Links = "SM1", nil
			outcomes, err := s.Upsert(t.Context(), []mirror.Record{other, newRecord()})
			requireAll(t, outcomes, err)
			made := f.rows[string(newRecord().Message.SID)]
			require.Equal(t, c.owner, made["OwnerId"])
			require.Equal(t, c.contact, made["Contact__c"])
			require.Equal(t, true, made["Unread__c"])
			require.Len(t, f.calls, c.calls)
			require.Len(t, f.calls[1], 1, "the other record is not written again")
			require.Equal(t, c.heard, heard)
		})
	}
	t.Run("a refusal that has other reasons stays one", func(t *testing.T) {
		f := newFake()
		f.row = func(map[string]any) *fault.Error {
			return refuse(fault.Permanent, "REQUIRED_FIELD_MISSING", "Color__c")
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), []mirror.Record{newRecord()})
		require.NoError(t, err)
		require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
		require.Len(t, f.calls, 2)
	})
	t.Run("a link that spoils the whole call", func(t *testing.T) {
		f := newFake()
		f.whole = func(batch []map[string]any) error {
			for _, r := range batch {
				if r["Contact__c"] != nil {
					return refuse(fault.Permanent, "MALFORMED_ID")
				}
			}
			return nil
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), []mirror.Record{newRecord()})
		requireAll(t, outcomes, err)
	})
}

// Whoever hears that links are left out believes that the message has arrived.
func TestAMessageThatIsRefusedAnywayIsNoComplaintAboutItsLinks(t *testing.T) {
	f := newFake()
	f.row = func(map[string]any) *fault.Error {
		return refuse(fault.Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
	}
	var heard []string
	s, err := records.New(f, records.Options{Unlinked: func(f *fault.Error) { heard = append(heard, f.Code) }})
	require.NoError(t, err)
	outcomes, err := s.Upsert(t.Context(), []mirror.Record{newRecord()})
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.Empty(t, heard)
}

// Somebody else has made the record a moment ago: what they gave it is theirs.
func TestARecordThatWasInTheWayKeepsWhatUsersOwn(t *testing.T) {
	f := newFake()
	raced := false
	f.row = func(map[string]any) *fault.Error {
		if raced {
			return nil
		}
		raced = true
		return refuse(fault.Permanent, "DUPLICATE_VALUE")
	}
	outcomes, err := newMessages(t, f).Upsert(t.Context(), []mirror.Record{newRecord()})
	requireAll(t, outcomes, err)
	row := f.rows[string(newRecord().Message.SID)]
	require.NotContains(t, row, "OwnerId")
	require.NotContains(t, row, "Unread__c")
	require.NotContains(t, row, "Contact__c")
}

// Sharing hides a person's record, or forbids to give a record to its owner.
func TestALinkThatTheIntegrationUserMayNotSeeHoldsUpNoMessage(t *testing.T) {
	for _, code := range []string{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INSUFFICIENT_ACCESS_OR_READONLY"} {
		f := newFake()
		f.row = func(r map[string]any) *fault.Error {
			if r["Contact__c"] != nil {
				return refuse(fault.Auth, code)
			}
			return nil
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), []mirror.Record{newRecord()})
		requireAll(t, outcomes, err)
		require.Equal(t, true, f.rows[string(newRecord().Message.SID)]["Unread__c"])
	}
}

// Salesforce's own comparison knows no case, and answers as the record has it.
func TestARecordIsHeldWhateverTheCaseOfItsSID(t *testing.T) {
	f := newFake()
	f.rows["SMABCDEF"] = nil
	there, err := newMessages(t, f).Held(t.Context(), []message.SID{"SMabcdef"})
	require.NoError(t, err)
	require.True(t, there["SMabcdef"])
}
