package twilio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// withMedia is an account with one MMS.
func withMedia(t *testing.T, media ...twiliotest.Media) (*twiliotest.Server, *twilio.Account, message.SID) {
	t.Helper()
	srv := twiliotest.NewServer(twiliotest.Options{})
	t.Cleanup(srv.Close)
	at := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	sids := srv.Seed(twiliotest.Row{From: "+14155550100", To: "+14155550101", Body: "look", Created: at, Sent: at, Media: media})
	return srv, emulated(t, srv), message.SID(sids[0])
}

func read(t *testing.T, acc *twilio.Account, sid message.SID, medium string) (contentType string, data []byte, err error) {
	t.Helper()
	err = acc.Content(t.Context(), sid, medium, func(kind string, r io.Reader) error {
		contentType = kind
		data, err = io.ReadAll(r)
		return err
	})
	return contentType, data, err
}

func TestTheMediaOfAMessageAreListedAndTheirBytesRead(t *testing.T) {
	picture, film := []byte("\x89PNG..."), bytes.Repeat([]byte("film"), 100_000)
	srv, acc, sid := withMedia(t, twiliotest.Media{ContentType: "image/png", Data: picture}, twiliotest.Media{ContentType: "video/mp4", Data: film})
	media, err := acc.Media(t.Context(), sid)
	require.NoError(t, err)
	row, _ := srv.Message(string(sid))
	require.Len(t, media, 2)
	for i, want := range row.Media {
		require.Equal(t, message.Media{
			SID: want.SID, ContentType: want.ContentType,
			URL: srv.URL + "/2010-04-01/Accounts/" + srv.AccountSID + "/Messages/" + string(sid) + "/Media/" + want.SID,
		}, media[i])
		kind, data, err := read(t, acc, sid, want.SID)
		require.NoError(t, err)
		require.Equal(t, want.ContentType, kind)
		require.True(t, bytes.Equal(want.Data, data))
	}
}

func TestAMessageWithoutMediaAndOneThatIsGoneHaveNone(t *testing.T) {
	_, acc, sid := withMedia(t)
	media, err := acc.Media(t.Context(), sid)
	require.NoError(t, err)
	require.NotNil(t, media)
	require.Empty(t, media)
	media, err = acc.Media(t.Context(), "MM00000000000000000000000000000abc")
	require.NoError(t, err)
	require.Nil(t, media)
}

func TestAMediumThatWasDeletedIsGone(t *testing.T) {
	srv, acc, sid := withMedia(t, twiliotest.Media{ContentType: "image/png"})
	media, err := acc.Media(t.Context(), sid)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, media[0].URL+".json", http.NoBody)
	require.NoError(t, err)
	req.SetBasicAuth(srv.APIKeySID, srv.APIKeySecret)
	resp, err := srv.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	_, _, err = read(t, acc, sid, media[0].SID)
	require.ErrorIs(t, err, mirror.ErrGone)
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
}

func TestTheListOfMediaIsReadToItsEnd(t *testing.T) {
	base := "/2010-04-01/Accounts/" + accountSID + "/Messages/MM00000000000000000000000000000001/Media"
	list := func(next string, ids ...int) string {
		var rows []string
		for _, n := range ids {
			rows = append(rows, fmt.Sprintf(`{"sid":"ME%032x","parent_sid":"MM00000000000000000000000000000001","content_type":"image/gif","uri":"%s/ME%032x.json"}`, n, base, n))
		}
		if next != "null" {
			next = `"` + next + `"`
		}
		return `{"media_list":[` + strings.Join(rows, ",") + `],"next_page_uri":` + next + `}`
	}
	acc, f := account(t, func(n int, _ *http.Request) (*http.Response, error) {
		return respond(200, []string{list(base+".json?Page=1&PageToken=x", 1, 2), list(base+".json?Page=2&PageToken=y", 3), list("null", 4)}[n-1]), nil
	})
	media, err := acc.Media(t.Context(), "MM00000000000000000000000000000001")
	require.NoError(t, err)
	require.Len(t, media, 4)
	require.Equal(t, "https://api.twilio.com"+base+fmt.Sprintf("/ME%032x", 4), media[3].URL)
	require.Equal(t, []string{base + ".json?PageSize=1000", base + ".json?Page=1&PageToken=x", base + ".json?Page=2&PageToken=y"}, f.paths())
}

func TestAListOfMediaThatIsNotTwiliosIsNotBelieved(t *testing.T) {
	for name, body := range map[string]string{
		"another message's": `{"media_list":[{"sid":"ME00000000000000000000000000000001","parent_sid":"MM00000000000000000000000000000002"}],"next_page_uri":null}`,
		"no SID":            `{"media_list":[{"parent_sid":"MM00000000000000000000000000000001"}],"next_page_uri":null}`,
		"another host":      `{"media_list":[],"next_page_uri":"https://evil.example/x"}`,
		"a loop":            `{"media_list":[],"next_page_uri":"/2010-04-01/Accounts/` + accountSID + `/Messages/MM00000000000000000000000000000001/Media.json?PageSize=1000"}`,
		"half":              `{"media_list":[{"sid":"ME0000`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, _ := account(t, func(int, *http.Request) (*http.Response, error) { return respond(200, body), nil })
				_, err := acc.Media(t.Context(), "MM00000000000000000000000000000001")
				require.Equal(t, fault.Transient, fault.ClassOf(err))
				require.NotEmpty(t, fault.Hint(err))
			})
		})
	}
	acc, _ := account(t, nil)
	_, err := acc.Media(t.Context(), "MM1/../x")
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
}

// The emulated file store refuses whoever brings credentials; here it is seen on
// the wire.
func TestTheCredentialsDoNotFollowARedirect(t *testing.T) {
	for location, wantHost := range map[string]string{
		"https://media.twiliocdn.com/AC1/x?Signature=y": "media.twiliocdn.com",
		"/elsewhere": "api.twilio.com",
	} {
		acc, f := account(t, func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return respond(http.StatusTemporaryRedirect, "moved", "Location", location), nil
			}
			return respond(200, "bytes", "Content-Type", "image/png"), nil
		})
		_, data, err := read(t, acc, "MM00000000000000000000000000000001", "ME00000000000000000000000000000001")
		require.NoError(t, err)
		require.Equal(t, "bytes", string(data))
		require.NotEmpty(t, f.requests[0].Header.Get("Authorization"))
		require.Equal(t, wantHost, f.requests[1].URL.Host)
		require.Empty(t, f.requests[1].Header.Get("Authorization"))
		for _, b := range f.bodies {
			require.True(t, b.closed, "each body is closed")
		}
	}
}

func TestWhatTheFileStoreSaysIsNoVerdict(t *testing.T) {
	redirect := func(to string) *http.Response {
		return respond(http.StatusFound, "", "Location", to)
	}
	for name, answer := range map[string]func(int, *http.Request) (*http.Response, error){
		"an expired signature": func(_ int, r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "" {
				return redirect("https://cdn.example/x"), nil
			}
			return respond(http.StatusForbidden, "<Error/>"), nil
		},
		"a circle": func(int, *http.Request) (*http.Response, error) { return redirect("https://cdn.example/x"), nil },
		"plain http": func(_ int, r *http.Request) (*http.Response, error) {
			if r.URL.Scheme == "https" {
				return redirect("http://cdn.example/x"), nil
			}
			return respond(200, "bytes that anybody may have changed"), nil
		},
		"no address":   func(int, *http.Request) (*http.Response, error) { return redirect(""), nil },
		"another kind": func(int, *http.Request) (*http.Response, error) { return redirect("file:///etc/passwd"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, _ := account(t, answer)
				_, _, err := read(t, acc, "MM00000000000000000000000000000001", "ME00000000000000000000000000000001")
				require.Equal(t, fault.Transient, fault.ClassOf(err), "%v", err)
			})
		})
	}
}

func TestBytesThatBreakOffAreReadAgainFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, acc, sid := withMedia(t, twiliotest.Media{ContentType: "image/png", Data: bytes.Repeat([]byte("x"), 1000)})
		media, err := acc.Media(t.Context(), sid)
		require.NoError(t, err)
		srv.Script(twiliotest.CutBody().On(twiliotest.MediaContent).Times(2))
		_, data, err := read(t, acc, sid, media[0].SID)
		require.NoError(t, err)
		require.Len(t, data, 1000)
	})
}

func TestAReaderThatHasEnoughIsNotCalledAgain(t *testing.T) {
	_, acc, sid := withMedia(t, twiliotest.Media{ContentType: "image/png"})
	media, err := acc.Media(t.Context(), sid)
	require.NoError(t, err)
	calls := 0
	tooLong := fault.New(fault.Permanent, "save", errors.New("too long"))
	err = acc.Content(t.Context(), sid, media[0].SID, func(string, io.Reader) error {
		calls++
		return tooLong
	})
	require.ErrorIs(t, err, tooLong)
	require.Equal(t, 1, calls)
}
