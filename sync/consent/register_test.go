package consent_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/consent"
	"github.com/twiliosf/twiliosf/sync/message"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const theirs message.Number = "+14155550123"

func at(sec int) time.Time { return noon.Add(time.Duration(sec) * time.Second) }

// said is a text of theirs; its SID tells the second.
func said(sec int, text string) consent.Statement {
	v, err := consent.NewVocabulary(consent.Lists{})
	if err != nil {
		panic(err)
	}
	all, _ := v.With([]consent.Keyword{{ID: "K1", Word: "join"}, {ID: "K2", Word: "vip"}})
	s, ok := consent.Classifier(all.Read).Message(&message.Message{
		SID: message.SID(fmt.Sprint(text, sec)), From: theirs, Direction: message.Inbound, Body: text, Created: at(sec),
	})
	if !ok {
		panic(text)
	}
	return s
}

func refusal(sec int) consent.Statement {
	s, _ := consent.Classifier(nil).Message(&message.Message{
		SID: message.SID(fmt.Sprint("refused", sec)), To: theirs, Direction: message.OutboundAPI, ErrorCode: 21610, Created: at(sec),
	})
	return s
}

// org is a row as the org shows it; a second of -1 is no date.
func org(keyword string, active bool, in, out int, sid message.SID) consent.Statement {
	row := message.OptIn{Number: theirs, Keyword: keyword, Active: active, Message: sid}
	if in >= 0 {
		row.InAt = at(in)
	}
	if out >= 0 {
		row.OutAt = at(out)
	}
	return consent.Shown(&row)
}

// state is the register in short: keyword, + or -, the SID.
func state(all ...consent.Statement) []string {
	var out []string
	for _, r := range consent.Settle(all) {
		name, sign := r.Keyword, "-"
		if name == "" {
			name = "*"
		}
		if r.Active {
			sign = "+"
		}
		out = append(out, name+sign+string(r.Message))
	}
	return out
}

func TestWhatWordsComeTo(t *testing.T) {
	for _, c := range []struct {
		name string
		said []consent.Statement
		want []string
	}{
		{"nothing", nil, nil},
		{"a STOP from a stranger", []consent.Statement{said(1, "stop")}, []string{"*-stop1"}},
		{"a YES to something else", []consent.Statement{said(1, "yes")}, nil},
		{"STOP, then START", []consent.Statement{said(1, "stop"), said(2, "start")}, []string{"*+start2"}},
		{"START, then STOP", []consent.Statement{said(1, "start"), said(2, "stop")}, []string{"*-stop2"}},
		{"both in one second", []consent.Statement{said(1, "start"), said(1, "stop")}, []string{"*-stop1"}},
		{"STOP twice", []consent.Statement{said(1, "stop"), said(2, "stop")}, []string{"*-stop1"}},
		{"a keyword", []consent.Statement{said(1, "join")}, []string{"K1+join1"}},
		{"a keyword twice", []consent.Statement{said(1, "join"), said(2, "join")}, []string{"K1+join1"}},
		{"STOP ends all keywords", []consent.Statement{said(1, "join"), said(2, "vip"), said(3, "stop")}, []string{"*-stop3", "K1-stop3", "K2-stop3"}},
		{"START brings all back", []consent.Statement{said(1, "join"), said(2, "vip"), said(3, "stop"), said(4, "start")}, []string{"*+start4", "K1+start4", "K2+start4"}},
		{"a keyword does not lift a STOP", []consent.Statement{said(1, "stop"), said(2, "join")}, []string{"*-stop1", "K1+join2"}},
		{"a keyword and a STOP in one second", []consent.Statement{said(1, "join"), said(1, "stop")}, []string{"*-stop1", "K1-stop1"}},
		{"START brings back what STOP ended, not what a user ended", []consent.Statement{said(1, "join"), said(1, "vip"), org("K2", false, 1, 2, "vip1"), said(3, "stop"), said(4, "start")}, []string{"*+start4", "K1+start4", "K2-vip1"}},
		{"a refused message is a STOP", []consent.Statement{said(1, "join"), refusal(2)}, []string{"*-refused2", "K1-refused2"}},
		{"a refused message, and START since", []consent.Statement{refusal(2), said(3, "unstop")}, []string{"*+unstop3"}},
		{"the number moves", []consent.Statement{said(1, "join"), consent.Left(theirs, at(2))}, []string{"K1-"}},
		{"and START does not bring it back", []consent.Statement{said(1, "join"), said(2, "stop"), consent.Left(theirs, at(3)), said(4, "start")}, []string{"*+start4", "K1-stop2"}},
		{"but the keyword does", []consent.Statement{said(1, "join"), consent.Left(theirs, at(2)), said(3, "join")}, []string{"K1+join3"}},
		{"a web form's row", []consent.Statement{org("K1", true, 1, -1, "")}, []string{"K1+"}},
		{"a web form's row, and STOP since", []consent.Statement{org("K1", true, 1, -1, ""), said(2, "stop")}, []string{"*-stop2", "K1-stop2"}},
		{"a web form's row after a STOP", []consent.Statement{org("K1", true, 3, -1, ""), said(2, "stop")}, []string{"*-stop2", "K1+"}},
		{"a user opts the number out", []consent.Statement{org("", false, -1, 2, "")}, []string{"*-"}},
		{"a user lifts a STOP", []consent.Statement{said(1, "stop"), org("", true, 2, 1, "stop1")}, []string{"*+stop1"}},
		{"a user opts the number out, and START was before", []consent.Statement{said(3, "start"), org("", false, 0, 5, "")}, []string{"*-"}},
		{"a keyword after a STOP needs no START", []consent.Statement{said(1, "join"), said(2, "stop"), said(3, "join"), said(4, "start")}, []string{"*+start4", "K1+join3"}},
		{"what the second STOP ended, START brings back", []consent.Statement{said(1, "stop"), said(3, "stop"), org("K1", false, 2, 20, "stop3"), said(5, "start")}, []string{"*+start5", "K1+start5"}},
		{"what a user ended after START, START does not bring back", []consent.Statement{org("", true, 3, 1, "start3"), org("K1", false, 3, 5, "start3"), said(6, "stop"), said(7, "start")}, []string{"*+start7", "K1-start3"}},
		{"an empty store is filled, START follows", []consent.Statement{org("", false, -1, 2, "stop2"), org("K1", false, 1, 2, "stop2"), org("K2", false, 1, 2, ""), said(3, "start")}, []string{"*+start3", "K1+start3", "K2-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, state(c.said...))
			slices.Reverse(c.said)
			require.Equal(t, c.want, state(c.said...), "whatever was learnt first")
		})
	}
}

// What we have written to the org comes back from there, under the date of a
// webhook's receipt, when the API has long given the message its own.
func TestOurOwnRowsInTheOrgSayNothingNew(t *testing.T) {
	late := org("", false, -1, 20, "stop1")
	lateToo := org("K1", false, 0, 20, "stop1")
	require.Equal(t, []string{"*+start5", "K1+start5"}, state(said(0, "join"), said(1, "stop"), late, lateToo, said(5, "start")))
	require.Equal(t, []string{"*+start5", "K1+start5"}, state(said(1, "stop"), late, lateToo, said(5, "start")), "the keyword's own message is forgotten")
	for _, row := range consent.Settle([]consent.Statement{said(1, "stop"), late, lateToo}) {
		require.Equal(t, at(1), row.OutAt, "the message's own date")
	}
	byHand := org("K1", true, 30, 20, "stop1")
	require.Equal(t, []string{"*-stop1", "K1+stop1"}, state(said(1, "stop"), late, byHand), "a user has opened it again since")
}

func TestAnyOrderComesToTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	texts := []string{"stop", "start", "join", "vip", "yes", "cancel"}
	for range 500 {
		var all []consent.Statement
		for i := range 2 + random.IntN(8) {
			switch random.IntN(8) {
			case 0:
				all = append(all, refusal(i))
			case 1:
				all = append(all, consent.Left(theirs, at(random.IntN(6)*2+i%2)))
			default:
				s := said(random.IntN(6), texts[random.IntN(len(texts))])
				s.ID = fmt.Sprint(s.ID, "/", i)
				all = append(all, s)
			}
		}
		want := consent.Settle(all)
		for range 10 {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			require.Equal(t, want, consent.Settle(all))
		}
	}
}
