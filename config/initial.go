package config

import (
	"strings"
)

const initHead = `# The configuration of twiliosf. Check it with: twiliosf config check
#
# Fill in the keys that are not commented out. The others show their default,
# or an example where they have none; remove the # in front to change one.
#
# Durations are numbers with units: 90s, 15m, 1h30m, 30d (d, h, m, s).
# Every key can also be set by an environment variable, which wins over this
# file: TWILIOSF_SYNC_FULL_EVERY for full_every under sync.
# Every secret can be given as a file, KEY_file, in place of KEY. A relative path
# is below $CREDENTIALS_DIRECTORY, where that is set (systemd's LoadCredential=),
# else beside this file.
# SIGHUP reloads this file; while it has faults, the running configuration stays.
`

// commentWidth is how wide comments are set.
const commentWidth = 80

// Init is the text of a new configuration file: every key with its comment,
// those to fill in with an example that Load refuses, the others commented out.
func Init() string {
	var b strings.Builder
	b.WriteString(initHead)
	current := ""
	for i := range table {
		k := &table[i]
		parent, _ := split(k.path)
		if parent != current && parent != "" {
			openSection(&b, parent)
		} else {
			b.WriteString("\n")
		}
		current = parent
		writeKey(&b, k, strings.Repeat("  ", depth(k.path)))
	}
	return b.String()
}

// depth is how many sections are around path.
func depth(path string) int { return strings.Count(path, ".") }

func openSection(b *strings.Builder, path string) {
	_, name := split(path)
	indent := strings.Repeat("  ", depth(path))
	b.WriteString("\n")
	for _, s := range sections {
		if s.path == path {
			comment(b, indent, s.doc)
		}
	}
	b.WriteString(indent + name + ":\n")
}

func writeKey(b *strings.Builder, k *key, indent string) {
	comment(b, indent, k.description())
	_, name := split(k.path)
	value := k.fallback
	if value == "" {
		value = k.example
	}
	switch k.kind {
	case secret:
		comment(b, indent, "The value itself: "+name+".")
		name += fileSuffix
	case objects:
		objectComment(b, indent, k)
	case list, phoneObjects, recurring:
		comment(b, indent, "Such as: "+k.example)
	default: // the description says it all
	}
	hash := "#"
	if k.shown {
		hash = ""
	}
	b.WriteString(indent + hash + name + ": " + k.yamlValue(value) + "\n")
}

func objectComment(b *strings.Builder, indent string, k *key) {
	comment(b, indent, "Such as: "+k.example)
	comment(b, indent, "The names under message:")
	for _, m := range messageKeys {
		comment(b, indent, "  "+m.name+": "+m.doc)
	}
}

// comment writes text as lines of at most commentWidth.
func comment(b *strings.Builder, indent, text string) {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := ""
	flush := func() { b.WriteString(indent + "# " + lead + line + "\n") }
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(indent)+2+len(lead)+len(line)+1+len(word) > commentWidth {
			flush()
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	flush()
}
