package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	theirs message.Number = "+14155550123"
	ours   message.Number = "+14155550100"
)

// reads makes the store read words: Twilio's, PARAR, and the keyword JOIN.
func reads(t *testing.T, s *store.Store) {
	t.Helper()
	own, err := consent.NewVocabulary(consent.Lists{Stop: []string{"parar"}})
	require.NoError(t, err)
	v, refused := own.With([]consent.Keyword{{ID: "K1", Word: "join", Campaign: "701"}, {ID: "K2", Word: "vip"}})
	require.Empty(t, refused)
	s.Use(v.Read)
}

// text is a message of theirs, some seconds after noon.
func text(n, sec int, body string) message.Message {
	m := mirrortest.Text(n, now.Add(time.Duration(sec)*time.Second))
	m.From, m.To, m.Body, m.Direction, m.Status = theirs, ours, body, message.Inbound, message.Received
	m.Updated, m.Sent = m.Created, m.Created
	return m
}

// call is the webhook event of a message, received late seconds later.
func call(m *message.Message, late int) message.Event {
	return message.Event{
		Kind: message.InboundEvent, SID: m.SID, From: m.From, To: m.To, Status: message.Received, Body: m.Body,
		Received: m.Created.Add(time.Duration(late) * time.Second),
	}
}

func keep(t *testing.T, s *store.Store, e message.Event) {
	t.Helper()
	_, err := s.Keep(t.Context(), e)
	require.NoError(t, err)
}

// register is it in short: keyword and + or -.
func register(t *testing.T, s *store.Store) string {
	t.Helper()
	rows, err := s.Consent(t.Context(), theirs)
	require.NoError(t, err)
	var all []string
	for _, r := range rows {
		_, name, _ := strings.Cut(r.Key, ":")
		all = append(all, name+map[bool]string{true: "+", false: "-"}[r.Active])
	}
	return strings.Join(all, " ")
}

func may(t *testing.T, s *store.Store, keyword string) bool {
	t.Helper()
	allowed, err := s.Allowed(t.Context(), []message.Number{theirs}, keyword)
	require.NoError(t, err)
	return allowed[theirs]
}

// due are the follow-ups in the queue, by their keys.
func due(t *testing.T, s *store.Store, kind message.FollowUpKind) map[string]message.FollowUp {
	t.Helper()
	all, err := s.FollowUps().Due(t.Context(), kind, now.Add(time.Hour), 1000)
	require.NoError(t, err)
	found := map[string]message.FollowUp{}
	for _, f := range all {
		found[f.FollowUp.Key] = f.FollowUp
	}
	return found
}

func TestAStopCountsFromTheMomentItsWebhookIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		for i, word := range []string{"STOP", "Stop.", "revoke", "OPTOUT", " parar "} {
			m := text(i, 0, word)
			m.From = message.Number(fmt.Sprint("+1415555020", i))
			may := func() bool {
				allowed, err := s.Allowed(t.Context(), []message.Number{m.From}, "")
				require.NoError(t, err)
				return allowed[m.From]
			}
			require.True(t, may())
			keep(t, s, call(&m, 1))
			require.False(t, may(), word)
			f := due(t, s, message.FollowOptIn)[string(m.From)+":*"]
			require.NotNil(t, f.OptIn, "a number without opt-ins has its row in the org too")
			require.False(t, f.OptIn.Active)
			require.Equal(t, m.SID, f.OptIn.Message)
			require.Equal(t, now.Add(time.Second), f.OptIn.OutAt)
		}
	})
}

func TestTwiliosOwnReadingWins(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		m := text(1, 0, "enough of that")
		e := call(&m, 9)
		e.OptOut = "STOP"
		keep(t, s, e)
		require.False(t, may(t, s, ""))
		require.NoError(t, fold(t, s))
		merge(t, s, m) // the API shows no such reading, but the date
		again := text(2, 5, "start")
		merge(t, s, again)
		require.True(t, may(t, s, ""), "the START came 5 s after it, though its call came 9 s late")
	})
}

func TestASweepThatIsFasterThanTheWebhookDatesWhatTwilioHasRead(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		m := text(1, 0, "enough of that")
		e := call(&m, 9)
		e.OptOut = "STOP"
		merge(t, s, m)
		keep(t, s, e)
		require.NoError(t, fold(t, s))
		merge(t, s, text(2, 5, "start"))
		require.True(t, may(t, s, ""))
	})
}

// A kept event and its opt-out are one transaction: while the one cannot be
// written, nor can the other.
func TestAStopAndItsEventCommitTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + path, Version: "test"})
	require.NoError(t, err)
	reads(t, s)
	_, err = s.DB().ExecContext(t.Context(), `CREATE TRIGGER refuse BEFORE INSERT ON consent BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	require.NoError(t, err)
	m := text(1, 0, "STOP")
	_, err = s.Keep(t.Context(), call(&m, 0))
	require.Error(t, err, "Twilio is not told that it is kept")
	events, err := s.Waiting(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Empty(t, events)
	_, _, err = s.Merge(t.Context(), []message.Message{m})
	require.Error(t, err)
	require.Empty(t, changed(t, s), "nor is it mirrored")
	_, err = s.DB().ExecContext(t.Context(), `DROP TRIGGER refuse`)
	require.NoError(t, err)

	keep(t, s, call(&m, 0))
	require.NoError(t, s.Close())
	s, err = store.Open(t.Context(), store.Options{URL: "sqlite://" + path, Version: "test"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.False(t, may(t, s, ""), "and it is there after a restart, before the event is looked at")
}

func TestASweepOrABackfillFindsTheSameWords(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(3, 30, "stop"), text(2, 20, "thank you"), text(1, 10, "join"))
		require.Equal(t, "*- K1-", register(t, s))
		merge(t, s, text(4, -3600, "start"), text(5, -7200, "stop")) // last year's
		require.Equal(t, "*- K1-", register(t, s))
		merge(t, s, text(6, 40, "unstop"))
		require.Equal(t, "*+ K1+", register(t, s))
		require.True(t, may(t, s, "K1"))
		require.False(t, may(t, s, "K2"))
	})
}

func TestWhatWeWriteIsNoConsentOfTheirs(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		m := text(1, 0, "STOP")
		m.Direction, m.From, m.To = message.OutboundAPI, ours, theirs
		merge(t, s, m)
		require.Empty(t, register(t, s))
	})
}

func TestARefusalByTwilioIsAnOptOut(t *testing.T) {
	refused := text(1, 0, "your appointment")
	refused.Direction, refused.From, refused.To, refused.Status = message.OutboundAPI, ours, theirs, message.Failed
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		keep(t, s, message.Event{Kind: message.StatusEvent, SID: refused.SID, From: ours, To: theirs, Status: message.Failed, ErrorCode: 21610, Received: now.Add(time.Minute)})
		require.False(t, may(t, s, ""), "by its callback")
		merge(t, s, text(2, 30, "START"))
		require.False(t, may(t, s, ""))
		known := refused
		known.ErrorCode = 21610
		merge(t, s, known)
		require.True(t, may(t, s, ""), "the message was refused before the START")
	})
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		known := refused
		known.ErrorCode = 30003
		merge(t, s, known)
		require.True(t, may(t, s, ""), "another error says nothing")
		known.ErrorCode, known.Updated = 21610, known.Updated.Add(time.Second)
		merge(t, s, known)
		require.False(t, may(t, s, ""), "by a sweep")
	})
}

func TestAKeywordMakesAnOptInAndAMember(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		m := text(1, 0, "Join.")
		keep(t, s, call(&m, 0))
		require.True(t, may(t, s, "K1"))
		f := due(t, s, message.FollowOptIn)
		require.Len(t, f, 1)
		require.Equal(t, &message.OptIn{Key: "+14155550123:K1", Number: theirs, Keyword: "K1", Active: true, InAt: now, Message: m.SID}, f["+14155550123:K1"].OptIn)
		members := due(t, s, message.FollowMember)
		require.Equal(t, &message.Member{Campaign: "701", Number: theirs}, members["701:+14155550123"].Member)
		drop(t, s)
		m.Created = m.Created.Add(-time.Second)
		merge(t, s, m, text(2, 60, "join"))
		require.Empty(t, due(t, s, message.FollowMember), "a date that is put right and a keyword said again add nobody")
		require.Equal(t, m.Created, due(t, s, message.FollowOptIn)["+14155550123:K1"].OptIn.InAt)
	})
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(1, 0, "join"), text(2, 1, "stop"))
		require.Empty(t, due(t, s, message.FollowMember), "who has left since is not added")
	})
}

func TestTheChannelsOfOneNumberShareAStop(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		m := text(1, 0, "STOP")
		m.From = "rcs:" + theirs
		merge(t, s, m)
		allowed, err := s.Allowed(t.Context(), []message.Number{theirs, "rcs:" + theirs, "whatsapp:" + theirs, ours, ""}, "")
		require.NoError(t, err)
		require.Equal(t, map[message.Number]bool{theirs: false, "rcs:" + theirs: false, "whatsapp:" + theirs: true, ours: true, "": false}, allowed)
	})
}

func TestANumberThatLeftItsPersonIsInNoKeyword(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(1, 0, "join"))
		require.NoError(t, s.Moved(t.Context(), theirs, now.Add(time.Minute)))
		require.NoError(t, s.Moved(t.Context(), theirs, now.Add(time.Minute)))
		require.Equal(t, "K1-", register(t, s))
		require.True(t, may(t, s, ""), "nobody has said STOP")
		require.False(t, due(t, s, message.FollowOptIn)["+14155550123:K1"].OptIn.Active)
		merge(t, s, text(2, -60, "stop"), text(3, -30, "start"))
		require.Equal(t, "*+ K1-", register(t, s))
	})
}

func TestAnEmptyStoreIsFilledFromTheOrg(t *testing.T) {
	out := now.Add(time.Minute)
	rows := []message.OptIn{
		{Number: theirs, Active: false, OutAt: out, Message: "SM9"},
		{Number: theirs, Keyword: "K1", Active: false, InAt: now, OutAt: out, Message: "SM9"},
		{Number: ours, Keyword: "K1", Active: true, InAt: now},
	}
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		place, done, err := s.Filled(t.Context())
		require.NoError(t, err)
		require.True(t, place == "" && !done)
		require.NoError(t, s.Fill(t.Context(), rows[:1], "a01", false))
		place, _, err = s.Filled(t.Context())
		require.NoError(t, err)
		require.Equal(t, "a01", place)
		require.NoError(t, s.Fill(t.Context(), rows[1:], "a03", true))
		require.Equal(t, "*- K1-", register(t, s))
		require.Empty(t, due(t, s, message.FollowOptIn), "the org has it all")
		merge(t, s, text(1, 120, "start"))
		require.Equal(t, "*+ K1+", register(t, s), "START brings back what the STOP had ended")
		require.Len(t, due(t, s, message.FollowOptIn), 2)
	})
}

func TestTheOrgIsToldWhereItIsWrong(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		reads(t, s)
		merge(t, s, text(1, 60, "stop"))
		drop(t, s)
		stale := message.OptIn{Number: theirs, Active: true, InAt: now}
		require.NoError(t, s.Learn(t.Context(), []message.OptIn{stale}))
		require.False(t, may(t, s, ""))
		require.False(t, due(t, s, message.FollowOptIn)["+14155550123:*"].OptIn.Active)
		drop(t, s)
		byUser := message.OptIn{Number: theirs, Active: true, InAt: now.Add(2 * time.Minute)}
		for range 2 {
			require.NoError(t, s.Learn(t.Context(), []message.OptIn{byUser}))
			require.True(t, may(t, s, ""), "a user has lifted the STOP")
			require.Empty(t, due(t, s, message.FollowOptIn))
		}
	})
}

// drop takes what is queued for the org as done.
func drop(t *testing.T, s *store.Store) {
	t.Helper()
	_, err := s.DB().ExecContext(t.Context(), `DELETE FROM followups`)
	require.NoError(t, err)
}

func TestKeywordsOutliveARestart(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		all := []consent.Keyword{{ID: "1", Word: "JOIN", Reply: "Hi", Campaign: "701"}, {ID: "2", Word: "VIP"}}
		require.NoError(t, s.KeepKeywords(t.Context(), all))
		require.NoError(t, s.KeepKeywords(t.Context(), all))
		got, err := s.Keywords(t.Context())
		require.NoError(t, err)
		require.Equal(t, all, got)
	})
}

// Whatever way words are learnt, in whatever order and however often, the register
// ends as their dates say.
func TestHoweverWordsAreLearntTheRegisterIsTheSame(t *testing.T) {
	texts := []string{"stop", "start", "join", "vip", "hello", "parar", "yes"}
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		all := make([]message.Message, 2+random.IntN(7))
		for i := range all {
			all[i] = text(i, random.IntN(10), texts[random.IntN(len(texts))])
		}
		steps := learning(random, all)
		var want []message.OptIn
		onEach(t, func(t *testing.T, s *store.Store) {
			reads(t, s)
			merge(t, s, all...)
			var err error
			want, err = s.Consent(t.Context(), theirs)
			require.NoError(t, err)
		})
		onEach(t, func(t *testing.T, s *store.Store) {
			reads(t, s)
			for _, step := range steps {
				require.NoError(t, step(t, s))
			}
			got, err := s.Consent(t.Context(), theirs)
			require.NoError(t, err)
			require.Equal(t, want, got, "seed %d: %s", seed, inShort(all))
		})
	}
}

func inShort(all []message.Message) string {
	var b strings.Builder
	for i := range all {
		fmt.Fprint(&b, all[i].Body, "@", all[i].Created.Sub(now), " ")
	}
	return b.String()
}

// learning makes every message known by the API at least once, in between by late
// and repeated webhooks, and by our own rows that come back from the org.
func learning(random *rand.Rand, all []message.Message) []func(*testing.T, *store.Store) error {
	var steps []func(*testing.T, *store.Store) error
	for i := range all {
		for range 1 + random.IntN(2) {
			steps = append(steps, func(t *testing.T, s *store.Store) error {
				_, _, err := s.Merge(t.Context(), all[i:i+1])
				return err
			})
		}
		late := random.IntN(20)
		for range random.IntN(3) {
			steps = append(steps, func(t *testing.T, s *store.Store) error {
				_, err := s.Keep(t.Context(), call(&all[i], late))
				return err
			})
		}
		steps = append(steps, fold, echo)
	}
	random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return append(steps, fold, func(t *testing.T, s *store.Store) error {
		_, _, err := s.Merge(t.Context(), all)
		return err
	})
}

func fold(t *testing.T, s *store.Store) error {
	t.Helper()
	events, err := s.Waiting(t.Context(), now.Add(time.Hour), 1000)
	if err != nil {
		return err
	}
	_, _, err = s.Fold(t.Context(), events)
	return err
}

func echo(t *testing.T, s *store.Store) error {
	t.Helper()
	all, err := s.FollowUps().Due(t.Context(), message.FollowOptIn, now.Add(time.Hour), 100)
	if err != nil || len(all) == 0 {
		return err
	}
	var rows []message.OptIn
	for _, f := range all {
		rows = append(rows, *f.FollowUp.OptIn)
	}
	_, err = s.DB().ExecContext(t.Context(), `DELETE FROM followups`)
	return errors.Join(err, s.Learn(t.Context(), rows))
}
