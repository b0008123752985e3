package daemon_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/jobs/jobstest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const mediaObject = "TwilioSF_Media__c"

// inWorld runs a test in virtual time with a daemon that runs.
func inWorld(t *testing.T, yaml string, test func(ctx context.Context, w *world, c *daemon.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, twiliotest.Options{}, salesforcetest.Options{})
		defer w.close()
		w.yaml, w.engine = yaml, func(ctx context.Context, st *store.Store, o jobs.Options) (jobs.Engine, error) {
			return jobstest.NewMemory(ctx, st, o)
		}
		w.run(t, func(ctx context.Context, c *daemon.Client) {
			time.Sleep(time.Minute)
			test(ctx, w, c)
		})
	})
}

// mms lets a message with pictures come in, which a sweep finds.
func (w *world) mms(t *testing.T, pictures ...string) message.SID {
	t.Helper()
	in := twiliotest.Inbound{From: "+14155550123", To: "+14155550100", Body: "Look!"}
	for _, p := range pictures {
		in.Media = append(in.Media, twiliotest.Media{ContentType: "image/jpeg", Data: []byte(p)})
	}
	sid := w.twilio.Receive(in)
	for len(w.records()[sid]) == 0 {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Second)
	return message.SID(sid)
}

func (w *world) media() map[string][]map[string]any {
	all := map[string][]map[string]any{}
	for row := range w.org.Rows(mediaObject) {
		parent, _ := row["Message__c"].(string)
		all[parent] = append(all[parent], row)
	}
	return all
}

func TestThePicturesOfASweptMessageAppearBesideIt(t *testing.T) {
	inWorld(t, "", func(ctx context.Context, w *world, c *daemon.Client) {
		sid := w.mms(t, "one", "two")
		row := w.records()[string(sid)][0]
		children := w.media()[fmt.Sprint(row["Id"])]
		require.Len(t, children, 2)
		for _, child := range children {
			require.Equal(t, "image/jpeg", child["Content_Type__c"])
			require.Contains(t, child["Url__c"], "/Messages/"+string(sid)+"/Media/ME")
			require.Nil(t, child["File_Id__c"])
		}
		require.Zero(t, w.org.Count("ContentVersion"))
		s, err := c.Status(ctx)
		require.NoError(t, err)
		require.Empty(t, conditionNames(s))
	})
}

func TestPicturesAreFilesOfTheirMessageWhereThatIsConfigured(t *testing.T) {
	inWorld(t, "media: {store: files}\n", func(ctx context.Context, w *world, _ *daemon.Client) {
		sid := w.mms(t, "the bytes of one", "the bytes of two")
		// Twice does no harm.
		require.NoError(t, w.daemon.Queue(ctx, message.FollowUp{Kind: message.FollowMedia, Key: string(sid)}))
		time.Sleep(time.Second)
		row := w.records()[string(sid)][0]
		var contents []string
		for v := range w.org.Rows("ContentVersion") {
			require.Equal(t, row["Id"], v["FirstPublishLocationId"])
			require.Equal(t, "jpg", v["FileExtension"])
			contents = append(contents, fmt.Sprint(v["VersionData"]))
		}
		require.ElementsMatch(t, []string{"the bytes of one", "the bytes of two"}, contents)
		for _, child := range w.media()[fmt.Sprint(row["Id"])] {
			require.NotNil(t, child["File_Id__c"])
		}
	})
}

func TestAValidationRuleOnContactsHoldsUpNoMessage(t *testing.T) {
	inWorld(t, "", func(ctx context.Context, w *world, c *daemon.Client) {
		contact, err := w.org.Insert("Contact", map[string]any{"LastName": "Ada"})
		require.NoError(t, err)
		other, err := w.org.Insert("Contact", map[string]any{"LastName": "Bob"})
		require.NoError(t, err)
		w.org.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if r["id"] == contact {
				return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Ada needs a birthday"}
			}
			return nil
		}).Forever())
		for _, id := range []string{contact, other} {
			require.NoError(t, w.daemon.Queue(ctx, message.FollowUp{Kind: message.FollowStatus, Key: id, Status: &message.LastStatus{
				Person: message.Link{Object: "Contact", ID: id}, Status: "delivered", At: time.Now().UTC().Truncate(time.Second),
			}}))
		}
		w.mms(t)
		w.requireMirrored(t)
		row, _ := w.org.Row("Contact", other)
		require.Equal(t, "delivered", row["Last_Message_Status__c"])
		s, err := c.Status(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"last-status-refused"}, conditionNames(s))
		require.True(t, s.Ready)
		require.Empty(t, w.logs.FilterMessageSnippet("birthday").All())
		require.Len(t, w.logs.FilterMessage("follow-up given up").All(), 1)
	})
}

func TestAQuietDaemonMakesNoCallForFollowUps(t *testing.T) {
	inWorld(t, "sync: {full_every: 24h}\n", func(_ context.Context, w *world, _ *daemon.Client) {
		before := w.org.Calls().Total
		time.Sleep(50 * time.Minute)
		require.EqualValues(t, 50*time.Minute/(15*time.Second)+10, w.org.Calls().Total-before, "the poll's calls, the people's and no others")
	})
}
