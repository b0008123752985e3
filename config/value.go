package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// parse turns the text of a value, from YAML or the environment, into the type
// that the key's kind has in Config. An empty text is no value for a key
// without a default, and wrong for one with.
func (k *key) parse(value string) (any, *problem) {
	if value == "" {
		if k.fallback == "" {
			return nil, nil
		}
		return nil, problemf("is empty").do("give a value, or leave the key out for the default, %s", k.fallback)
	}
	if k.shown && value == k.example && k.kind != secret {
		return nil, problemf("is still the example").do("put your own value there")
	}
	switch k.kind {
	case duration:
		return k.parseDuration(value)
	case whole:
		return k.parseWhole(value)
	case share:
		return k.parseShare(value)
	case secret:
		return k.parseSecret(value)
	case objects:
		return parseObjects(value)
	case list:
		return parseList(value)
	case phoneObjects:
		return parsePhoneObjects(value)
	case recurring:
		return parseRecurring(value)
	default:
		return k.parseText(value)
	}
}

func (k *key) parseText(value string) (any, *problem) {
	if k.kind == flag {
		return parseFlag(value)
	}
	if len(k.enum) > 0 {
		return k.parseEnum(value)
	}
	if strings.IndexFunc(value, unicode.IsControl) >= 0 {
		return nil, problemf("holds a line break or another control character").do("write it on one line")
	}
	if k.pattern != nil && !k.pattern.MatchString(value) {
		return nil, problemf("must be %s", k.shape)
	}
	if k.check != nil {
		if p := k.check(value); p != nil {
			return nil, p
		}
	}
	return value, nil
}

func parseFlag(value string) (any, *problem) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return nil, problemf("%s is neither true nor false", quote(value)).do("write true or false")
	}
}

func (k *key) parseEnum(value string) (any, *problem) {
	if slices.Contains(k.enum, value) {
		return value, nil
	}
	p := problemf("%s is not one of %s", quote(value), strings.Join(k.enum, ", "))
	if near := nearest(value, k.enum); near != "" {
		p.do("did you mean %s?", near)
	}
	return nil, p
}

func (k *key) parseDuration(value string) (any, *problem) {
	d, ok := parseDuration(value)
	if !ok {
		if rest, negative := strings.CutPrefix(value, "-"); negative && durationForm.MatchString(rest) {
			return nil, problemf("%s is negative", quote(value)).do("%s", k.span())
		}
		return nil, problemf("%s is not a duration", quote(value)).do("write numbers with units, such as %s (d, h, m, s)", k.fallback)
	}
	low, _ := parseDuration(k.low)
	high, _ := parseDuration(k.high)
	if d < low || d > high {
		return nil, problemf("%s is out of range", quote(value)).do("%s", k.span())
	}
	return d, nil
}

func (k *key) parseWhole(value string) (any, *problem) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return nil, problemf("%s is not a whole number", quote(value)).do("%s", k.span())
	}
	low, _ := strconv.Atoi(k.low)   //nolint:errcheck // the table of keys holds numbers only
	high, _ := strconv.Atoi(k.high) //nolint:errcheck // as above
	if n < low || n > high {
		return nil, problemf("%s is out of range", quote(value)).do("%s", k.span())
	}
	return n, nil
}

func (k *key) parseShare(value string) (any, *problem) {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(f) {
		return nil, problemf("%s is not a number", quote(value)).do("%s", k.span())
	}
	low, _ := strconv.ParseFloat(k.low, 64)   //nolint:errcheck // the table of keys holds numbers only
	high, _ := strconv.ParseFloat(k.high, 64) //nolint:errcheck // as above
	if f < low || f > high || (k.above && f == low) {
		return nil, problemf("%s is out of range", quote(value)).do("%s", k.span())
	}
	return f, nil
}

// span says which values the key takes.
func (k *key) span() string {
	if k.above {
		return "it must be above " + k.low + " and at most " + k.high
	}
	return "it must be from " + k.low + " to " + k.high
}

// yaml11 are the words that other YAML readers take for booleans
// (https://yaml.org/type/bool.html). Ours does not, and an operator cannot see
// which reader is at work.
var yaml11 = map[string]bool{"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true}

// decode reads the value at node, which is no alias.
func (k *key) decode(n *yaml.Node) (any, *problem) {
	if p := k.wrongType(n); p != nil {
		return nil, p
	}
	return k.parse(n.Value)
}

// wrongType refuses a node that is not of the key's type. It shows no value.
func (k *key) wrongType(n *yaml.Node) *problem {
	switch {
	case n.Kind == yaml.SequenceNode:
		return problemf("is a list").do("give one %s", k.noun())
	case n.Kind == yaml.MappingNode:
		return problemf("is a mapping").do("give one %s", k.noun())
	}
	tag := n.ShortTag()
	switch k.kind {
	case whole:
		if tag == "!!int" {
			return nil
		}
	case share:
		if tag == "!!int" || tag == "!!float" {
			return nil
		}
	case flag:
		if tag == "!!bool" {
			return nil
		}
	default:
		if tag == "!!str" && !(n.Style == 0 && yaml11[strings.ToLower(n.Value)] && !slices.Contains(k.enum, n.Value)) {
			return nil
		}
	}
	return k.mistaken(n, tag)
}

// mistaken explains what the scalar n was taken for.
func (k *key) mistaken(n *yaml.Node, tag string) *problem {
	switch {
	case tag == "!!null":
		return problemf("has no value").do("give one, or remove the line")
	case k.kind == whole || k.kind == share:
		return k.notANumber(n, tag)
	case k.kind == flag:
		return problemf("is neither true nor false").do("write true or false, without quotes")
	case tag == "!!bool" || tag == "!!str":
		return problemf("reads as true or false").do("%s", k.quoted())
	case k.kind == duration && (tag == "!!int" || tag == "!!float"):
		return problemf("is a number without a unit").do("write it such as %s (d, h, m, s)", k.fallback)
	case tag == "!!int" || tag == "!!float":
		return problemf("is a number, not text").do("%s", k.quoted())
	case tag == "!!timestamp":
		return problemf("reads as a date, not text").do("%s", k.quoted())
	default:
		return problemf("has a YAML tag that means nothing here").do("remove the tag")
	}
}

// notANumber explains a scalar that stands where a number should.
func (k *key) notANumber(n *yaml.Node, tag string) *problem {
	if tag == "!!str" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return problemf("is text").do("write the number without quotes; %s", k.span())
	}
	return problemf("is not a %s", k.kind).do("%s", k.span())
}

// quoted tells how to turn the value into text.
func (k *key) quoted() string {
	switch {
	case len(k.enum) > 0:
		return "it must be one of " + strings.Join(k.enum, ", ")
	case k.kind == duration:
		return "write a duration such as " + k.fallback
	case k.kind == text && k.fallback != "":
		return `put it in quotes, such as "` + k.fallback + `"`
	default:
		return "put it in quotes"
	}
}

func (k *key) noun() string {
	switch k.kind {
	case duration:
		return "duration such as " + k.fallback
	case whole, share, flag:
		return k.kind.String()
	case list:
		return k.kind.String() + ", such as " + k.example
	case phoneObjects:
		return "list of objects"
	case recurring:
		return k.kind.String()
	case objects:
		return "word (default or managed) or a mapping of objects"
	default:
		return "line of text"
	}
}

// initial is the key's default, typed; nil where there is none.
func (k *key) initial() any {
	if k.fallback == "" {
		return nil
	}
	value, p := k.parse(k.fallback)
	if p != nil { // a test parses every default
		panic("config: default of " + k.path + " " + p.what)
	}
	return value
}
