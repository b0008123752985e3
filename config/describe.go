package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// description is the sentence on a key and everything that limits it.
func (k *key) description() string {
	return strings.Join(append([]string{k.doc}, k.facts()...), " ")
}

// facts are the limits of a key, each a sentence.
func (k *key) facts() []string {
	var out []string
	switch {
	case k.needed == "always":
		out = append(out, "Required.")
	case k.needed != "":
		_, with, _ := strings.Cut(k.needed, "=")
		out = append(out, fmt.Sprintf("Required with auth %s.", strings.ReplaceAll(with, "|", " or ")))
	}
	if len(k.enum) > 0 {
		out = append(out, "One of "+strings.Join(k.enum, ", ")+".")
	}
	switch {
	case k.above:
		out = append(out, fmt.Sprintf("Above %s, at most %s%s.", k.low, k.high, k.suffix()))
	case k.high != "":
		out = append(out, fmt.Sprintf("From %s to %s%s.", k.low, k.high, k.suffix()))
	}
	return out
}

func (k *key) suffix() string {
	if k.unit == "" {
		return ""
	}
	return " " + k.unit
}

// fileDoc describes the file form of a secret.
func fileDoc(k *key) string {
	_, name := split(k.path)
	return fmt.Sprintf("A file that holds %s and nothing else, in its place. A relative path is below $%s, where that is set, else beside the configuration file.", name, credentialsDir)
}

// yamlText writes a text as YAML, quoted where it would not be read back as text.
func yamlText(value string) string {
	out, err := yaml.Marshal(value)
	if err != nil { // a string always encodes
		panic("config: " + err.Error())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// yamlValue writes a value of the table as YAML.
func (k *key) yamlValue(value string) string {
	if k.kind == text {
		return yamlText(value)
	}
	return value
}

// Reference is the Markdown table of every key, for docs/configuration.md.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | type | default | environment | what it is |\n| --- | --- | --- | --- | --- |\n")
	for i := range table {
		k := &table[i]
		def := ""
		if k.fallback != "" {
			def = "`" + k.yamlValue(k.fallback) + "`"
		}
		row(&b, "`"+k.path+"`", k.kind.String(), def, "`"+envName(k.path)+"`", k.description())
		if k.kind == secret {
			row(&b, "`"+k.path+fileSuffix+"`", "path", "", "`"+envName(k.path+fileSuffix)+"`", fileDoc(k))
		}
	}
	b.WriteString("\nThe names under `salesforce.objects.message`:\n\n| name | what the API name stands for |\n| --- | --- |\n")
	for _, k := range messageKeys {
		row(&b, "`"+k.name+"`", k.doc)
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}
