package config

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/sync/consent"
)

// parseList reads the form that a variable of the environment has: words with
// commas between, in brackets or not.
func parseList(value string) (any, *problem) {
	value = strings.TrimSpace(value)
	value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
	words := []string{}
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		if word == "" && strings.TrimSpace(value) == "" {
			continue
		}
		if p := (&key{kind: text}).wordFault(word); p != nil {
			return nil, p
		}
		words = append(words, word)
	}
	return words, nil
}

func (k *key) wordFault(word string) *problem {
	if strings.ContainsFunc(word, unicode.IsControl) {
		return problemf("holds a line break or another control character").do("write one word")
	}
	if strings.TrimSpace(word) == "" {
		return problemf("is a blank word").do("write a word, or leave it out")
	}
	return nil
}

// list reads words. Every fault in it is reported in its place.
func (r *nodeReader) list(path string, n *yaml.Node) given {
	before := len(r.faults)
	words := []string{}
	var items []origin
	for _, item := range n.Content {
		at, value := r.place(item), follow(item)
		k := key{kind: text}
		p := k.wrongType(value)
		if p == nil {
			p = k.wordFault(value.Value)
		}
		if p != nil {
			r.fault(at, path, p)
			continue
		}
		words, items = append(words, value.Value), append(items, at)
	}
	return given{value: words, at: r.place(n), bad: len(r.faults) > before, items: items}
}

// shownList writes words as YAML.
func shownList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = yamlText(w)
	}
	return " [" + strings.Join(quoted, ", ") + "]"
}

// consent holds that each word says one thing.
func (r rules) consent() {
	paths := map[consent.Class]string{consent.Stop: "consent.stop_words", consent.Start: "consent.start_words", consent.Help: "consent.help_words"}
	for _, path := range paths {
		if !r.good(path) {
			return
		}
	}
	c := r.cfg.Consent
	for _, f := range (consent.Lists{Stop: c.StopWords, Start: c.StartWords, Help: c.HelpWords}).Faults() {
		path := paths[f.List]
		at := r.at(path)
		if items := r.values[path].items; f.Index < len(items) {
			at = items[f.Index]
		}
		word := map[consent.Class][]string{consent.Stop: c.StopWords, consent.Start: c.StartWords, consent.Help: c.HelpWords}[f.List][f.Index]
		r.fault(at, path, problemf("%s %s", quote(word), f.Why).do("keep it in one list, bare; Twilio's own words need not be listed"))
	}
}
