package config

import (
	"encoding/json"
	"strconv"
)

// object is a JSON object; encoding/json sorts its names, so output is stable.
type object map[string]any

// Schema is the JSON Schema (https://json-schema.org/draft/2020-12) of the
// file, for editors: types, limits, defaults and the sentence on each key. It
// requires nothing, because every key may also come from the environment; Load
// knows what is missing.
func Schema() []byte {
	root := sectionSchema("")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "twiliosf.yaml"
	root["type"] = "object"
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil { // maps of strings and numbers always encode
		panic("config: schema: " + err.Error())
	}
	return append(out, '\n')
}

func sectionSchema(path string) object {
	properties := object{}
	var exclusive []any
	for i := range table {
		k := &table[i]
		parent, name := split(k.path)
		if parent != path {
			continue
		}
		properties[name] = k.schema()
		if k.kind == secret {
			properties[name+fileSuffix] = object{"type": "string", "description": fileDoc(k)}
			exclusive = append(exclusive, object{"not": object{"required": []string{name, name + fileSuffix}}})
		}
	}
	for _, s := range sections {
		if parent, name := split(s.path); parent == path {
			sub := sectionSchema(s.path)
			sub["description"] = s.doc
			properties[name] = sub
		}
	}
	out := object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	if exclusive != nil {
		out["allOf"] = exclusive
	}
	return out
}

func (k *key) schema() object {
	s := object{"description": k.description()}
	switch k.kind {
	case duration:
		s["type"], s["pattern"], s["default"] = "string", durationPattern, k.fallback
	case whole:
		s["type"], s["minimum"], s["maximum"], s["default"] = "integer", number(k.low), number(k.high), number(k.fallback)
	case share:
		s["type"], s["maximum"], s["default"] = "number", number(k.high), number(k.fallback)
		s[map[bool]string{true: "exclusiveMinimum", false: "minimum"}[k.above]] = number(k.low)
	case secret:
		s["type"], s["writeOnly"] = "string", true
	case objects:
		s["oneOf"], s["default"] = []any{object{"enum": presetWords}, objectsSchema()}, k.fallback
	case list:
		s["type"], s["items"], s["default"] = "array", object{"type": "string"}, []string{}
	case recurring:
		s["type"], s["items"], s["default"] = "array", recurringSchema(), []any{}
	case flag:
		s["type"], s["default"] = "boolean", k.fallback == "true"
	case phoneObjects:
		s["oneOf"], s["default"] = phoneObjectsSchema(), standardObjects
	default:
		k.textSchema(s)
	}
	return s
}

func (k *key) textSchema(s object) {
	s["type"] = "string"
	if k.fallback != "" {
		s["default"] = k.fallback
	}
	switch {
	case len(k.enum) > 0:
		s["enum"] = k.enum
	case k.pattern != nil && k.fallback == "": // "" means not given
		s["pattern"] = "^$|" + k.pattern.String()
	case k.pattern != nil:
		s["pattern"] = k.pattern.String()
	}
}

func objectsSchema() object {
	fields := object{}
	for _, k := range messageKeys {
		fields[k.name] = object{"type": "string", "pattern": apiName.String(), "maxLength": maxAPIName, "description": k.doc}
	}
	message := object{"type": "object", "additionalProperties": false, "properties": fields}
	return object{"type": "object", "additionalProperties": false, "properties": object{presetKey: object{"enum": presetWords}, "message": message}}
}

// number is a JSON number for a text of the table.
func number(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	f, _ := strconv.ParseFloat(text, 64) //nolint:errcheck // the table of keys holds numbers only
	return f
}
