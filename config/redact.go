package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Redacted is the configuration in effect as YAML: every key, defaults and the
// environment's values included, secrets that are set as <secret>.
func (c *Config) Redacted() string {
	var b strings.Builder
	current := ""
	for i := range table {
		k := &table[i]
		parent, name := split(k.path)
		if parent != current && parent != "" {
			_, section := split(parent)
			b.WriteString(strings.Repeat("  ", depth(parent)) + section + ":\n")
		}
		current = parent
		indent := strings.Repeat("  ", depth(k.path))
		b.WriteString(indent + name + ":" + shown(c.field(k.path), indent) + "\n")
	}
	return b.String()
}

// String is Redacted.
func (c *Config) String() string { return c.Redacted() }

// field is the value of the field whose key tags spell path.
func (c *Config) field(path string) any {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(path, ".") {
		v = fieldByTag(v, name)
	}
	return v.Interface()
}

func fieldByTag(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("key") == name {
			return v.Field(i)
		}
	}
	panic("config: no field for key " + name) // a test compares table and Config
}

// shown writes a value behind its key's colon.
func shown(value any, indent string) string {
	switch v := value.(type) {
	case Secret:
		if !v.IsSet() {
			return ` ""`
		}
		return " " + redacted
	case time.Duration:
		return " " + formatDuration(v)
	case Objects:
		return v.shown(indent)
	case []string:
		return shownList(v)
	case []PhoneObject:
		return shownObjects(v)
	case int:
		return " " + strconv.Itoa(v)
	case bool:
		return " " + strconv.FormatBool(v)
	case float64:
		return " " + strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return " " + yamlText(fmt.Sprint(v))
	}
}

func (o Objects) shown(indent string) string {
	word := "default"
	if o.managed {
		word = "managed"
	}
	if len(o.message) == 0 {
		return " " + word
	}
	var out strings.Builder
	if o.managed {
		out.WriteString("\n" + indent + "  " + presetKey + ": " + word)
	}
	out.WriteString("\n" + indent + "  message:")
	for _, k := range messageKeys {
		if name, ok := o.message[k.name]; ok {
			out.WriteString("\n" + indent + "    " + k.name + ": " + yamlText(name))
		}
	}
	return out.String()
}
