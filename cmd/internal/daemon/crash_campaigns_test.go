package daemon_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	// fewCampaignKills is how often a daemon that sends a campaign is killed in a run
	// of all tests, and fewMembers is for how many the campaign then is.
	fewCampaignKills = 12
	fewMembers       = 150

	bulkObject = "TwilioSF_Bulk_Message__c"
	// member begins the numbers of those that campaigns are for.
	member = "+1718"
)

// gatherMoments are those of reading an audience, in their order: nothing is read
// anew that a commit has kept, so each comes once.
func gatherMoments(members int) []moment {
	all := []moment{
		{name: "an audience", of: isAudience, n: 1, when: before, lost: true},
		{name: "an audience", of: isAudience, n: 1, when: after},
		{name: "before the store keeps a page of the audience", end: "added:1"},
		{name: "behind the store's page of the audience", end: "added+:1"},
	}
	if members > 2000 { // an export
		all = append(all, []moment{
			{name: "before the store keeps a page of the audience", end: "added:1"},
			{name: "the rows of an export", of: isExported, n: 1, when: after},
			{name: "behind the store's page of the audience", end: "added+:1"},
			{name: "behind the store's page of the audience", end: "added+:1"},
		}...)
	}
	return append(all, []moment{
		{name: "records of those left out", of: isUnsent, n: 1, when: before},
		{name: "before the store notes who has a record", end: "recorded:1"},
		{name: "behind the store's note of who has a record", end: "recorded+:1"},
	}...)
}

// campaignKinds are the phases of a campaign under way.
func campaignKinds(share int) []kind {
	return []kind{
		{"before the store hands members over", nil, share, "handed"},
		{"behind the store's handing over", nil, share, "handed+"},
		{"before a commit of intents", nil, share, "intent"},
		{"behind a commit of intents", nil, share, "intent+"},
		{"a create", isCreate, share, ""},
		{"a create after others", isCreate, 2 * share, ""},
		{"before a commit of outcomes", nil, share, "outcome"},
		{"behind a commit of outcomes", nil, share, "outcome+"},
		{"the record is told", isTold, 1, ""},
		{"statuses of members", isMembers, 1, ""},
		{"behind the store's note of members' statuses", nil, 1, "answered+"},
		{"a look-up of a send", isLookUp, 2, ""},
		{"any request", func(call) bool { return true }, 60, ""},
		{"a commit of the store", nil, 60, "commit"},
	}
}

// P5, P6 and P10: a campaign whose daemon is killed at any moment sends to each of
// its audience once, to nobody who is left out, and its counters add up.
func TestCrashesSendACampaignOnceToEachOfItsMembers(t *testing.T) {
	kills := number(t, "TWILIOSF_KILLS", fewCampaignKills)
	members := number(t, "TWILIOSF_MEMBERS", fewMembers)
	seed := uint64(number(t, "TWILIOSF_SEED", 6))
	w := newCrashWorld(t, seed)
	w.people.past(2, 20, 160)
	w.mail(t, members)
	script := gatherMoments(members)
	d := &deck{kinds: campaignKinds(max(members/kills/4, 4)), rng: rand.New(rand.NewPCG(seed, 4))}
	timely, found, all := map[string]int{}, findings{}, 0
	for n := range kills {
		if w.mailing.over() {
			t.Logf("all is sent after %d kills", n)
			break
		}
		if n > len(script) && n%10 == 9 {
			w.live(t, d.stop())
		}
		var m moment
		if n < len(script) {
			m = script[n]
		} else {
			m = d.deal()
		}
		if w.live(t, m) {
			timely[m.name]++
			all++
		}
		w.mailing.requireNoneTwice(t, w.Twilio)
		found.note(t, w)
	}
	for name, n := range timely {
		t.Logf("%4d kills: %s", n, name)
	}
	t.Logf("%d kills, %d of them at their moment; %s", kills, all, &found)
	require.Greater(t, all, kills/2, "too few kills came at their moment: the suite shows little")
	w.finish(t)
	w.mailing.requireSent(t, w)
	w.mailing.forget(t, w.Twilio)
	w.requireEqual(t)
}

// mailing is a campaign, and who it is for.
type mailing struct {
	org      *salesforcetest.Server
	id       string // its record
	campaign string
	members  int
	allowed  map[twiliotest.Sent]bool
	refused  map[string]bool // numbers that Twilio refuses
	gone     map[string]bool // SIDs out of the comparison
}

// mail lets the world's org have a campaign that asks to be sent, and one of eight
// creates be answered by a reset.
func (w *crashWorld) mail(t *testing.T, members int) {
	t.Helper()
	m := &mailing{org: w.Org, members: members, allowed: map[twiliotest.Sent]bool{}, refused: map[string]bool{}, gone: map[string]bool{}}
	w.mailing = m
	m.campaign = m.insert(t, "Campaign", map[string]any{"Name": "Spring"})
	m.insert(t, "CampaignMemberStatus", map[string]any{"CampaignId": m.campaign, "Label": "Invited", "SortOrder": 0})
	contacts, out := make([]map[string]any, members), map[string]bool{}
	for i := range contacts {
		n := i
		if at := i % 50; at > 3 && at < 6 { // share a number with the one before them
			n -= at - 3
		}
		number := fmt.Sprintf("%s%07d", member, 2_000_000+n)
		contacts[i] = map[string]any{"FirstName": "Ann" + number[8:], "LastName": "Lee", "MobilePhone": number}
		switch i % 50 {
		case 0:
			delete(contacts[i], "MobilePhone")
		case 1:
			contacts[i]["MobilePhone"] = "12"
		case 2:
			out[number] = true
		case 6:
			w.Twilio.RefuseTo(number, 21614)
			m.refused[number] = true
		default:
			m.allowed[twiliotest.Sent{To: number, Body: "Hi Ann" + number[8:]}] = true
		}
	}
	ids, err := w.Org.Load("Contact", contacts)
	require.NoError(t, err)
	invited := make([]map[string]any, members)
	for i, id := range ids {
		invited[i] = map[string]any{"CampaignId": m.campaign, "ContactId": id, "Status": "Invited"}
	}
	_, err = w.Org.Load("CampaignMember", invited)
	require.NoError(t, err)
	for number := range out {
		m.insert(t, "TwilioSF_Opt_In__c", map[string]any{
			"Phone_Number__c": number, "Unique_Key__c": number + ":*", "Active__c": false, "Opt_Out_At__c": "2026-01-02T03:04:05.000+0000",
		})
	}
	m.id = m.insert(t, bulkObject, map[string]any{
		"Campaign__c": m.campaign, "Body__c": "Hi {!Contact.FirstName|there}", "Sender__c": sender, "Status__c": "Send",
	})
	w.Twilio.SetWeather(
		twiliotest.Chance{P: 0.06, Fault: twiliotest.ResetAfter().On(twiliotest.CreateMessage)},
		twiliotest.Chance{P: 0.06, Fault: twiliotest.ResetBefore().On(twiliotest.CreateMessage)},
	)
	w.yaml = strings.Replace(w.yaml, "twilio:\n", "campaigns: {quiet_hours: \"off\", every: 15s}\ntwilio:\n  sender: \""+sender+"\"\n", 1)
	require.NoError(t, os.WriteFile(w.configPath(), []byte(w.yaml), 0o600))
}

func (m *mailing) insert(t *testing.T, object string, values map[string]any) string {
	t.Helper()
	id, err := m.org.Insert(object, values)
	require.NoError(t, err)
	return id
}

// sent are the texts that those it is for were sent.
func (m *mailing) sent(tw *twiliotest.Server) map[twiliotest.Sent]int {
	all := map[twiliotest.Sent]int{}
	for what, n := range tw.Accepted() {
		if strings.HasPrefix(what.To, member) {
			all[what] = n
		}
	}
	return all
}

// requireNoneTwice is P5 and P6 at any moment.
func (m *mailing) requireNoneTwice(t *testing.T, tw *twiliotest.Server) {
	t.Helper()
	for what, n := range m.sent(tw) {
		require.True(t, m.allowed[what], "%s was sent %q", what.To, what.Body)
		require.Equal(t, 1, n, what.To)
	}
}

// isRefused says whether a message is Twilio's note of a create that it has refused,
// which the outbox writes back to its recipient's record.
func (m *mailing) isRefused(tw *twiliotest.Server, sid string) bool {
	if m == nil {
		return false
	}
	row, _ := tw.Message(sid)
	return m.refused[row.To] || m.gone[sid]
}

// refusals are the SIDs of all such messages.
func (m *mailing) refusals(tw *twiliotest.Server) (sids []string) {
	if m == nil {
		return nil
	}
	for row := range tw.Messages() {
		if m.refused[row.To] {
			sids = append(sids, row.SID)
		}
	}
	return sids
}

// over says whether its record is complete and all who were sent to are counted.
func (m *mailing) over() bool {
	if m == nil {
		return true
	}
	row, _ := m.org.Row(bulkObject, m.id)
	return row["Status__c"] == "Completed"
}

// unsent are the records of those who have no message.
func (m *mailing) unsent() (ids []string) {
	if m == nil {
		return nil
	}
	for row := range m.org.Rows(sandbox.MessageObject) {
		if row["Bulk_Message__c"] == m.id && row[sandbox.SIDField] == nil {
			ids = append(ids, row["Id"].(string))
		}
	}
	return ids
}

// requireSent compares the audience with what was sent and is shown, when all is
// over.
func (m *mailing) requireSent(t *testing.T, w *crashWorld) {
	t.Helper()
	m.requireNoneTwice(t, w.Twilio)
	sent := m.sent(w.Twilio)
	require.Len(t, sent, len(m.allowed), "each who may be is sent to")
	row, ok := m.org.Row(bulkObject, m.id)
	require.True(t, ok)
	skipped := m.members - len(m.allowed) - len(m.refused)
	require.Equal(t, "Completed", row["Status__c"])
	require.EqualValues(t, m.members, row["Total__c"], row)
	require.EqualValues(t, len(m.allowed), row["Accepted__c"], row)
	require.EqualValues(t, skipped, row["Skipped__c"], row)
	records, sids := 0, map[any]bool{}
	for r := range m.org.Rows(sandbox.MessageObject) {
		if r["Bulk_Message__c"] == m.id {
			records++
			if sid := r[sandbox.SIDField]; sid != nil {
				require.False(t, sids[sid], sid)
				sids[sid] = true
			}
		}
	}
	require.Equal(t, m.members, records, "one record a recipient")
	m.requireRefused(t, w.Twilio)
	statuses := map[any]int{}
	for r := range m.org.Rows("CampaignMember") {
		statuses[r["Status"]]++
	}
	require.Equal(t, map[any]int{"Sent": len(m.allowed), "Invited": m.members - len(m.allowed)}, statuses)
	t.Logf("%d members, %d of them sent to once, %d left out, %d refused", m.members, len(sent), skipped, len(m.refused))
}

// requireRefused has each number that Twilio refuses asked for once, and shown so.
func (m *mailing) requireRefused(t *testing.T, tw *twiliotest.Server) {
	t.Helper()
	sids := m.refusals(tw)
	require.Len(t, sids, len(m.refused))
	shown := map[any]any{}
	for r := range m.org.Rows(sandbox.MessageObject) {
		if r["Bulk_Message__c"] == m.id && r["Rejected_SID__c"] != nil {
			shown[r["Rejected_SID__c"]] = fmt.Sprint(r["Status__c"], " ", r["Error_Code__c"])
		}
	}
	for _, sid := range sids {
		require.Equal(t, "failed 21614", shown[sid], "%s %v", sid, shown)
	}
}

// forget takes those away who have no message, out of the comparison.
func (m *mailing) forget(t *testing.T, tw *twiliotest.Server) {
	t.Helper()
	for _, sid := range m.refusals(tw) {
		require.True(t, tw.Delete(sid))
		m.gone[sid] = true
	}
	for _, id := range m.unsent() {
		require.NoError(t, m.org.Delete(sandbox.MessageObject, id))
	}
}

// taken is how many of Twilio's messages are out of the comparison.
func (m *mailing) taken() int {
	if m == nil {
		return 0
	}
	return len(m.gone)
}

// What a request is for, by its form.

func isAudience(c call) bool {
	return c.at == atOrg && (strings.Contains(query(c).Get("q"), "FROM CampaignMember") ||
		c.r.Method == http.MethodPost && strings.HasSuffix(c.r.URL.Path, "/jobs/query") && bytes.Contains(c.body, []byte("FROM CampaignMember")))
}

func isExported(c call) bool {
	return c.at == atOrg && strings.HasSuffix(c.r.URL.Path, "/results") && query(c).Get("maxRecords") == "2000"
}

func isTold(c call) bool { return isUpdate(c) && bytes.Contains(c.body, []byte(`"`+bulkObject+`"`)) }

func isMembers(c call) bool { return isUpdate(c) && bytes.Contains(c.body, []byte(`"CampaignMember"`)) }

func isUnsent(c call) bool {
	return isUpsert(c) && strings.HasSuffix(c.r.URL.Path, "/Request_Key__c")
}
