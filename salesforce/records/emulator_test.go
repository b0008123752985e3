package records_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const object = "TwilioSF_Message__c"

// emulated is an org with the shipped metadata, and the messages' writer on it.
func emulated(t *testing.T, change ...func(*salesforcetest.Options)) (*salesforcetest.Server, *records.Messages) {
	t.Helper()
	o := salesforcetest.Options{Schema: metadata.FS}
	for _, c := range change {
		c(&o)
	}
	server := salesforcetest.NewServer(o)
	return server, newMessages(t, orgOf(t, server))
}

// orgOf logs in to an emulated org.
func orgOf(t *testing.T, server *salesforcetest.Server) *salesforce.Org {
	t.Helper()
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(t, err)
	return org
}

// stored is the one record of a message.
func stored(t *testing.T, s *salesforcetest.Server, sid message.SID) map[string]any {
	t.Helper()
	rows := s.ByKey(object, "Message_SID__c", string(sid))
	require.Len(t, rows, 1, "one message is one record")
	return rows[0]
}

func requireAll(t *testing.T, outcomes []error, err error) {
	t.Helper()
	require.NoError(t, err)
	for i, o := range outcomes {
		require.NoError(t, o, i)
	}
}

func TestTheShippedObjectTakesEveryFieldOfAMessage(t *testing.T) {
	s, w := emulated(t)
	require.NoError(t, w.Check(t.Context()))
	require.Empty(t, w.Missing())
	m := whole()
	outcomes, err := w.Upsert(t.Context(), plain([]message.Message{m}))
	requireAll(t, outcomes, err)
	row := stored(t, s, m.SID)
	for name, want := range map[string]any{
		"Body__c": m.Body, "From_Number__c": string(m.From), "To_Number__c": string(m.To), "Their_Number__c": string(m.From),
		"Direction__c": "inbound", "Status__c": "received", "Error_Message__c": m.ErrorMessage, "Error_Code__c": "30003",
		"Messaging_Service_Sid__c": m.ServiceSID, "Price_Unit__c": "USD",
	} {
		require.Equal(t, want, row[name], name)
	}
	for name, want := range map[string]string{"Num_Segments__c": "2", "Num_Media__c": "1", "Price__c": "-0.0075"} {
		require.InDelta(t, 0, difference(t, row[name], want), 1e-9, name)
	}
	for name, want := range map[string]time.Time{"Date_Created__c": m.Created, "Date_Sent__c": m.Sent, "Date_Updated__c": m.Updated} {
		got, isTime := row[name].(time.Time)
		require.True(t, isTime && want.Equal(got), name)
	}
}

// difference compares a stored number, whatever type it has, with a decimal.
func difference(t *testing.T, got any, want string) float64 {
	t.Helper()
	var a, b float64
	_, err := fmt.Sscan(fmt.Sprint(got), &a)
	require.NoError(t, err)
	_, err = fmt.Sscan(want, &b)
	require.NoError(t, err)
	return a - b
}

func TestRepeatingABatchChangesNothing(t *testing.T) {
	s, w := emulated(t)
	batch := numbered(200)
	for range 3 {
		outcomes, err := w.Upsert(t.Context(), plain(batch))
		requireAll(t, outcomes, err)
	}
	require.Equal(t, 200, s.Count(object))
	require.Equal(t, 3, s.Calls().ByOperation[salesforcetest.OpCollectionsUpsert])
	require.Equal(t, 1, s.Calls().ByOperation[salesforcetest.OpDescribe])

	batch[7].Status, batch[7].Body = message.Undelivered, ""
	outcomes, err := w.Upsert(t.Context(), plain(batch[7:8]))
	requireAll(t, outcomes, err)
	row := stored(t, s, batch[7].SID)
	require.Equal(t, "undelivered", row["Status__c"])
	require.Nil(t, row["Body__c"], "a redacted body is cleared")
}

func TestAnyTextIsStoredAsNormaliseSays(t *testing.T) {
	s, w := emulated(t)
	bodies := []string{
		"", " ", "\n both ends \t", "nul\x00\x00", "\x00", "broken\xff\xc3", "line\u2028break\u2029", "\"quotes\" 'and' \\ back\\slashes\\",
		"\u202eright to left", strings.Repeat("😀", 800), strings.Repeat("é", 1600), "a\r\nb\rc\nd", "{\"json\":[1]}", "@{ref.id}", "\x7f\x1bESC",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		raw := make([]byte, random.IntN(60))
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		bodies = append(bodies, string(raw))
	}
	for from := 0; from < len(bodies); from += 100 {
		batch := numbered(min(100, len(bodies)-from))
		for i := range batch {
			batch[i].Body = bodies[from+i]
		}
		outcomes, err := w.Upsert(t.Context(), plain(batch))
		requireAll(t, outcomes, err)
		for i := range batch {
			want, _ := records.Normalise(bodies[from+i])
			got, _ := stored(t, s, batch[i].SID)["Body__c"].(string)
			require.Equal(t, want, got, "%q", bodies[from+i])
		}
	}
}

func TestARecordThatTheOrgRefusesStopsNoOther(t *testing.T) {
	s, w := emulated(t)
	batch := numbered(50)
	batch[20].Body = strings.Repeat("x", 40_000)
	s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Body__c"] == "hello 30" {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "No 'hello 30' today"}
		}
		return nil
	}).Forever())
	outcomes, err := w.Upsert(t.Context(), plain(batch))
	require.NoError(t, err)
	require.Equal(t, 48, s.Count(object))
	for i, code := range map[int]string{20: "STRING_TOO_LONG", 30: "FIELD_CUSTOM_VALIDATION_EXCEPTION"} {
		require.Equal(t, code, fault.CodeOf(outcomes[i]))
		require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[i]))
		require.NotEmpty(t, fault.Hint(outcomes[i]))
		require.NotContains(t, outcomes[i].Error(), "hello")
		require.NotContains(t, outcomes[i].Error(), "xxxx")
	}
}

func TestAnOrgWithoutTheObjectOrAField(t *testing.T) {
	s, w := emulated(t)
	require.NoError(t, s.HideField(object, "Body__c", true))
	require.NoError(t, s.ReadOnlyField(object, "Status__c", true))
	_, err := w.Upsert(t.Context(), plain(numbered(2)))
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, []string{"Body__c", "Status__c"}, fault.Of(err).Fields)

	_, bare := emulated(t, func(o *salesforcetest.Options) { o.Schema = nil })
	_, err = bare.Upsert(t.Context(), plain(numbered(2)))
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, []string{object}, fault.Of(err).Fields)

	s, w = emulated(t)
	require.NoError(t, s.HideField(object, "Price__c", true))
	outcomes, err := w.Upsert(t.Context(), plain(numbered(2)))
	requireAll(t, outcomes, err)
	require.Equal(t, []string{"Price__c"}, w.Missing())
}

func TestFullStorageIsNoRefusal(t *testing.T) {
	s, w := emulated(t, func(o *salesforcetest.Options) { o.StorageMB = 1 })
	for i := range 100 {
		batch := numbered(200)
		for j := range batch {
			batch[j].SID = message.SID(fmt.Sprintf("SM%032x", i*200+j))
		}
		outcomes, err := w.Upsert(t.Context(), plain(batch))
		full := err
		for _, o := range outcomes {
			if o != nil {
				full = o
			}
		}
		if full == nil {
			continue
		}
		require.Equal(t, fault.Throttled, fault.ClassOf(full))
		require.Equal(t, salesforce.CodeStorageLimit, fault.CodeOf(full))
		require.Positive(t, fault.After(full))
		first := numbered(1)
		first[0].Status = message.Undelivered
		outcomes, err = w.Upsert(t.Context(), plain(first))
		requireAll(t, outcomes, err)
		require.Equal(t, "undelivered", stored(t, s, first[0].SID)["Status__c"], "changes go on")
		return
	}
	t.Fatal("the storage never filled")
}

// Under trouble of every kind, repeating what is not settled ends with one true
// record a message.
func TestWhateverHappensRepeatingEndsWithOneRecordAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := emulated(t, func(o *salesforcetest.Options) { o.Seed = 7 })
		for _, trouble := range []salesforcetest.Fault{
			salesforcetest.ResetBefore(), salesforcetest.ResetAfter(), salesforcetest.TruncatedJSON(), salesforcetest.MaintenancePage(),
			salesforcetest.Garbage(), salesforcetest.ConcurrentLimit(), salesforcetest.Lock(), salesforcetest.RevokedSessions(),
			salesforcetest.LockRows(func(r map[string]any) bool { return strings.HasSuffix(fmt.Sprint(r["Message_SID__c"]), "3") }),
			salesforcetest.Latency(30 * time.Second),
		} {
			s.Chance(0.08, trouble)
		}
		waiting := numbered(1000)
		for rounds := 0; len(waiting) > 0; rounds++ {
			require.Less(t, rounds, 500)
			batch := waiting[:min(200, len(waiting))]
			waiting = append(waiting[len(batch):len(waiting):len(waiting)], unsettled(t, w, batch)...)
			time.Sleep(time.Second)
		}
		s.ClearFaults()
		require.Equal(t, 1000, s.Count(object))
		for _, m := range numbered(1000) {
			require.Equal(t, m.Body, stored(t, s, m.SID)["Body__c"])
		}
	})
}

// unsettled writes a batch and gives what is to be written again.
func unsettled(t *testing.T, w *records.Messages, batch []message.Message) []message.Message {
	t.Helper()
	outcomes, err := w.Upsert(context.WithoutCancel(t.Context()), plain(batch))
	if err != nil {
		require.NotEqual(t, fault.Permanent, fault.ClassOf(err), "%v", err)
		return batch
	}
	var again []message.Message
	for i, o := range outcomes {
		if o != nil {
			require.NotEqual(t, fault.Permanent, fault.ClassOf(o), "%v", o)
			again = append(again, batch[i])
		}
	}
	return again
}

func TestAStopEndsAWriteAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := emulated(t)
		require.NoError(t, w.Check(t.Context()))
		s.Script(salesforcetest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := w.Upsert(ctx, plain(numbered(3)))
		require.True(t, fault.Stopped(ctx, err))
		require.Equal(t, time.Second, time.Since(began))
	})
}

func BenchmarkUpsert(b *testing.B) {
	server := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport, DailyShare: 1,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(b, err)
	w, err := records.New(org, records.Options{})
	require.NoError(b, err)
	batch := numbered(200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Upsert(b.Context(), plain(batch)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch)), "ns/message")
}
