package twiliotest_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	twilioclient "github.com/twilio/twilio-go/client"
	v2010 "github.com/twilio/twilio-go/rest/api/v2010"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest/openapitest"
)

// validated puts Twilio's own document between a client and the account; the
// test fails when either breaks it.
func validated(t *testing.T, rt http.RoundTripper) http.RoundTripper {
	t.Helper()
	return validatedBy(t, "twilio_api_v2010.yaml", rt)
}

func validatedBy(t *testing.T, document string, rt http.RoundTripper) http.RoundTripper {
	t.Helper()
	file, err := openapitest.Spec(document)
	if errors.Is(err, openapitest.ErrNoDocument) {
		t.Skip("Twilio's OpenAPI documents are not on this machine: ", err)
	}
	require.NoError(t, err)
	checked, faults := openapitest.Validate(rt, file)
	t.Cleanup(func() {
		for _, err := range faults() {
			t.Errorf("against Twilio's document: %v", err)
		}
	})
	return checked
}

// rewrite sends requests for https://api.twilio.com to the account's address,
// keeping the Host, as one does with clients that cannot be pointed elsewhere.
type rewrite struct {
	to   string
	next http.RoundTripper
}

func (rw rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(rw.to)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
	return rw.next.RoundTrip(r)
}

// official is Twilio's own Go client on the account.
func official(srv *twiliotest.Server, rt http.RoundTripper) *v2010.ApiService {
	return v2010.NewApiServiceWithClient(officialClient(srv, rt))
}

func officialClient(srv *twiliotest.Server, rt http.RoundTripper) *twilioclient.Client {
	c := &twilioclient.Client{
		Credentials: twilioclient.NewCredentials(srv.APIKeySID, srv.APIKeySecret),
		// No Timeout: the library leaves error bodies open, which would leak a goroutine each.
		HTTPClient: &http.Client{Transport: rewrite{srv.URL, rt}},
	}
	c.SetAccountSid(srv.AccountSID)
	return c
}

func TestTwiliosOwnClientSendsReadsRedactsAndDeletes(t *testing.T) {
	srv := twiliotest.NewServer(still())
	defer srv.Close()
	tw := official(srv, validated(t, srv.Client().Transport))

	made, err := tw.CreateMessage((&v2010.CreateMessageParams{}).SetTo("+14155550199").SetFrom("+14155550100").SetBody("hello ✓"))
	require.NoError(t, err)
	require.Equal(t, "queued", *made.Status)
	require.Nil(t, made.DateSent)
	require.Nil(t, made.Price)
	require.Equal(t, "1", *made.NumSegments)

	_, err = tw.UpdateMessage(*made.Sid, (&v2010.UpdateMessageParams{}).SetBody(""))
	requireCode(t, 20009, err)
	require.True(t, srv.SetStatus(*made.Sid, "delivered", 0))

	redacted, err := tw.UpdateMessage(*made.Sid, (&v2010.UpdateMessageParams{}).SetBody(""))
	require.NoError(t, err)
	require.Empty(t, *redacted.Body)
	fetched, err := tw.FetchMessage(*made.Sid, nil)
	require.NoError(t, err)
	require.Equal(t, "delivered", *fetched.Status)
	require.NotNil(t, fetched.DateSent)
	require.Empty(t, *fetched.Body)

	require.NoError(t, tw.DeleteMessage(*made.Sid, nil))
	_, err = tw.FetchMessage(*made.Sid, nil)
	requireCode(t, 20404, err)
}

func TestTwiliosOwnClientListsEveryPageOnce(t *testing.T) {
	srv := twiliotest.NewServer(still())
	defer srv.Close()
	tw := official(srv, validated(t, srv.Client().Transport))
	want := map[string]bool{}
	for range 25 {
		want[srv.Receive(twiliotest.Inbound{From: "+14155550199", To: "+14155550100", Body: "hi"})] = true
	}
	srv.Receive(twiliotest.Inbound{From: "+14155550198", To: "+14155550100", Body: "someone else"})

	params := (&v2010.ListMessageParams{}).SetPageSize(7).SetFrom("+14155550199").SetDateSentAfter(time.Now().Add(-time.Hour).UTC())
	all, err := tw.ListMessage(params)
	require.NoError(t, err)
	require.Len(t, all, 25)
	for _, m := range all {
		require.True(t, want[*m.Sid])
		delete(want, *m.Sid)
	}
	require.Equal(t, 4, srv.Calls().ByOperation[twiliotest.ListMessage])
	require.Empty(t, srv.Unknown())
}

func TestTwiliosOwnClientSchedulesAndCancels(t *testing.T) {
	srv := twiliotest.NewServer(still())
	defer srv.Close()
	tw := official(srv, validated(t, srv.Client().Transport))
	made, err := tw.CreateMessage((&v2010.CreateMessageParams{}).SetTo("+14155550199").SetBody("later").
		SetMessagingServiceSid(twiliotest.DefaultServiceSID).SetScheduleType("fixed").SetSendAt(time.Now().Add(time.Hour).UTC()))
	require.NoError(t, err)
	require.Equal(t, "scheduled", *made.Status)
	require.Nil(t, made.From)
	require.Equal(t, "0", *made.NumSegments)

	canceled, err := tw.UpdateMessage(*made.Sid, (&v2010.UpdateMessageParams{}).SetStatus("canceled"))
	require.NoError(t, err)
	require.Equal(t, "canceled", *canceled.Status)
	require.Nil(t, canceled.DateSent)
	_, err = tw.UpdateMessage(*made.Sid, (&v2010.UpdateMessageParams{}).SetStatus("canceled"))
	requireCode(t, 30409, err)
}

func TestTwiliosOwnClientReadsMediaNumbersAccountAndBalance(t *testing.T) {
	srv := twiliotest.NewServer(still())
	defer srv.Close()
	tw := official(srv, validated(t, srv.Client().Transport))
	sid := srv.Receive(twiliotest.Inbound{From: "+14155550199", To: "+14155550100", Media: []twiliotest.Media{{ContentType: "image/jpeg"}, {}}})
	require.Equal(t, "MM", sid[:2])

	media, err := tw.ListMedia(sid, &v2010.ListMediaParams{})
	require.NoError(t, err)
	require.Len(t, media, 2)
	one, err := tw.FetchMedia(sid, *media[0].Sid, nil)
	require.NoError(t, err)
	require.Equal(t, "image/jpeg", *one.ContentType)
	require.NoError(t, tw.DeleteMedia(sid, *media[0].Sid, nil))
	_, err = tw.FetchMedia(sid, *media[0].Sid, nil)
	requireCode(t, 20404, err)

	numbers, err := tw.ListIncomingPhoneNumber((&v2010.ListIncomingPhoneNumberParams{}).SetPhoneNumber("+1415555010*"))
	require.NoError(t, err)
	require.Len(t, numbers, 2)
	account, err := tw.FetchAccount(srv.AccountSID)
	require.NoError(t, err)
	require.Equal(t, "active", *account.Status)
	balance, err := tw.FetchBalance(nil)
	require.NoError(t, err)
	require.Equal(t, "USD", *balance.Currency)
}

func requireCode(t *testing.T, code int, err error) {
	t.Helper()
	var refused *twilioclient.TwilioRestError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, code, refused.Code)
}
