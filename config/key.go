package config

import (
	"regexp"
	"slices"
	"strings"
)

// kind is the type of a key's value.
type kind int

const (
	text         kind = iota // one line of text
	secret                   // text that is never shown; also as <key>_file
	duration                 // "90s", "1d12h"
	whole                    // a whole number
	share                    // a decimal number
	objects                  // default, or a mapping of API names
	phoneObjects             // a list of objects, by name or as mappings
	list                     // words
	recurring                // campaigns on schedules, as mappings
	flag                     // true or false
)

func (k kind) String() string {
	return [...]string{"text", "secret", "duration", "whole number", "number", "default, managed or a mapping", "list of objects", "list of words", "list of campaigns", "true or false"}[k]
}

// key is everything we know about one key of the file. It is the only place
// that knows it.
type key struct {
	path     string // dotted
	kind     kind
	fallback string // the default as it is written in YAML; "" for none
	unit     string // what a number counts; "" for texts and durations
	doc      string // sentences, for the file, the editor and the table

	// needed says when the key must be given: "" never, "always", or
	// "salesforce.auth=jwt|password".
	needed string
	// shown puts the key into Init's output ready to be filled in. It then has
	// an example, which is refused as a value.
	shown   bool
	example string

	enum    []string
	pattern *regexp.Regexp
	shape   string // the pattern in words: "must be ..."
	// low and high bound durations and numbers; both may be reached, except low
	// where above is set. Written as values are.
	low, high string
	above     bool
	// check is what no pattern can say. It sees values that are not empty.
	check func(value string) *problem
}

// section is a mapping that holds keys.
type section struct {
	path string // "" is the file itself
	doc  string
}

// table is every key in the order in which the file shows them.
var table = slices.Concat(vendorKeys(), peopleKeys(), daemonKeys())

// sections are every mapping in the order of the table; a test holds that each
// section of a key is here.
var sections = []section{
	{"twilio", "The Twilio account whose messages are mirrored."},
	{"twilio.webhook", "Where Twilio calls us, which makes minutes seconds. Off while public_url is empty."},
	{"salesforce", "The Salesforce org that gets one record per message."},
	{"people", "Whose number it is: the records in the org that a message is linked to."},
	{"sync", "How often Twilio and Salesforce are asked, and how far back."},
	{"media", "What becomes of pictures and other files that come with messages."},
	{"consent", "Words by which people opt out and in, beside Twilio's own (STOP, START, HELP and the like)."},
	{"outbox", "How messages are sent that Salesforce asks for."},
	{"campaigns", "How one text is sent to many (TwilioSF_Bulk_Message__c), and how quickly each sender sends."},
	{"campaigns.rate_per_second", "How quickly a sender sends, by its class."},
	{"archive", "When old messages leave Salesforce, and where their copies go. docs/archive.md says how they come back."},
	{"console", "The HTTP server for /metrics, /healthz and /readyz."},
	{"log", "The daemon's own log, on standard error."},
}

const fileSuffix = "_file"

// split parts a dotted path into its section and its last name.
func split(path string) (parent, name string) {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// envPrefix starts the name of every variable that we read.
const envPrefix = "TWILIOSF_"

// envName is the variable that sets the key at path.
func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// index is the table by path; the file form of a secret has its own entry.
var index = makeIndex()

// entry is what stands behind a path: a key, or the file form of a secret.
type entry struct {
	*key
	isFile bool
}

func makeIndex() map[string]entry {
	m := make(map[string]entry, len(table)*2)
	for i := range table {
		k := &table[i]
		m[k.path] = entry{key: k}
		if k.kind == secret {
			m[k.path+fileSuffix] = entry{key: k, isFile: true}
		}
	}
	return m
}

// isSection reports whether path is a mapping of keys.
func isSection(path string) bool {
	for _, s := range sections {
		if s.path == path {
			return true
		}
	}
	return false
}

// names are the keys and sections directly under parent, in the table's order.
func names(parent string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	for i := range table {
		k := &table[i]
		in, name := split(k.path)
		if in == parent {
			add(name)
			if k.kind == secret {
				add(name + fileSuffix)
			}
		} else if up, child := split(in); in != "" && up == parent {
			add(child)
		}
	}
	return out
}
