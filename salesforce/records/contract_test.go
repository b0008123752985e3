package records_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
)

// The org keeps the port's contract, which the tests of the mirror rely on when
// they use its fake.
func TestTheRecordsAreASink(t *testing.T) {
	mirrortest.TestSink(t, time.Now().UTC().Truncate(time.Second), func(t *testing.T) mirrortest.SinkUnderTest {
		org, messages := emulated(t)
		return mirrortest.SinkUnderTest{
			Sink: messages,
			Refuse: func(sid message.SID) {
				org.Script(salesforcetest.Refuse(func(record map[string]any) *salesforcetest.Refusal {
					if record["Message_SID__c"] != string(sid) {
						return nil
					}
					return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not this one."}
				}).Forever())
			},
			Bodies: func(sid message.SID) []string {
				var bodies []string
				for _, row := range org.ByKey(object, "Message_SID__c", string(sid)) {
					body, _ := row["Body__c"].(string)
					bodies = append(bodies, body)
				}
				return bodies
			},
			PutDraft: func() string {
				return insert(t, org, object, map[string]any{"Status__c": "Send", "To_Number__c": "+14155550199"})
			},
			DeleteDraft: func(id string) { require.NoError(t, org.Delete(object, id)) },
			Draft: func(id string) (mirrortest.Draft, bool) {
				row, there := org.Row(object, id)
				text := func(name string) string { s, _ := row[name].(string); return s }
				return mirrortest.Draft{
					SID: message.SID(text("Message_SID__c")), Rejected: message.SID(text("Rejected_SID__c")), Status: message.Status(text("Status__c")),
				}, there
			},
		}
	})
}
