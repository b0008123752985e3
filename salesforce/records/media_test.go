package records_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/followup/followuptest"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const mediaObject = "TwilioSF_Media__c"

// twilioMedia are the media of an account in memory.
type twilioMedia struct {
	listed map[message.SID][]message.Media
	bytes  map[string][]byte // by Media SID; a medium without is gone
	lists  int
	reads  int
	fail   error
}

func (m *twilioMedia) Media(_ context.Context, sid message.SID) ([]message.Media, error) {
	m.lists++
	return m.listed[sid], m.fail
}

func (m *twilioMedia) Content(_ context.Context, _ message.SID, medium string, into func(string, io.Reader) error) error {
	m.reads++
	data, there := m.bytes[medium]
	if m.fail != nil {
		return m.fail
	}
	if !there {
		return &fault.Error{Class: fault.Permanent, Op: "twilio fetch medium", Code: "20404", Err: mirror.ErrGone}
	}
	return into("application/octet-stream", bytes.NewReader(data))
}

func medium(n int, kind string) message.Media {
	sid := fmt.Sprintf("ME%032x", n)
	return message.Media{SID: sid, ContentType: kind, URL: "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/" + sid}
}

func mediaOf(m message.Message, media ...message.Media) message.FollowUp {
	return message.FollowUp{Kind: message.FollowMedia, Key: string(m.SID), Media: media}
}

// gallery is an org with messages, and the media's writer on it.
type gallery struct {
	t      *testing.T
	server *salesforcetest.Server
	org    *salesforce.Org
	source *twilioMedia
	media  *records.Media
	texts  []message.Message
}

func newGallery(t *testing.T, files bool, change ...func(string) string) *gallery {
	t.Helper()
	g := &gallery{t: t, source: &twilioMedia{listed: map[message.SID][]message.Media{}, bytes: map[string][]byte{}}, texts: numbered(60)}
	g.server, g.org = orgWithFollowUps(t, change...)
	var err error
	g.media, err = records.NewMedia(g.org, g.source, records.MediaOptions{Files: files})
	require.NoError(t, err)
	g.write(g.texts[:50]...)
	return g
}

func (g *gallery) write(all ...message.Message) {
	g.t.Helper()
	outcomes, err := newMessages(g.t, g.org).Upsert(g.t.Context(), plain(all))
	requireAll(g.t, outcomes, err)
}

func (g *gallery) do(all ...message.FollowUp) []error {
	g.t.Helper()
	outcomes, err := g.media.Do(g.t.Context(), all)
	require.NoError(g.t, err)
	require.Len(g.t, outcomes, len(all))
	return outcomes
}

// child is the one record of a medium.
func (g *gallery) child(m message.Media) map[string]any {
	g.t.Helper()
	rows := g.server.ByKey(mediaObject, "Media_SID__c", m.SID)
	require.Len(g.t, rows, 1)
	return rows[0]
}

func TestEachMediumIsAChildOfItsMessage(t *testing.T) {
	g := newGallery(t, false)
	picture, film, card := medium(1, "image/png"), medium(2, "video/mp4"), medium(3, "text/vcard")
	for range 2 { // twice does no harm
		requireAll(t, g.do(mediaOf(g.texts[0], picture, film), mediaOf(g.texts[1], card, card)), nil)
	}
	require.Equal(t, 3, g.server.Count(mediaObject))
	for m, text := range map[message.Media]message.Message{picture: g.texts[0], film: g.texts[0], card: g.texts[1]} {
		row := g.child(m)
		require.Equal(t, m.ContentType, row["Content_Type__c"])
		require.Equal(t, m.URL, row["Url__c"])
		require.Equal(t, stored(t, g.server, text.SID)["Id"], row["Message__c"])
		require.Nil(t, row["File_Id__c"])
	}
	require.Equal(t, 2, g.server.Calls().ByOperation[salesforcetest.OpCollectionsUpsert]-1, "the children of several messages share a call")
	require.Zero(t, g.source.lists, "what the webhook told is not asked for")
}

func TestMediaOfAnotherObjectsRecordsAreNotWritten(t *testing.T) {
	_, org := orgWithFollowUps(t)
	w, err := records.NewMedia(org, &twilioMedia{}, records.MediaOptions{Names: records.MediaNames{Parent: "Text__c"}})
	require.NoError(t, err)
	_, err = w.Do(t.Context(), []message.FollowUp{{Kind: message.FollowMedia, Key: "MM1", Media: []message.Media{medium(1, "image/png")}}})
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.ErrorContains(t, err, "Text__c")
	_, err = records.NewMedia(org, &twilioMedia{}, records.MediaOptions{Names: records.MediaNames{URL: "no name"}})
	require.ErrorContains(t, err, "no name")
}

func TestAChildThatMayNotChangeItsParentIsWrittenAgain(t *testing.T) {
	g := newGallery(t, false, func(text string) string {
		return strings.ReplaceAll(text, "<reparentableMasterDetail>true</reparentableMasterDetail>", "")
	})
	m := medium(1, "image/png")
	requireAll(t, g.do(mediaOf(g.texts[0], m)), nil)
	m.ContentType = "image/gif"
	requireAll(t, g.do(mediaOf(g.texts[0], m, medium(2, "image/png"))), nil)
	require.Equal(t, "image/gif", g.child(m)["Content_Type__c"])
	require.Equal(t, stored(t, g.server, g.texts[0].SID)["Id"], g.child(m)["Message__c"])
	require.Equal(t, 2, g.server.Count(mediaObject))
}

func TestTwilioIsAskedForMediaThatNobodyKnows(t *testing.T) {
	g := newGallery(t, false)
	g.source.listed[g.texts[0].SID] = []message.Media{medium(1, "image/png"), medium(2, "image/png")}
	nameless := medium(3, "image/png")
	nameless.SID = ""
	g.source.listed[g.texts[2].SID] = []message.Media{medium(3, "image/png")}
	requireAll(t, g.do(mediaOf(g.texts[0]), mediaOf(g.texts[1]), mediaOf(g.texts[2], nameless)), nil)
	require.Equal(t, 3, g.source.lists)
	require.Equal(t, 3, g.server.Count(mediaObject))

	g.source.listed[g.texts[3].SID] = []message.Media{}
	require.ErrorIs(t, g.do(mediaOf(g.texts[3]))[0], followup.ErrNothingYet, "a list may be late")
}

func TestAnAccountThatRefusesStopsAndOneListThatFailsDoesNot(t *testing.T) {
	g := newGallery(t, false)
	g.source.fail = fault.New(fault.Transient, "twilio list media", errors.New("cut"))
	outcomes := g.do(mediaOf(g.texts[0]), mediaOf(g.texts[1], medium(1, "image/png")))
	require.Equal(t, fault.Transient, fault.ClassOf(outcomes[0]))
	require.NoError(t, outcomes[1])
	g.source.fail = fault.New(fault.Auth, "twilio list media", errors.New("revoked"))
	_, err := g.media.Do(t.Context(), []message.FollowUp{mediaOf(g.texts[0]), mediaOf(g.texts[1])})
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Equal(t, 2, g.source.lists)
}

func TestAMessageThatIsNotThereYetKeepsItsMediaWaiting(t *testing.T) {
	g := newGallery(t, false)
	late := g.texts[55]
	outcomes := g.do(mediaOf(late, medium(1, "image/png")), mediaOf(g.texts[0], medium(2, "image/png")))
	require.ErrorIs(t, outcomes[0], followup.ErrNoParent)
	require.Equal(t, fault.Transient, fault.ClassOf(outcomes[0]))
	require.NoError(t, outcomes[1])
	g.write(late)
	requireAll(t, g.do(mediaOf(late, medium(1, "image/png"))), nil)
	require.Equal(t, 2, g.server.Count(mediaObject))
}

func TestMoreMediaThanACallCarries(t *testing.T) {
	g := newGallery(t, false)
	var all []message.FollowUp
	for i, m := range g.texts[:50] {
		var ten []message.Media
		for n := range 10 {
			ten = append(ten, medium(i*10+n, "image/gif"))
		}
		all = append(all, mediaOf(m, ten...))
	}
	requireAll(t, g.do(all...), nil)
	require.Equal(t, 500, g.server.Count(mediaObject))
	require.Equal(t, 1+3, g.server.Calls().ByOperation[salesforcetest.OpCollectionsUpsert])
}

func TestAMediumThatTheOrgRefusesStopsNoOther(t *testing.T) {
	g := newGallery(t, false)
	g.server.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Content_Type__c"] == "video/mp4" {
			return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no films"}
		}
		return nil
	}).Forever())
	outcomes := g.do(mediaOf(g.texts[0], medium(1, "image/png"), medium(2, "video/mp4")), mediaOf(g.texts[1], medium(3, "image/png")))
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.Contains(t, fault.Hint(outcomes[0]), mediaObject)
	require.NoError(t, outcomes[1])
	require.Equal(t, 2, g.server.Count(mediaObject))
}

func TestAnOrgThatHidesTheMediaIsToldSo(t *testing.T) {
	g := newGallery(t, false)
	require.NoError(t, g.server.HideField(mediaObject, "Media_SID__c", true))
	require.NoError(t, g.server.HideField(mediaObject, "Url__c", true))
	_, err := g.media.Do(t.Context(), []message.FollowUp{mediaOf(g.texts[0], medium(1, "image/png"))})
	require.Equal(t, records.CodeSchema, fault.CodeOf(err))
	require.Equal(t, fault.Auth, fault.ClassOf(err))
	require.Equal(t, []string{"Media_SID__c"}, fault.Of(err).Fields, "an optional field is left out")
	require.NotEmpty(t, fault.Hint(err))
}

// files are the org's files by title.
func (g *gallery) files() map[string][]map[string]any {
	all := map[string][]map[string]any{}
	for row := range g.server.Rows("ContentVersion") {
		title, _ := row["Title"].(string)
		all[title] = append(all[title], row)
	}
	return all
}

func TestMediaAreSavedAsFilesOfTheirMessage(t *testing.T) {
	g := newGallery(t, true)
	picture, paper := medium(1, "image/jpeg"), medium(2, "application/pdf; charset=binary")
	g.source.bytes[picture.SID], g.source.bytes[paper.SID] = []byte("\xff\xd8picture"), bytes.Repeat([]byte("paper"), 100_000)
	for range 2 {
		requireAll(t, g.do(mediaOf(g.texts[0], picture, paper), mediaOf(g.texts[1])), nil)
	}
	require.Equal(t, 2, g.source.reads, "what is a file is not carried over again")
	files := g.files()
	require.Len(t, files, 2)
	for m, ending := range map[message.Media]string{picture: "jpg", paper: "pdf"} {
		require.Len(t, files[m.SID], 1)
		f := files[m.SID][0]
		require.Equal(t, string(g.source.bytes[m.SID]), fmt.Sprint(f["VersionData"]))
		require.Equal(t, ending, f["FileExtension"])
		require.Equal(t, stored(t, g.server, g.texts[0].SID)["Id"], f["FirstPublishLocationId"])
		require.Equal(t, f["ContentDocumentId"], g.child(m)["File_Id__c"])
	}
}

func TestACrashBetweenTheFileAndItsNoteMakesNoSecondFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGallery(t, true)
		m := medium(1, "image/png")
		g.source.bytes[m.SID] = []byte("x")
		// The org takes the file in, and nobody hears of it.
		g.server.Script(salesforcetest.ResetAfter().On(salesforcetest.OpRowCreate))
		outcomes := g.do(mediaOf(g.texts[0], m))
		require.Equal(t, fault.Uncertain, fault.ClassOf(outcomes[0]))
		require.GreaterOrEqual(t, fault.After(outcomes[0]), 10*time.Minute, "it may still land")
		require.Len(t, g.files()[m.SID], 1)
		require.Nil(t, g.child(m)["File_Id__c"])

		requireAll(t, g.do(mediaOf(g.texts[0], m)), nil)
		require.Len(t, g.files()[m.SID], 1)
		require.NotNil(t, g.child(m)["File_Id__c"])
	})
}

func TestAnOrgWithoutTheNoteMakesNoSecondFileEither(t *testing.T) {
	g := newGallery(t, true)
	require.NoError(t, g.server.HideField(mediaObject, "File_Id__c", true))
	m := medium(1, "image/png")
	g.source.bytes[m.SID] = []byte("x")
	for range 3 {
		requireAll(t, g.do(mediaOf(g.texts[0], m)), nil)
	}
	require.Len(t, g.files()[m.SID], 1)
	require.Equal(t, 1, g.source.reads)
}

func TestAMediumThatTwilioHasNoMoreKeepsItsLink(t *testing.T) {
	g := newGallery(t, true)
	there, gone := medium(1, "image/png"), medium(2, "image/png")
	g.source.bytes[there.SID] = []byte("x")
	requireAll(t, g.do(mediaOf(g.texts[0], gone, there)), nil)
	require.Len(t, g.files(), 1)
	require.Equal(t, gone.URL, g.child(gone)["Url__c"])
}

func TestAMediumThatIsTooLargeKeepsItsLinkAndIsToldOf(t *testing.T) {
	g := newGallery(t, true)
	large, small := medium(1, "video/mp4"), medium(2, "image/png")
	g.source.bytes[large.SID], g.source.bytes[small.SID] = make([]byte, 20<<20+1), []byte("x")
	outcomes := g.do(mediaOf(g.texts[0], large), mediaOf(g.texts[1], small))
	require.Equal(t, fault.Permanent, fault.ClassOf(outcomes[0]))
	require.Equal(t, records.CodeTooLarge, fault.CodeOf(outcomes[0]))
	require.NotEmpty(t, fault.Hint(outcomes[0]))
	require.NoError(t, outcomes[1])
	require.Len(t, g.files(), 1)
	require.Equal(t, large.URL, g.child(large)["Url__c"])
}

func TestAFullOrgKeepsFilesWaitingAndNotesWhatItTook(t *testing.T) {
	g := newGallery(t, true)
	all := []message.FollowUp{}
	for i := range 5 {
		m := medium(i, "image/png")
		g.source.bytes[m.SID] = []byte("x")
		all = append(all, mediaOf(g.texts[i], m))
	}
	g.server.Script(salesforcetest.Latency(0).On(salesforcetest.OpRowCreate), salesforcetest.Latency(0).On(salesforcetest.OpRowCreate),
		salesforcetest.Answer(403, "application/json", `[{"errorCode":"STORAGE_LIMIT_EXCEEDED","message":"storage limit exceeded"}]`).On(salesforcetest.OpRowCreate))
	outcomes := g.do(all...)
	require.NoError(t, outcomes[0])
	require.NoError(t, outcomes[1])
	for _, o := range outcomes[2:] {
		require.Equal(t, fault.Throttled, fault.ClassOf(o), "the others are not tried")
	}
	require.Len(t, g.files(), 2)
	require.NotNil(t, g.child(medium(1, ""))["File_Id__c"])
	requireAll(t, g.do(all...), nil)
	require.Len(t, g.files(), 5)
}

// In the engine: a message that is refused files has its condition, and the
// others theirs files.
func TestMediaInTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGallery(t, true)
		queue, registry := &followuptest.Memory{}, health.New(zap.NewNop(), nil)
		e, err := followup.New(followup.Ports{Queue: queue, Health: registry, Doers: map[message.FollowUpKind]followup.Doer{message.FollowMedia: g.media}}, followup.Options{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		for i := range 30 {
			m := medium(i, "image/png")
			g.source.bytes[m.SID] = []byte("x")
			require.NoError(t, queue.Add(ctx, []message.FollowUp{mediaOf(g.texts[i], m)}))
		}
		gone := g.texts[56]
		require.NoError(t, queue.Add(ctx, []message.FollowUp{mediaOf(gone, medium(77, "image/png"))}))
		g.server.Chance(0.2, salesforcetest.ResetAfter())
		g.server.Chance(0.2, salesforcetest.ServerUnavailable())
		e.Wake()
		time.Sleep(3 * time.Hour)
		waiting, err := queue.Waiting(ctx, message.FollowMedia, 100)
		require.NoError(t, err)
		require.Zero(t, waiting)
		for i := range 30 {
			require.Len(t, g.files()[medium(i, "").SID], 1, "whatever happened")
			require.NotNil(t, g.child(medium(i, ""))["File_Id__c"])
		}
		require.Empty(t, registry.Active())
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// A file may still land whose call was cut, whatever fails after it.
func TestATroubleAfterALostFileDoesNotForgetThatItMayStillLand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGallery(t, true)
		lost, taken := medium(1, "image/png"), medium(2, "image/png")
		g.source.bytes[lost.SID], g.source.bytes[taken.SID] = []byte("x"), []byte("y")
		g.server.Script(salesforcetest.ResetAfter().On(salesforcetest.OpRowCreate))
		g.server.Script(salesforcetest.Answer(400, "application/json", `[{"errorCode":"EXCEEDED_ID_LIMIT","message":"no"}]`).On(salesforcetest.OpCollectionsUpdate))
		outcomes := g.do(mediaOf(g.texts[0], lost), mediaOf(g.texts[1], taken))
		require.GreaterOrEqual(t, fault.After(outcomes[0]), 10*time.Minute)
		require.Error(t, outcomes[1], "its note is made good")
	})
}
