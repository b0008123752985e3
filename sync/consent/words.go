package consent

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Class is what a word says.
type Class string

// The classes. A text that is none of these words is None.
const (
	None  Class = ""
	Stop  Class = "stop"  // nothing more to this number
	Start Class = "start" // what STOP has ended goes on
	Help  Class = "help"  // changes nothing
	Join  Class = "join"  // a keyword of the org's
	// What no text says:
	left  Class = "left"  // the number has left its person
	shown Class = "shown" // the org's row says so
)

// twilios are the words that Twilio reads by itself: one word, in any case.
// https://www.twilio.com/en-us/blog/update-to-fcc-s-sms-opt-out-keywords
//
// OPT OUT, however it is spelt, is none of Twilio's, but one of those that must be taken for a STOP by
// law. https://www.ecfr.gov/current/title-47/section-64.1200#p-64.1200(a)(10)
var twilios = map[Class][]string{
	Stop:  {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "OPT-OUT"},
	Start: {"START", "YES", "UNSTOP"},
	Help:  {"HELP", "INFO"},
}

// optOutTypes are what Twilio's Advanced Opt-Out calls the classes.
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
var optOutTypes = map[string]Class{"STOP": Stop, "START": Start, "HELP": Help}

// Lists are words beside Twilio's own, in whatever languages.
type Lists struct{ Stop, Start, Help []string }

// Keyword is an opt-in keyword of the org's.
type Keyword struct {
	ID       string // its record's
	Word     string
	Reply    string // what the person is answered, "" for nothing
	Campaign string // the id of the one that the person is added to, "" for none
}

// Reading is what a text says.
type Reading struct {
	Class   Class
	Keyword *Keyword // of a Join
}

// Vocabulary knows all words. It does not change.
type Vocabulary struct {
	words   map[string]Reading
	longest int // of the words, in bytes
}

// WordFault is a word of Lists that cannot be one.
type WordFault struct {
	List  Class
	Index int
	Why   string // "is a stop word already"
}

// Faults are all words of the lists that cannot be what they are listed as.
func (l Lists) Faults() []WordFault {
	_, faults := vocabulary(l)
	return faults
}

// NewVocabulary makes one of Twilio's words and lists, which have no Faults.
func NewVocabulary(l Lists) (*Vocabulary, error) {
	v, faults := vocabulary(l)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the %s word number %d %s", faults[0].List, faults[0].Index+1, faults[0].Why)
	}
	return v, nil
}

func vocabulary(l Lists) (*Vocabulary, []WordFault) {
	v := &Vocabulary{words: map[string]Reading{}}
	for class, words := range twilios {
		for _, word := range words {
			v.add(word, Reading{Class: class})
		}
	}
	var faults []WordFault
	for _, list := range []struct {
		class Class
		words []string
	}{{Stop, l.Stop}, {Start, l.Start}, {Help, l.Help}} {
		for i, word := range list.words {
			if why := v.conflict(word, list.class); why != "" {
				faults = append(faults, WordFault{list.class, i, why})
				continue
			}
			v.add(word, Reading{Class: list.class})
		}
	}
	return v, faults
}

// conflict says why a word cannot be one of the given class, "" if it can.
func (v *Vocabulary) conflict(word string, class Class) string {
	text := fold(blanksOff(word))
	if text == "" {
		return "is blank"
	}
	if bare(text) != text {
		return "begins or ends with a mark, which is left out of a text"
	}
	if was, taken := v.words[text]; taken && was.Class != class {
		return "is a " + string(was.Class) + " word already"
	}
	return ""
}

func (v *Vocabulary) add(word string, r Reading) {
	text := fold(blanksOff(word))
	v.words[text] = r
	v.longest = max(v.longest, len(text))
}

// Refused is a keyword of the org's that is none.
type Refused struct {
	Word string
	Why  string
}

// With makes a vocabulary that knows the org's keywords too. Those that are
// refused are STOP, START or HELP words, or are not one word, or two records have
// them: then the one with the lower id stays.
func (v *Vocabulary) With(keywords []Keyword) (*Vocabulary, []Refused) {
	all := &Vocabulary{words: maps.Clone(v.words), longest: v.longest}
	keywords = slices.Clone(keywords)
	slices.SortFunc(keywords, func(a, b Keyword) int { return cmp.Compare(a.ID, b.ID) })
	var refused []Refused
	for i := range keywords {
		k := &keywords[i]
		if why := all.unfit(k); why != "" {
			refused = append(refused, Refused{k.Word, why})
			continue
		}
		all.add(k.Word, Reading{Join, k})
	}
	return all, refused
}

// unfit says why a keyword of the org's is none.
func (v *Vocabulary) unfit(k *Keyword) string {
	text := fold(blanksOff(k.Word))
	was, taken := v.words[text]
	switch {
	case text == "" || hasBlank(text) || bare(text) != text:
		return "is not one plain word"
	case taken && was.Class == Join:
		return "is there twice"
	case taken:
		return "is a " + string(was.Class) + " word"
	default:
		return ""
	}
}

// Read says what a text is. optOut is what Twilio's Advanced Opt-Out has read in
// it, "" where that is off; Twilio has acted by it, so it wins.
//
// The whole text must be the word, in any case, with blanks around it. A person
// who writes "Stop." or copies "STOP" with its quotation marks means the word, so
// such marks are left out for STOP, which the law wants to be taken generously,
// and for the org's keywords. They are not for START: Twilio lifts its block for
// the bare word only, and the register must not promise more.
func (v *Vocabulary) Read(text, optOut string) Reading {
	if class, ok := optOutTypes[optOut]; ok {
		return Reading{Class: class}
	}
	text = blanksOff(text)
	if r, ok := v.find(text); ok {
		return r
	}
	if plain := bare(text); plain != text {
		if r, ok := v.find(plain); ok && (r.Class == Stop || r.Class == Join) {
			return r
		}
	}
	return Reading{}
}

// find looks a text up. Nearly every text is too long to be a word, and is found
// to be so without a copy of it.
func (v *Vocabulary) find(text string) (Reading, bool) {
	if text == "" || len(text) > mostGrowth*v.longest {
		return Reading{}, false
	}
	var room [64]byte
	if folded, ascii := foldASCII(room[:0], text, v.longest); ascii {
		r, ok := v.words[string(folded)]
		return r, ok
	}
	r, ok := v.words[fold(text)]
	return r, ok
}
