package records_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

func sidOf(r map[string]any) string { s, _ := r["Message_SID__c"].(string); return s }

// contains is true when one of the records carries one of the SIDs.
func contains(batch []map[string]any, bad map[string]bool) bool {
	for _, r := range batch {
		if bad[sidOf(r)] {
			return true
		}
	}
	return false
}

func sids(batch []message.Message, at ...int) map[string]bool {
	set := map[string]bool{}
	for _, i := range at {
		set[string(batch[i].SID)] = true
	}
	return set
}

func TestOneRefusedRecordIsOneOutcome(t *testing.T) {
	f := newFake()
	batch := numbered(10)
	bad := sids(batch, 4)
	f.row = func(r map[string]any) *fault.Error {
		if bad[sidOf(r)] {
			return refuse(fault.Permanent, "STRING_TOO_LONG", "Body__c")
		}
		return nil
	}
	outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(batch))
	require.NoError(t, err)
	for i, o := range outcomes {
		if i != 4 {
			require.NoError(t, o)
		}
	}
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[4]))
	require.Contains(t, fault.Hint(outcomes[4]), "longer than Body__c of TwilioSF_Message__c")
	require.Len(t, f.calls, 1)
	require.Len(t, f.rows, 9)
}

func TestRecordsThatSpoilAWholeCallAreFoundAndTheOthersWritten(t *testing.T) {
	for _, at := range [][]int{{0}, {199}, {77}, {3, 150}, {0, 1, 199}} {
		f := newFake()
		batch := numbered(200)
		bad := sids(batch, at...)
		f.whole = func(b []map[string]any) error {
			if contains(b, bad) {
				return refuse(fault.Permanent, "JSON_PARSER_ERROR", "Price__c")
			}
			return nil
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(batch))
		require.NoError(t, err)
		require.Len(t, f.rows, 200-len(at))
		for i, o := range outcomes {
			if bad[string(batch[i].SID)] {
				require.Equal(t, "JSON_PARSER_ERROR", fault.CodeOf(o), i)
				require.Equal(t, fault.Permanent, fault.ClassOf(o))
			} else {
				require.NoError(t, o, i)
			}
		}
	}
}

func TestABatchThatIsSpoiltThroughoutCostsABoundedNumberOfCalls(t *testing.T) {
	f := newFake()
	f.whole = func([]map[string]any) error { return refuse(fault.Permanent, "NEVER_HEARD_OF") }
	outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(200)))
	require.NoError(t, err)
	require.LessOrEqual(t, len(f.calls), 41)
	final, waiting := 0, 0
	for _, o := range outcomes {
		switch fault.ClassOf(o) {
		case fault.Permanent:
			final++
		case fault.Transient:
			waiting++
		}
	}
	require.Positive(t, final)
	require.Equal(t, 200, final+waiting, "what was not reached waits")
}

func TestASpoiltSingleMessageIsItsOutcome(t *testing.T) {
	f := newFake()
	f.whole = func([]map[string]any) error { return refuse(fault.Permanent, "NEVER_HEARD_OF") }
	outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(1)))
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
}

func TestWhatIsWrongWithTheCallIsTheBatchsError(t *testing.T) {
	for _, e := range []*fault.Error{
		refuse(fault.Auth, "INSUFFICIENT_ACCESS"), refuse(fault.Auth, "INVALID_FIELD"), refuse(fault.Transient, "SERVER_UNAVAILABLE"),
		refuse(fault.Throttled, "BUDGET"), refuse(fault.Throttled, "STORAGE_LIMIT_EXCEEDED"), refuse(fault.Permanent, "METHOD_NOT_ALLOWED"),
	} {
		f := newFake()
		f.whole = func([]map[string]any) error { return e }
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(8)))
		require.Nil(t, outcomes)
		require.ErrorIs(t, err, e)
		require.Len(t, f.calls, 1)
	}
}

func TestALostRaceIsWonBySayingItAgain(t *testing.T) {
	for _, code := range []string{"DUPLICATE_VALUE", "ENTITY_IS_DELETED"} {
		f := newFake()
		batch := numbered(5)
		raced := sids(batch, 1, 3)
		f.row = func(r map[string]any) *fault.Error {
			if raced[sidOf(r)] {
				delete(raced, sidOf(r))
				return refuse(fault.Permanent, code)
			}
			return nil
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(batch))
		require.NoError(t, err)
		require.Equal(t, make([]error, 5), outcomes)
		require.Len(t, f.calls, 2)
		require.Len(t, f.calls[1], 2, "only those that lost")
		require.Len(t, f.rows, 5)
	}
}

func TestADuplicateThatStaysIsARefusal(t *testing.T) {
	f := newFake()
	f.row = func(map[string]any) *fault.Error { return refuse(fault.Permanent, "DUPLICATE_VALUE") }
	outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(1)))
	require.NoError(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.Contains(t, fault.Hint(outcomes[0]), "recycle bin")
	require.Len(t, f.calls, 2)
}

func TestARaceWhoseRepetitionFailsIsUndecided(t *testing.T) {
	for _, second := range []*fault.Error{refuse(fault.Permanent, "NEVER_HEARD_OF"), refuse(fault.Transient, "SERVER_UNAVAILABLE")} {
		f := newFake()
		f.whole = func([]map[string]any) error {
			if len(f.calls) == 2 {
				return second
			}
			return nil
		}
		f.row = func(r map[string]any) *fault.Error {
			if strings.HasSuffix(sidOf(r), "1") {
				return refuse(fault.Permanent, "DUPLICATE_VALUE")
			}
			return nil
		}
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(2)))
		require.NoError(t, err)
		require.NoError(t, outcomes[0])
		require.Equal(t, fault.Transient, fault.ClassOf(outcomes[1]))
	}
}

func TestEveryRefusalComesWithOurOwnWords(t *testing.T) {
	for code, part := range map[string]string{
		"REQUIRED_FIELD_MISSING": "requires X__c", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "picklist X__c",
		"FIELD_CUSTOM_VALIDATION_EXCEPTION": "validation rule on TwilioSF_Message__c", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "trigger or Flow",
		"FIELD_INTEGRITY_EXCEPTION": "X__c of TwilioSF_Message__c", "DUPLICATES_DETECTED": "duplicate rule", "ENTITY_IS_LOCKED": "approval",
		"INACTIVE_OWNER_OR_USER": "inactive", "STORAGE_LIMIT_EXCEEDED": "storage", "INVALID_FIELD_FOR_INSERT_UPDATE": "edit access to X__c",
		"NUMBER_OUTSIDE_VALID_RANGE": "digits", "INVALID_CROSS_REFERENCE_KEY": "does not exist", "UNABLE_TO_LOCK_ROW": "shortly",
		"NEVER_HEARD_OF": "the client's words",
	} {
		f := newFake()
		f.row = func(map[string]any) *fault.Error { return refuse(fault.Permanent, code, "X__c") }
		outcomes, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)
		hint := fault.Hint(outcomes[0])
		require.Contains(t, hint, part, code)
		require.NotContains(t, hint, "%!", fmt.Sprint("a malformed hint for ", code))
	}
}
