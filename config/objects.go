package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// apiName is the form of a Salesforce API name: a letter, then letters, digits
// and underscores; a namespace or __c brings two underscores in a row.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_metadatawithcontent.htm
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/metadata.htm
var apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*[A-Za-z0-9]$`)

// maxAPIName is a namespace of 15, a name of 40 and a suffix, with room.
const maxAPIName = 80

// parseObjects reads the word form of salesforce.objects.
func parseObjects(value string) (any, *problem) {
	if preset, ok := presets[value]; ok {
		return preset, nil
	}
	return nil, problemf("%s is neither %s nor a mapping", quote(value), strings.Join(presetWords, ", ")).
		do("write %s, or {message: {object: X__c, body: My_Body__c}}", strings.Join(presetWords, " or "))
}

// presetKey names, in the mapping form, whose names those are that it does not name.
const presetKey = "preset"

// presets are the words for whole sets of names.
var (
	presetWords = []string{"default", "managed"}
	presets     = map[string]Objects{"default": {}, "managed": {managed: true}}
)

// objects reads the mapping form. Every fault in it is reported in its place.
func (r *nodeReader) objects(path string, n *yaml.Node) given {
	before := len(r.faults)
	var out Objects
	for _, p := range r.entries(path, n) {
		value := follow(p.value)
		switch {
		case p.key.Value == presetKey:
			preset, known := presets[value.Value]
			if !known {
				r.fault(r.place(p.value), join(path, presetKey), problemf("is not %s", strings.Join(presetWords, " or ")))
			}
			out.managed = preset.managed
		case p.key.Value != "message":
			r.fault(r.place(p.key), join(path, quoteKey(p.key.Value)), problemf("unknown object").do("known here: message, and preset"))
		case value.Kind != yaml.MappingNode:
			r.fault(r.place(p.value), join(path, "message"), problemf("must be a mapping of API names").
				do("write it such as {object: X__c, body: My_Body__c}"))
		default:
			out.message = r.apiNames(join(path, "message"), value)
		}
	}
	return given{value: out, at: r.place(n), bad: len(r.faults) > before}
}

// apiNames reads the names of one object and its fields.
func (r *nodeReader) apiNames(path string, n *yaml.Node) map[string]string {
	known := make([]string, len(messageKeys))
	for i, k := range messageKeys {
		known[i] = k.name
	}
	out := map[string]string{}
	usedBy := map[string]string{}
	for _, p := range r.entries(path, n) {
		name := p.key.Value
		full := join(path, quoteKey(name))
		if !slices.Contains(known, name) {
			r.fault(r.place(p.key), full, suggest(name, known))
			continue
		}
		value := follow(p.value)
		if wrong := wrongAPIName(value); wrong != nil {
			r.fault(r.place(p.key), full, wrong)
			continue
		}
		folded := strings.ToLower(value.Value) // Salesforce's names know no case
		if other, taken := usedBy[folded]; taken && name != objectKey {
			r.fault(r.place(p.value), full, problemf("has the same API name as %s", other).do("give each its own field"))
			continue
		}
		if name != objectKey {
			usedBy[folded] = name
		}
		out[name] = value.Value
	}
	return out
}

func wrongAPIName(n *yaml.Node) *problem {
	k := key{kind: text}
	if p := k.wrongType(n); p != nil {
		return p
	}
	if !apiName.MatchString(n.Value) || len(n.Value) > maxAPIName {
		return problemf("is not an API name").do("write it such as My_Body__c")
	}
	return nil
}
