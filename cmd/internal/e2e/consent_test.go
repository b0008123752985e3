package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/store"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	keywordObject = "TwilioSF_Opt_In_Keyword__c"
	optInObject   = "TwilioSF_Opt_In__c"
)

func (w *world) keyword(word, reply string) string {
	w.t.Helper()
	id, err := w.org.Insert(keywordObject, map[string]any{"Name": word, "Reply__c": reply})
	require.NoError(w.t, err)
	return id
}

// allowed stops the daemon and asks its store.
func (w *world) allowed(keyword string, numbers ...string) map[message.Number]bool {
	w.t.Helper()
	w.stop()
	cfg, err := w.load()
	require.NoError(w.t, err)
	st, err := store.Open(w.t.Context(), store.Options{URL: cfg.Store, Version: "test"})
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, st.Close()) }()
	var all []message.Number
	for _, n := range numbers {
		all = append(all, message.Number(n))
	}
	may, err := st.Allowed(w.t.Context(), all, keyword)
	require.NoError(w.t, err)
	return may
}

// shown is the one opt-in of a key in the org, in short.
func (w *world) shown(key string) string {
	w.t.Helper()
	rows := w.org.ByKey(optInObject, "Unique_Key__c", key)
	require.Len(w.t, rows, 1, key)
	return fmt.Sprint(rows[0]["Active__c"])
}

// replies is how many answers have become messages.
func (w *world) replies() int { return w.twilio.WebhookCalls().Replies }

func (w *world) writes(from, body string) {
	w.twilio.Receive(twiliotest.Inbound{From: from, To: ours, Body: body})
	time.Sleep(5 * time.Second)
}

func TestAKeywordIsAnsweredOnceAndAStopNever(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		k := w.keyword("JOIN", "Welcome <to> us & \"friends\"")
		w.keyword("quiet", "")
		defer w.call(twiliotest.Webhook{Twice: 1})()
		w.start()
		time.Sleep(2 * time.Minute) // the poll's turn
		w.writes(theirs, "join us")
		w.writes(theirs, "   ")
		w.writes(theirs, "quiet")
		require.Zero(t, w.replies())
		w.writes(theirs, " Join. ")
		require.Equal(t, 1, w.replies(), "though each call came twice")
		require.Equal(t, 5, w.twilio.Len())
		require.Equal(t, "true", w.shown(theirs+":"+k))
		w.writes(theirs, "STOP")
		w.writes(theirs, "HELP")
		w.writes(theirs, "join")
		require.Equal(t, 1, w.replies(), "nothing goes to who has opted out")
		require.Equal(t, "false", w.shown(theirs+":*"))
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed(k, theirs))
		w.start()
		w.writes(theirs, "START")
		w.writes(theirs, "JOIN")
		require.Equal(t, 2, w.replies(), "the keyword is known after a restart")
		require.Equal(t, "true", w.shown(theirs+":*"))
		require.Equal(t, 3, w.org.Count(optInObject), "one for each keyword, and one for the number")
		require.Equal(t, map[message.Number]bool{theirs: true, ours: false}, w.allowed(k, theirs, ours))
	})
}

func TestWordsCountHoweverTheyAreLearnt(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.change(func(s *settings) { s.rest += "consent:\n  stop_words: [PARAR]\n" })
		numbers := make([]string, 6)
		for i := range numbers {
			numbers[i] = fmt.Sprint("+1415555030", i)
		}
		w.writes(numbers[0], "STOP")
		w.writes(numbers[1], "parar")
		w.writes(numbers[2], "basta")
		w.writes(numbers[3], "stop please")
		out := w.twilio.Send(twiliotest.Outbound{From: ours, To: numbers[4], Body: "hello"})
		w.twilio.SetStatus(out, "failed", 21610)
		w.start()
		w.untilMirrored(20 * time.Minute)
		want := map[message.Number]bool{}
		for i, n := range numbers {
			want[message.Number(n)] = i != 0 && i != 1 && i != 4
		}
		require.Equal(t, want, w.allowed("", numbers...))

		w.start()
		w.reconfigure(func(s *settings) { s.rest = replaced(t, s.rest, "[PARAR]", "[PARAR, Basta]") })
		time.Sleep(time.Second)
		w.writes(numbers[2], "basta")
		w.writes(numbers[0], "Unstop")
		time.Sleep(20 * time.Minute)
		want[message.Number(numbers[2])], want[message.Number(numbers[0])] = false, true
		require.Equal(t, want, w.allowed("", numbers...))
	})
}

func TestAKeywordThatIsAStopWordIsSaidAndNeverMeansAnythingElse(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		id := w.keyword("Stop", "Welcome")
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(2 * time.Minute)
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "opt-in-keywords", all[0].Name)
		require.Contains(t, all[0].Cause, `"Stop" is a stop word`)
		w.writes(theirs, "stop")
		require.Zero(t, w.replies())
		require.NoError(t, w.org.Delete(keywordObject, id))
		time.Sleep(2 * time.Minute)
		require.Empty(t, w.conditions())
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed("", theirs))
	})
}

func TestANewStoreKnowsWhoHasOptedOutInTheOrg(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		add := func(number string, row map[string]any) {
			row["Phone_Number__c"] = number
			_, err := w.org.Insert(optInObject, row)
			require.NoError(t, err)
		}
		k := w.keyword("JOIN", "")
		add("+14155550301", map[string]any{"Active__c": false, "Opt_Out_At__c": time.Now().Add(-time.Hour), "Message_SID__c": "SM1"})
		add("+1 415 555 0302", map[string]any{"Active__c": true, "Keyword__c": k})
		time.Sleep(48 * time.Hour)
		w.start()
		time.Sleep(time.Minute)
		require.Empty(t, w.conditions())
		add("+14155550303", map[string]any{"Active__c": false})
		time.Sleep(2 * time.Minute)
		require.Equal(t, map[message.Number]bool{"+14155550301": false, "+14155550302": true, "+14155550303": false}, w.allowed("", "+14155550301", "+14155550302", "+14155550303"))
		w.start()
		require.Equal(t, map[message.Number]bool{"+14155550302": true, "+14155550304": false}, w.allowed(k, "+14155550302", "+14155550304"))
	})
}

func TestWithoutTheObjectsOfConsentWordsCountAndWait(t *testing.T) {
	bare := metadataWithout(t, optInObject, keywordObject, "Campaign") // a Campaign points to a keyword
	inBubble(t, quiet(), salesforcetest.Options{Schema: bare}, func(t *testing.T, w *world) {
		w.start()
		time.Sleep(2 * time.Minute)
		all := w.conditions()
		require.Len(t, all, 1)
		require.Equal(t, "salesforce-poll", all[0].Name)
		require.Contains(t, all[0].Cause, optInObject)
		require.Contains(t, all[0].Cause, keywordObject)
		w.writes(theirs, "STOP")
		w.untilMirroredDespite(20 * time.Minute)
		time.Sleep(time.Hour)
		require.Equal(t, all, w.conditions(), "one fact is one condition")
		require.True(t, w.status().Ready)

		w.replaceOrg(salesforcetest.Options{})
		time.Sleep(30 * time.Minute)
		require.Empty(t, w.conditions())
		require.Equal(t, "false", w.shown(theirs+":*"), "it has waited for the objects")
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed("", theirs))
	})
}

// untilMirroredDespite waits for the records alone.
func (w *world) untilMirroredDespite(limit time.Duration) {
	w.t.Helper()
	w.until(limit, 10*time.Second, "mirrored", func() bool { return w.org.Count(object) == w.twilio.Len() })
}

// Who opts in is added to the keyword's campaign; and consent stays with the
// number, so it ends when the person has another one.
func TestWhoOptsInJoinsTheCampaignUntilTheirNumberChanges(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		insert := func(object string, values map[string]any) string {
			id, err := w.org.Insert(object, values)
			require.NoError(t, err)
			return id
		}
		campaign := insert("Campaign", map[string]any{"Name": "Spring"})
		k := insert(keywordObject, map[string]any{"Name": "JOIN", "Campaign__c": campaign})
		ann := insert("Contact", map[string]any{"LastName": "Ann", "MobilePhone": "(415) 555-0123"})
		const shared = "+14155550177"
		const taken = "+14155550188"
		cyd := insert("Contact", map[string]any{"LastName": "Cyd", "MobilePhone": taken})
		insert("Lead", map[string]any{"LastName": "Bob", "Company": "B", "MobilePhone": shared})
		bob := insert("Contact", map[string]any{"LastName": "Bob", "MobilePhone": shared})
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(2 * time.Minute)
		w.writes(theirs, "join")
		w.writes(shared, "join")
		w.writes(taken, "join")
		time.Sleep(time.Minute)
		members := map[any]bool{}
		for row := range w.org.Rows("CampaignMember") {
			require.Equal(t, campaign, row["CampaignId"])
			members[row["ContactId"]] = true
		}
		require.Equal(t, map[any]bool{ann: true, bob: true, cyd: true}, members)
		require.Equal(t, ann, w.org.ByKey(optInObject, "Unique_Key__c", theirs+":"+k)[0]["Contact__c"])

		insert("Contact", map[string]any{"LastName": "Bea", "HomePhone": shared})
		time.Sleep(6 * time.Minute)
		require.NoError(t, w.org.Update("Contact", ann, map[string]any{"MobilePhone": "(415) 555-0124"}))
		require.NoError(t, w.org.Update("Contact", bob, map[string]any{"MobilePhone": "(415) 555-0178"}))
		require.NoError(t, w.org.Update("Contact", cyd, map[string]any{"MobilePhone": nil}))
		time.Sleep(6 * time.Minute)
		require.Equal(t, "false", w.shown(theirs+":"+k))
		require.Equal(t, "true", w.shown(shared+":"+k), "somebody else has that number still")
		require.Equal(t, "true", w.shown(taken+":"+k), "a number that was only taken out has not moved")
		require.Empty(t, w.conditions())
	})
}

// Users edit opt-ins in the org, and what they say last counts.
func TestWhatAUserTicksAndUnticksStays(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		k := w.keyword("JOIN", "")
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(2 * time.Minute)
		w.writes(theirs, "join")
		time.Sleep(2 * time.Minute)
		sets := func(key string, active bool) {
			t.Helper()
			id := fmt.Sprint(w.org.ByKey(optInObject, "Unique_Key__c", key)[0]["Id"])
			require.NoError(t, w.org.Update(optInObject, id, map[string]any{"Active__c": active}))
			time.Sleep(5 * time.Minute)
			require.Equal(t, fmt.Sprint(active), w.shown(key))
		}
		for range 3 {
			sets(theirs+":"+k, false)
			sets(theirs+":"+k, true)
		}
		w.writes(theirs, "stop")
		w.writes(theirs, "start")
		time.Sleep(2 * time.Minute)
		for range 3 {
			sets(theirs+":*", false)
			sets(theirs+":"+k, false)
			sets(theirs+":*", true)
			sets(theirs+":"+k, true)
		}
		sets(theirs+":*", false)
		changed := func() any { return w.org.ByKey(optInObject, "Unique_Key__c", theirs+":*")[0]["SystemModstamp"] }
		was := changed()
		time.Sleep(time.Hour)
		require.Equal(t, was, changed(), "nobody writes it again and again")
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed("", theirs))
	})
}

// A date in the future, mistyped, must not outlive a STOP.
func TestAStopCountsThoughAUserHasTypedALaterDate(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		defer w.call(twiliotest.Webhook{})()
		w.start()
		w.writes(theirs, "stop")
		time.Sleep(2 * time.Minute)
		id := fmt.Sprint(w.org.ByKey(optInObject, "Unique_Key__c", theirs+":*")[0]["Id"])
		require.NoError(t, w.org.Update(optInObject, id, map[string]any{"Active__c": true, "Opt_In_At__c": time.Now().Add(1000 * time.Hour)}))
		time.Sleep(5 * time.Minute)
		w.writes(theirs, "stop")
		time.Sleep(30 * time.Minute)
		require.Equal(t, "false", w.shown(theirs+":*"))
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed("", theirs))
	})
}

// A form's record whose keyword is deleted looks like one of the number as a whole.
func TestARecordWhoseKeywordIsDeletedLiftsNoStop(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		k := w.keyword("JOIN", "")
		form, err := w.org.Insert(optInObject, map[string]any{"Phone_Number__c": "(415) 555-0123", "Active__c": true, "Keyword__c": k})
		require.NoError(t, err)
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(2 * time.Minute)
		w.writes(theirs, "stop")
		time.Sleep(time.Minute)
		require.NoError(t, w.org.Delete(keywordObject, k))
		require.NoError(t, w.org.Update(optInObject, form, map[string]any{"Active__c": true}))
		time.Sleep(5 * time.Minute)
		require.Equal(t, "false", w.shown(theirs+":*"))
		require.Equal(t, map[message.Number]bool{theirs: false}, w.allowed("", theirs))
	})
}

// Whether messages have links, or a Case repeats a Contact's number, is nothing to
// consent.
func TestAnOptInHangsOnThePersonAndNeitherOnLinksNorOnCases(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		w.settings.rest += "people: {link: off, owner: integration_user}\n"
		insert := func(object string, values map[string]any) string {
			id, err := w.org.Insert(object, values)
			require.NoError(t, err)
			return id
		}
		k := insert(keywordObject, map[string]any{"Name": "JOIN", "Campaign__c": insert("Campaign", map[string]any{"Name": "Spring"})})
		ann := insert("Contact", map[string]any{"LastName": "Ann", "MobilePhone": "(415) 555-0123"})
		insert("Case", map[string]any{"ContactId": ann, "SuppliedPhone": "415 555 0123"})
		defer w.call(twiliotest.Webhook{})()
		w.start()
		time.Sleep(2 * time.Minute)
		w.writes(theirs, "join")
		time.Sleep(time.Minute)
		var members []any
		for row := range w.org.Rows("CampaignMember") {
			members = append(members, row["ContactId"])
		}
		require.Equal(t, []any{ann}, members)
		require.Equal(t, ann, w.org.ByKey(optInObject, "Unique_Key__c", theirs+":"+k)[0]["Contact__c"])
		for row := range w.org.Rows("TwilioSF_Message__c") {
			require.Nil(t, row["Contact__c"])
		}
		require.NoError(t, w.org.Update("Contact", ann, map[string]any{"MobilePhone": "(415) 555-0124"}))
		time.Sleep(6 * time.Minute)
		require.Equal(t, "false", w.shown(theirs+":"+k))
		require.Empty(t, w.conditions())
	})
}

// The org knows who has opted out, and a new store does not yet: nothing is sent
// before it does.
func TestANewStoreAsksWhoHasOptedOutBeforeItSends(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{}, func(t *testing.T, w *world) {
		_, err := w.org.Insert(optInObject, map[string]any{
			"Phone_Number__c": "+14155550177", "Unique_Key__c": "+14155550177:*", "Active__c": false, "Opt_Out_At__c": "2026-01-02T03:04:05.000+0000",
		})
		require.NoError(t, err)
		w.org.Script(salesforcetest.ServerUnavailable().On(salesforcetest.OpQuery).Times(40))
		asks := w.asks("hello")
		allowed := w.draft(map[string]any{"Status__c": "Send", "To_Number__c": "+14155550178", "From_Number__c": ours, "Body__c": "hello"})
		w.start()
		time.Sleep(time.Hour)
		row, _ := w.org.Row(object, asks)
		require.Equal(t, "failed", row["Status__c"])
		require.Contains(t, row["Error_Message__c"], "opted out")
		row, _ = w.org.Row(object, allowed)
		require.NotEmpty(t, row["Message_SID__c"])
		require.Equal(t, 1, w.twilio.Len())
	})
}
