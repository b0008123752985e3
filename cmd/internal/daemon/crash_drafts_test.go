package daemon_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	messages = "TwilioSF_Message__c"
	// fewDraftKills is how often a daemon that sends is killed in a run of all tests.
	fewDraftKills = 12
	// perLife is how many records ask in each life.
	perLife = 3
)

func isCreate(c call) bool {
	return c.at == atTwilio && c.r.Method == http.MethodPost && strings.HasSuffix(c.r.URL.Path, "/Messages.json")
}

func isWriteBack(c call) bool {
	return c.at == atOrg && c.r.Method == http.MethodPatch && strings.HasSuffix(c.r.URL.Path, "/composite/sobjects")
}

// whileSending are moments of a life that sends.
func whileSending(rng *rand.Rand, n int) moment {
	m := moment{name: "a create", of: isCreate, n: 1 + rng.IntN(perLife), when: []when{before, after}[rng.IntN(2)], lost: rng.IntN(2) == 0}
	switch n % 4 {
	case 1:
		m.name, m.of, m.n = "a write-back", isWriteBack, 1
	case 2:
		m = moment{name: "a commit of the store", end: fmt.Sprintf("commit:%d", 10+rng.IntN(40))}
	}
	return m
}

// A daemon that is killed in the middle of its work sends nothing twice and loses nothing
// (P5), counted in the account: whatever the record says and whatever the list
// shows.
func TestCrashesSendEachRecordOnce(t *testing.T) {
	t.Setenv(childSends, "1")
	kills := number(t, "TWILIOSF_KILLS", fewDraftKills)
	rng := rand.New(rand.NewPCG(11, 1))
	w := newCrashWorld(t, 11)
	w.people.sleep()
	asked := map[string]string{} // record by body
	timely := 0
	for n := range kills {
		for range perLife {
			w.ask(t, asked)
		}
		l := w.start(t, whileSending(rng, n))
		if l.await(t) {
			timely++
		}
		w.quiesce()
	}
	require.Greater(t, timely, kills/2, "too few kills came at their moment: the suite shows little")
	l := w.start(t, moment{name: "the last one", polite: true})
	require.Eventually(t, func() bool { return w.shown(asked) }, 2*time.Minute, 200*time.Millisecond, "%s", l.log)
	l.came = true
	l.stop()
	require.True(t, l.await(t))
	w.quiesce()
	sent := map[string]int{}
	for row := range w.Twilio.Messages() {
		if strings.HasPrefix(row.Body, "draft ") {
			sent[row.Body]++
		}
	}
	require.Len(t, sent, len(asked))
	for body := range asked {
		require.Equal(t, 1, sent[body], body)
	}
	t.Logf("%d kills, %d of them at their moment; %d records", kills, timely, len(asked))
}

// ask makes a record that asks to be sent.
func (w *crashWorld) ask(t *testing.T, asked map[string]string) {
	t.Helper()
	body := fmt.Sprintf("draft %d", len(asked))
	id, err := w.Org.Insert(messages, map[string]any{
		"Status__c": "Send", "To_Number__c": theirs(len(asked) % 5), "From_Number__c": ours, "Body__c": body,
	})
	require.NoError(t, err)
	asked[body] = id
}

// shown says whether every record has its message, and each another.
func (w *crashWorld) shown(asked map[string]string) bool {
	sids := map[any]bool{}
	for _, id := range asked {
		row, ok := w.Org.Row(messages, id)
		if !ok || row["Message_SID__c"] == nil {
			return false
		}
		sids[row["Message_SID__c"]] = true
	}
	return len(sids) == len(asked)
}
