package records_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// inbox takes drafts, by their ids.
type inbox struct {
	by    map[string]message.Draft
	order []string
	fail  error
}

func (b *inbox) take(_ context.Context, drafts []message.Draft) error {
	if b.fail != nil {
		return b.fail
	}
	b.by, b.order = map[string]message.Draft{}, nil
	for _, d := range drafts {
		b.by[d.ID] = d
		b.order = append(b.order, d.ID)
	}
	return nil
}

// polled is an emulated org whose drafts are polled into an inbox.
func polled(t *testing.T, names records.Names) (*salesforcetest.Server, *records.Messages, *records.Poll, *inbox) {
	t.Helper()
	s, org := emulatedOrg(t)
	m, err := records.New(org, records.Options{Names: names})
	require.NoError(t, err)
	b := &inbox{}
	return s, m, newPoll(t, org, &marks{}, m.DraftsPart(b.take)), b
}

func TestARecordSetToSendIsReadWithAllThatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, p, b := polled(t, records.Names{})
		at := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
		full := insert(t, s, object, map[string]any{
			"Status__c": "Send", "To_Number__c": "(415) 555-0100", "From_Number__c": "+14155550199", "Body__c": "Hi,\n\"you\" 😀",
			"Media_Url__c": "https://x.test/a.png\nhttps://x.test/b.png", "Content_Sid__c": "HX1", "Content_Variables__c": `{"1":"Ada"}`, "Send_At__c": at,
		})
		time.Sleep(time.Second)
		least := insert(t, s, object, map[string]any{"Status__c": "send", "Messaging_Service_Sid__c": "MG1"})
		time.Sleep(time.Second)
		draft := insert(t, s, object, map[string]any{"Status__c": "Draft"})
		canceled := insert(t, s, object, map[string]any{"Status__c": "canceled"})
		for _, other := range []map[string]any{
			{"Status__c": "Send", "Message_SID__c": "SM1"}, {"Status__c": "canceled", "Message_SID__c": "SM2"}, {"Status__c": "failed"},
			{"Status__c": "Uncertain"}, {}, {"Status__c": "Sending"}, {"Body__c": "Send"},
		} {
			insert(t, s, object, other)
		}
		require.NoError(t, p.Run(t.Context()))
		require.Len(t, b.by, 4)
		require.Equal(t, []string{full, least}, b.order[:2], "in the order in which they were written")
		d := b.by[full]
		require.NotEmpty(t, d.Owner)
		require.False(t, d.Modified.IsZero())
		want := message.Draft{
			ID: full, Modified: d.Modified, Owner: d.Owner, Ask: message.AskSend, To: "(415) 555-0100", Sender: "+14155550199",
			Body: "Hi,\n\"you\" 😀", Media: "https://x.test/a.png\nhttps://x.test/b.png", Content: "HX1", Values: `{"1":"Ada"}`, SendAt: at,
		}
		require.Equal(t, want, d)
		require.Equal(t, message.Draft{ID: least, Modified: b.by[least].Modified, Owner: d.Owner, Ask: message.AskSend, Sender: "MG1"}, b.by[least])
		require.Equal(t, message.AskDraft, b.by[draft].Ask)
		require.Equal(t, message.AskCancel, b.by[canceled].Ask)
		again, err := m.ReadDrafts(t.Context(), []string{least, full})
		require.NoError(t, err)
		require.Equal(t, []message.Draft{b.by[least], want}, again)
	})
}

func TestAUserWhoTakesADraftBackIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, p, b := polled(t, records.Names{})
		send := func() string { return insert(t, s, object, map[string]any{"Status__c": "Send"}) }
		back, canceled, gone, sent, other, unsure := send(), send(), send(), send(), send(), send()
		require.NoError(t, p.Run(t.Context()))
		require.Len(t, b.by, 6)
		time.Sleep(15 * time.Second)
		require.NoError(t, s.Update(object, back, map[string]any{"Status__c": "Draft"}))
		require.NoError(t, s.Update(object, canceled, map[string]any{"Status__c": "canceled"}))
		require.NoError(t, s.Update(object, sent, map[string]any{"Message_SID__c": "SM1"}))
		require.NoError(t, s.Update(object, other, map[string]any{"Status__c": "On hold"}))
		require.NoError(t, s.Update(object, unsure, map[string]any{"Status__c": "Uncertain"}))
		require.NoError(t, s.Delete(object, gone))
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, message.AskDraft, b.by[back].Ask)
		require.Equal(t, message.AskCancel, b.by[canceled].Ask)
		require.True(t, b.by[gone].Deleted)
		require.NotContains(t, b.by, sent)

		s.EmptyRecycleBin()
		now, err := m.ReadDrafts(t.Context(), []string{gone, back, canceled, sent, other, unsure})
		require.NoError(t, err)
		require.Equal(t, message.Draft{ID: gone, Deleted: true}, now[0])
		for i, ask := range []message.Ask{message.AskDraft, message.AskCancel, "", "", message.AskUncertain} {
			require.Equal(t, ask, now[i+1].Ask)
			require.False(t, now[i+1].Deleted)
		}
	})
}

func TestWhatIsNotTakenComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p, b := polled(t, records.Names{})
		id := insert(t, s, object, map[string]any{"Status__c": "Send"})
		b.fail = errors.New("the disk is full")
		require.ErrorIs(t, p.Run(t.Context()), b.fail)
		time.Sleep(10 * time.Minute)
		b.fail = nil
		require.NoError(t, p.Run(t.Context()))
		require.Contains(t, b.by, id)
		time.Sleep(26 * time.Hour)
		require.NoError(t, p.Run(t.Context()))
		b.by = nil
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, b.by, "the poll is about what changes, not about all that is there")
	})
}

func TestTenThousandDraftsAtOnceAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p, b := polled(t, records.Names{})
		rows := make([]map[string]any, 10_000)
		for i := range rows {
			rows[i] = map[string]any{"Status__c": "Send", "Body__c": "hello"}
		}
		_, err := s.Load(object, rows)
		require.NoError(t, err)
		require.NoError(t, p.Run(t.Context()))
		require.Len(t, b.by, 10_000)
	})
}

func TestAnOrgWithoutTheDraftsFieldsStillSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, p, b := polled(t, records.Names{ContentSID: records.NoField})
		for _, name := range []string{"Send_At__c", "Media_Url__c", "Content_Variables__c", "Messaging_Service_Sid__c", "Request_Key__c"} {
			require.NoError(t, s.HideField(object, name, true))
		}
		require.NoError(t, s.ReadOnlyField(object, "Rejected_SID__c", true))
		at := time.Now().Add(time.Hour)
		id := insert(t, s, object, map[string]any{"Status__c": "Send", "Body__c": "hello", "Content_Sid__c": "HX1", "Send_At__c": at})
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, p.LeftOut())
		require.Equal(t, "hello", b.by[id].Body)
		require.Empty(t, b.by[id].Content, "not wanted")
		require.Zero(t, b.by[id].SendAt, "without the field nothing is scheduled")
		require.ElementsMatch(t, []string{
			"Send_At__c", "Media_Url__c", "Content_Variables__c", "Messaging_Service_Sid__c", "Request_Key__c", "Rejected_SID__c",
		}, m.Missing())
		outcomes, err := m.WriteBack(t.Context(), []message.Result{{ID: id, RejectedSID: "SM1", Status: "failed", ErrorCode: 21211}})
		requireAll(t, outcomes, err)
	})
}

func TestAFieldThatIsHiddenLaterIsLeftOutBeforeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p, b := polled(t, records.Names{})
		require.NoError(t, p.Run(t.Context()))
		require.NoError(t, s.HideField(object, "Media_Url__c", true))
		id := insert(t, s, object, map[string]any{"Status__c": "Send"})
		require.NoError(t, p.Run(t.Context()))
		left := p.LeftOut()
		require.Len(t, left, 1)
		require.Equal(t, salesforce.CodeInvalidField, fault.CodeOf(left[0].Err))
		time.Sleep(10 * time.Minute)
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, p.LeftOut())
		require.Contains(t, b.by, id)
	})
}

func TestDraftsOfAnOrgThatCannotHoldMessagesAreLeftOutByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, p, b := polled(t, records.Names{})
		require.NoError(t, s.HideField(object, "Body__c", true))
		id := insert(t, s, object, map[string]any{"Status__c": "Send"})
		require.NoError(t, p.Run(t.Context()))
		left := p.LeftOut()
		require.Len(t, left, 1)
		require.Equal(t, object, left[0].Object)
		require.Equal(t, []string{"Body__c"}, fault.Of(left[0].Err).Fields)
		_, err := m.ReadDrafts(t.Context(), []string{id})
		require.Equal(t, records.CodeSchema, fault.CodeOf(err))

		require.NoError(t, s.HideField(object, "Body__c", false))
		time.Sleep(11 * time.Minute)
		require.NoError(t, p.Run(t.Context()))
		require.Empty(t, p.LeftOut())
		require.Contains(t, b.by, id)
	})
}

func TestAnOrgThatDoesNotAnswerKeepsDraftsFromNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, _, b := polled(t, records.Names{})
		org := orgOf(t, s)
		watches := records.NewWatches(nil)
		p := newPoll(t, org, &marks{}, m.DraftsPart(b.take), watches.Part())
		id := insert(t, s, object, map[string]any{"Status__c": "Send"})
		insert(t, s, "TwilioSF_Watch__c", map[string]any{"Phone_Number__c": "+14155550101", "Expires_At__c": time.Now().Add(time.Hour)})
		s.Script(salesforcetest.ServerUnavailable().On(salesforcetest.OpDescribe).Forever())
		require.ErrorContains(t, p.Run(t.Context()), "drafts")
		require.True(t, watches.Watched(time.Now()))
		require.Empty(t, p.LeftOut(), "it will pass")
		s.ClearFaults()
		require.NoError(t, p.Run(t.Context()))
		require.Contains(t, b.by, id)
	})
}

func TestDraftsHaveTheOrgsOwnNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p, b := polled(t, records.Names{Body: "media_url__c", MediaURL: "Body__c"})
		id := insert(t, s, object, map[string]any{"Status__c": "Send", "Media_Url__c": "the text", "Body__c": "https://x.test/a.png"})
		require.NoError(t, p.Run(t.Context()))
		require.Equal(t, "the text", b.by[id].Body)
		require.Equal(t, "https://x.test/a.png", b.by[id].Media)
	})
}

func TestADraftWithAnUnreadableTimeIsNotSentAtOnce(t *testing.T) {
	f := newFake()
	f.answers = []map[string]any{{
		"Id": "a00000000000001AAA", "SystemModstamp": "2026-01-02T03:04:05.000+0000", "Status__c": "Send", "Send_At__c": "tomorrow",
	}}
	_, err := newMessages(t, f).ReadDrafts(t.Context(), []string{"a00000000000001AAA"})
	require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err))
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05.000+0000": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05.000+0530": time.Date(2026, 1, 1, 21, 34, 5, 0, time.UTC),
		"2026-01-02T03:04:05.000Z":     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		f.answers[0]["Send_At__c"] = text
		drafts, err := newMessages(t, f).ReadDrafts(t.Context(), []string{"a00000000000001AAA"})
		require.NoError(t, err)
		require.Equal(t, want, drafts[0].SendAt, text)
	}
}

func TestReadingDraftsHasItsBounds(t *testing.T) {
	f := newFake()
	m := newMessages(t, f)
	drafts, err := m.ReadDrafts(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, drafts)
	_, err = m.ReadDrafts(t.Context(), make([]string, 201))
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
	require.Zero(t, f.describes)
}
