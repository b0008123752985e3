package twilio_test

import (
	"testing"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// The account keeps the port's contract, which the tests of the mirror rely on
// when they use its fake.
func TestTheAccountIsASource(t *testing.T) {
	mirrortest.TestSource(t, time.Now().UTC().Truncate(time.Second), func(t *testing.T) mirrortest.SourceUnderTest {
		srv := twiliotest.NewServer(twiliotest.Options{Life: twiliotest.Life{Still: true}})
		t.Cleanup(srv.Close)
		return mirrortest.SourceUnderTest{Source: emulated(t, srv), Put: func(all ...message.Message) {
			for _, m := range all {
				srv.Seed(twiliotest.Row{
					SID: string(m.SID), From: string(m.From), To: string(m.To), Body: m.Body, Direction: string(m.Direction),
					Status: string(m.Status), Created: m.Created, Updated: m.Updated, Sent: m.Sent,
				})
			}
		}}
	})
}
