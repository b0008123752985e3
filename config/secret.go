package config

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every secret prints as.
const redacted = "<secret>"

// Secret is a value that no printing shows: fmt with every verb, JSON, YAML,
// text and slog all give <secret>. Only Reveal reads it.
type Secret struct {
	// A pointer, because fmt ignores our methods when a Secret stands in
	// another struct's unexported field; then it prints an address.
	value *string
}

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal is the value itself, "" when there is none. Hand it to whoever needs
// it and do not keep it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// String is <secret>.
func (Secret) String() string { return redacted }

// GoString is <secret>.
func (Secret) GoString() string { return redacted }

// Format writes <secret> for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) } //nolint:errcheck // fmt has no way to hear of it

// MarshalText gives <secret>.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON gives "<secret>".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML gives <secret>.
func (Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue gives <secret>.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
