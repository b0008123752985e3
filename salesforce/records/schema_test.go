package records_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestAnOrgThatLacksWhatIsNeededIsNamedExactly(t *testing.T) {
	readOnly := func(f *salesforce.Field) { f.Updateable = false }
	for what, c := range map[string]struct {
		object salesforce.Object
		fields []string
		text   string
	}{
		"fields hidden":      {without(shipped(), "Body__c", "Status__c"), []string{"Body__c", "Status__c"}, "Body__c is missing or hidden; Status__c is missing or hidden"},
		"field read-only":    {change(shipped(), "To_Number__c", readOnly), []string{"To_Number__c"}, "read-only"},
		"key not unique":     {change(shipped(), "Message_SID__c", func(f *salesforce.Field) { f.Unique = false }), []string{"Message_SID__c"}, "external id and unique"},
		"key no external id": {change(shipped(), "Message_SID__c", func(f *salesforce.Field) { f.ExternalID = false }), []string{"Message_SID__c"}, "external id and unique"},
		"body is a number":   {change(shipped(), "Body__c", func(f *salesforce.Field) { f.Type = "double" }), []string{"Body__c"}, "type double"},
		"object read-only":   {func() salesforce.Object { o := shipped(); o.Createable = false; return o }(), []string{"TwilioSF_Message__c"}, "create and edit"},
	} {
		f := newFake()
		f.object = c.object
		s := newMessages(t, f)
		outcomes, err := s.Upsert(t.Context(), plain(numbered(3)))
		require.Nil(t, outcomes, what)
		require.Equal(t, fault.Auth, fault.ClassOf(err), what)
		require.Equal(t, records.CodeSchema, fault.CodeOf(err))
		require.Equal(t, c.fields, fault.Of(err).Fields, what)
		require.ErrorContains(t, err, c.text)
		require.Contains(t, fault.Hint(err), "twiliosf org deploy")
		require.Contains(t, fault.Hint(err), "give the integration user access")
		require.Empty(t, f.calls, "nothing is written")
		require.Error(t, s.Check(t.Context()))
	}
}

func TestAMissingObjectIsASchemaFault(t *testing.T) {
	f := newFake()
	f.describe = func() error { return refuse(fault.Auth, "NOT_FOUND") }
	_, err := newMessages(t, f).Upsert(t.Context(), plain(numbered(1)))
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, []string{"TwilioSF_Message__c"}, fault.Of(err).Fields)
}

func TestAnOrgThatIsPutRightIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.object = without(f.object, "Body__c")
		s := newMessages(t, f)
		for range 5 {
			_, err := s.Upsert(t.Context(), plain(numbered(1)))
			require.Equal(t, records.CodeSchema, fault.CodeOf(err))
			require.Positive(t, fault.After(err))
		}
		require.Equal(t, 1, f.describes, "the org is not asked again and again")
		f.object = shipped()
		time.Sleep(10 * time.Minute)
		_, err := s.Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)

		f.object = without(f.object, "Body__c")
		require.Error(t, s.Check(t.Context()), "a check looks at once")
		f.object = shipped()
		require.NoError(t, s.Check(t.Context()))
		_, err = s.Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)
	})
}

func TestOptionalFieldsAreLeftOutAndTakenUpLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.object = change(without(shipped(), "Price__c", "Their_Number__c"), "Num_Media__c", func(f *salesforce.Field) { f.Type = "boolean" })
		s := newMessages(t, f)
		m := numbered(1)
		_, err := s.Upsert(t.Context(), plain(m))
		require.NoError(t, err)
		require.Equal(t, []string{"Their_Number__c", "Num_Media__c", "Price__c"}, s.Missing())
		require.NotContains(t, f.rows[string(m[0].SID)], "Price__c")
		f.object = shipped()
		time.Sleep(59 * time.Minute)
		_, err = s.Upsert(t.Context(), plain(m))
		require.NoError(t, err)
		require.Equal(t, 1, f.describes)
		time.Sleep(time.Minute)
		_, err = s.Upsert(t.Context(), plain(m))
		require.NoError(t, err)
		require.Empty(t, s.Missing())
		require.Contains(t, f.rows[string(m[0].SID)], "Price__c")
	})
}

func TestAFieldThatDisappearsMeanwhileIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := newMessages(t, f)
		_, err := s.Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)
		f.object = without(shipped(), "Price__c")
		f.whole = func(batch []map[string]any) error {
			if _, sent := batch[0]["Price__c"]; sent {
				return refuse(fault.Auth, "INVALID_FIELD")
			}
			return nil
		}
		_, err = s.Upsert(t.Context(), plain(numbered(1)))
		require.Equal(t, "INVALID_FIELD", fault.CodeOf(err), "the whole batch waits, nothing is refused for good")
		time.Sleep(10 * time.Minute)
		_, err = s.Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)
		require.Equal(t, []string{"Price__c"}, s.Missing())
	})
}

func TestManyFirstWritersDescribeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.slow = time.Second
		s := newMessages(t, f)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { _, _ = s.Upsert(t.Context(), plain(numbered(1))) })
		}
		wg.Wait()
		require.Equal(t, 1, f.describes)
		require.Len(t, f.calls, 10)
	})
}

func TestADescribeThatFailsInPassingStopsNoWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := newMessages(t, f)
		f.describe = func() error { return refuse(fault.Transient, "SERVER_UNAVAILABLE") }
		_, err := s.Upsert(t.Context(), plain(numbered(1)))
		require.Equal(t, fault.Transient, fault.ClassOf(err), "without any plan there is nothing to write by")
		f.describe = nil
		_, err = s.Upsert(t.Context(), plain(numbered(1)))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		f.describe = func() error { return refuse(fault.Throttled, "BUDGET") }
		for range 5 {
			_, err = s.Upsert(t.Context(), plain(numbered(1)))
			require.NoError(t, err)
		}
		require.Equal(t, 3, f.describes)
	})
}
