package sandbox_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

var noon = time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)

// fill gives the account one message of every kind that is hard to carry.
func fill(s *sandbox.Sandbox) []string {
	const ours, theirs = "+14155550100", "+13105550142"
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }
	return s.Twilio.Seed(
		twiliotest.Row{From: theirs, To: ours, Body: "Hello", Created: at(1), Sent: at(1), Price: "-0.00750"},
		twiliotest.Row{From: ours, To: theirs, Body: "  blanks \n at both ends\t ", Direction: "outbound-api", Created: at(2), Sent: at(2)},
		twiliotest.Row{From: ours, To: theirs, Body: " \n ", Direction: "outbound-api", Created: at(3), Sent: at(3)},
		twiliotest.Row{From: theirs, To: ours, Body: "NUL \x00 inside, \x00", Created: at(4), Sent: at(4)},
		twiliotest.Row{From: theirs, To: ours, Body: strings.Repeat("👩‍🚀", 320), Created: at(5), Sent: at(5)},
		twiliotest.Row{From: theirs, To: ours, Body: "\"quotes\" \\ and <tags> שלום \u200fx", Created: at(6), Sent: at(6).Add(900 * time.Millisecond)},
		twiliotest.Row{From: "whatsapp:" + theirs, To: "whatsapp:" + ours, Body: "hi", Created: at(7), Sent: at(7), Media: []twiliotest.Media{{}, {}}},
		twiliotest.Row{To: theirs, ServiceSID: twiliotest.DefaultServiceSID, Body: "no sender yet", Direction: "outbound-api", Status: "accepted", Created: at(8), Segments: -1},
		twiliotest.Row{From: ours, To: theirs, Body: "not delivered", Direction: "outbound-api", Status: "undelivered", ErrorCode: 30005, Created: at(9), Sent: at(9)},
		twiliotest.Row{From: ours, To: theirs, Body: "a long story", Direction: "outbound-reply", Status: "failed", ErrorCode: 30008, ErrorMessage: strings.Repeat("é🙂 ", 120), Created: at(10)},
	)
}

// filled is a sandbox whose org holds what its account does.
func filled(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, []string) {
	t.Helper()
	s := newSandbox(t, o)
	sids := fill(s)
	account, sink := clients(t, s, s.TwilioTransport(), s.OrgTransport())
	carry(t, account, sink)
	require.Equal(t, sandbox.Comparison{Messages: len(sids), Records: len(sids)}, sandbox.Compare(s.Twilio, s.Org))
	return s, sids
}

// filledCarelessly is the same in an org that lets two records have one SID.
func filledCarelessly(t *testing.T) (*sandbox.Sandbox, []string) {
	t.Helper()
	good, sids := filled(t, sandbox.Options{})
	s := newSandbox(t, sandbox.Options{Org: salesforcetest.Options{Schema: withoutUniqueness(t)}})
	require.Equal(t, sids, fill(s))
	for row := range good.Org.Rows(sandbox.MessageObject) {
		maps.DeleteFunc(row, func(field string, _ any) bool { return !strings.HasSuffix(field, "__c") })
		_, err := s.Org.Insert(sandbox.MessageObject, row)
		require.NoError(t, err)
	}
	return s, sids
}

func TestAServiceThatTheAccountMadeUpIsNoDefect(t *testing.T) {
	s, sids := filled(t, sandbox.Options{Twilio: twiliotest.Options{Switches: twiliotest.Switches{DefaultService: true}}})
	row := s.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sids[1])[0]
	require.Regexp(t, `^MGf{32}$`, row["Messaging_Service_Sid__c"])
}

func recordOf(t *testing.T, s *sandbox.Sandbox, sid string) string {
	t.Helper()
	rows := s.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)
	require.Len(t, rows, 1)
	return rows[0]["Id"].(string)
}

func TestEachKindOfDefectIsFoundAndNamed(t *testing.T) {
	const unknown = "SM00000000000000000000000000000000"
	tests := map[string]struct {
		harm func(t *testing.T, s *sandbox.Sandbox, sids []string)
		want func(c *sandbox.Comparison, sids []string)
	}{
		"a record was never made": {
			func(t *testing.T, s *sandbox.Sandbox, sids []string) {
				require.NoError(t, s.Org.Delete(sandbox.MessageObject, recordOf(t, s, sids[0])))
			},
			func(c *sandbox.Comparison, sids []string) {
				c.Records, c.Lost = c.Records-1, 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Lost, SID: sids[0]}}
			},
		},
		"a message that came later": {
			func(_ *testing.T, s *sandbox.Sandbox, _ []string) {
				s.Twilio.Seed(twiliotest.Row{SID: unknown, From: "+13105550142", To: "+14155550100", Created: noon, Sent: noon})
			},
			func(c *sandbox.Comparison, _ []string) {
				c.Messages, c.Lost = c.Messages+1, 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Lost, SID: unknown}}
			},
		},
		"two records of one message": {
			func(t *testing.T, s *sandbox.Sandbox, sids []string) {
				row := s.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sids[2])[0]
				_, err := s.Org.Insert(sandbox.MessageObject, map[string]any{sandbox.SIDField: row[sandbox.SIDField]})
				require.NoError(t, err)
			},
			func(c *sandbox.Comparison, sids []string) {
				c.Records, c.Duplicated = c.Records+1, 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Duplicated, SID: sids[2]}}
			},
		},
		"a record of nobody's message": {
			func(t *testing.T, s *sandbox.Sandbox, _ []string) {
				_, err := s.Org.Insert(sandbox.MessageObject, map[string]any{sandbox.SIDField: unknown})
				require.NoError(t, err)
			},
			func(c *sandbox.Comparison, _ []string) {
				c.Records, c.Duplicated, c.Strange = c.Records+1, 1, 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Strange, SID: unknown}}
			},
		},
		"a record without a SID": {
			func(t *testing.T, s *sandbox.Sandbox, _ []string) {
				_, err := s.Org.Insert(sandbox.MessageObject, map[string]any{"Body__c": "who am I?"})
				require.NoError(t, err)
			},
			func(c *sandbox.Comparison, _ []string) {
				c.Records, c.Duplicated, c.Strange = c.Records+1, 1, 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Strange}}
			},
		},
		"a status that moved on": {
			func(t *testing.T, s *sandbox.Sandbox, sids []string) {
				require.True(t, s.Twilio.SetStatus(sids[1], "read", 0))
				require.NoError(t, s.Org.Update(sandbox.MessageObject, recordOf(t, s, sids[1]), map[string]any{"Date_Updated__c": time.Now()}))
			},
			func(c *sandbox.Comparison, sids []string) {
				c.Stale = 1
				c.Examples = []sandbox.Example{{Defect: sandbox.Stale, SID: sids[1], Field: "Status__c"}}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, sids := filledCarelessly(t)
			want := sandbox.Comparison{Messages: len(sids), Records: len(sids)}
			tt.harm(t, s, sids)
			tt.want(&want, sids)
			got := sandbox.Compare(s.Twilio, s.Org)
			require.Equal(t, want, got)
			require.False(t, got.Clean())
		})
	}
}

func TestAWrongValueInAnyFieldIsStale(t *testing.T) {
	s, sids := filled(t, sandbox.Options{})
	id := recordOf(t, s, sids[8]) // undelivered: it has every field but service and price
	before, _ := s.Org.Row(sandbox.MessageObject, id)
	wrong := map[string][]any{
		"Body__c": {"other", "not delivered!", nil}, "From_Number__c": {"+14155550101", nil}, "To_Number__c": {"+13105550143"},
		"Their_Number__c": {"+14155550100", nil}, "Direction__c": {"inbound"}, "Status__c": {"sent", nil},
		"Error_Code__c": {"30003", nil}, "Error_Message__c": {"Unknown", nil}, "Messaging_Service_Sid__c": {twiliotest.DefaultServiceSID},
		"Date_Created__c": {noon, nil}, "Date_Sent__c": {noon.Add(9*time.Minute + time.Second), nil}, "Date_Updated__c": {noon, nil},
		"Num_Segments__c": {2.0, nil}, "Num_Media__c": {1.0, nil}, "Price__c": {-0.0075}, "Price_Unit__c": {"EUR", nil},
	}
	for _, field := range slices.Sorted(maps.Keys(wrong)) {
		for _, value := range wrong[field] {
			require.NoError(t, s.Org.Update(sandbox.MessageObject, id, map[string]any{field: value}))
			require.Equal(t, []sandbox.Example{{Defect: sandbox.Stale, SID: sids[8], Field: field}},
				sandbox.Compare(s.Twilio, s.Org).Examples, "%s is %v", field, value)
		}
		require.NoError(t, s.Org.Update(sandbox.MessageObject, id, map[string]any{field: before[field]}))
	}
	require.True(t, sandbox.Compare(s.Twilio, s.Org).Clean())
	require.Len(t, wrong, 16, "every mirrored field but the SID")
}

func TestTenExamplesAreEnough(t *testing.T) {
	s := newSandbox(t, sandbox.Options{})
	s.Twilio.SeedFunc(25, func(int) twiliotest.Row {
		return twiliotest.Row{From: "+13105550142", To: "+14155550100", Body: "a secret", Created: noon, Sent: noon}
	}, nil)
	c := sandbox.Compare(s.Twilio, s.Org)
	require.Equal(t, 25, c.Lost)
	require.Len(t, c.Examples, 10)
	require.Equal(t, "25 lost, 0 duplicated, 0 stale", c.String())
	for _, e := range c.Examples {
		require.Regexp(t, `^lost SM[0-9a-f]{32}$`, e.String())
	}
	require.Equal(t, "strange a record without a SID", sandbox.Example{Defect: sandbox.Strange}.String())
}

// withoutUniqueness is our schema as a careless administrator could change it.
func withoutUniqueness(t *testing.T) fs.FS {
	t.Helper()
	changed := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(metadata.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(metadata.FS, name)
		text := string(data)
		if strings.HasSuffix(name, sandbox.SIDField+".field-meta.xml") {
			text = strings.Replace(text, "<unique>true</unique>", "<unique>false</unique>", 1)
		}
		changed[name] = &fstest.MapFile{Data: []byte(text)}
		return err
	}))
	return changed
}

func brokenSchema() fs.FS {
	return fstest.MapFS{"objects/X__c/X__c.object-meta.xml": {Data: []byte("<CustomObject")}}
}

func BenchmarkCompare(b *testing.B) {
	const messages = 100_000
	s := newSandbox(b, sandbox.Options{Org: salesforcetest.Options{DailyLimit: messages}})
	s.Twilio.SeedFunc(messages, func(i int) twiliotest.Row {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		return twiliotest.Row{From: "+13105550142", To: "+14155550100", Body: "Is the bakery open on Sunday?", Created: at, Sent: at}
	}, nil)
	account, sink := clients(b, s, s.TwilioTransport(), s.OrgTransport())
	carry(b, account, sink)
	b.ReportAllocs()
	for b.Loop() {
		require.True(b, sandbox.Compare(s.Twilio, s.Org).Clean())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/message")
}
