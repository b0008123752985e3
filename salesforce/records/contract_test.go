package records_test

import (
	"testing"
	"time"

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
		}
	})
}
