package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fieldPaths are the dotted paths that the struct's tags spell.
func fieldPaths(prefix string, t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("key")
		switch {
		case tag == "":
		case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[Secret]() && f.Type != reflect.TypeFor[Objects]():
			out = append(out, fieldPaths(join(prefix, tag), f.Type)...)
		default:
			out = append(out, join(prefix, tag))
		}
	}
	return out
}

func TestTableAndConfigHaveTheSameKeys(t *testing.T) {
	t.Parallel()
	var paths []string
	for i := range table {
		paths = append(paths, table[i].path)
	}
	require.ElementsMatch(t, fieldPaths("", reflect.TypeFor[Config]()), paths)
}

func TestEveryConfigFieldIsSetByAKey(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			require.NotEmpty(t, f.Tag.Get("key"), f.Name)
		}
	}
}

func TestEveryEntryIsComplete(t *testing.T) {
	t.Parallel()
	variables := map[string]string{}
	for i := range table {
		k := &table[i]
		parent, _ := split(k.path)
		require.True(t, parent == "" || isSection(parent), "%s: no such section", k.path)
		require.True(t, strings.HasSuffix(k.doc, "."), "%s: its sentence", k.path)
		require.False(t, k.fallback == "" && k.example == "", "%s: neither default nor example", k.path)
		require.False(t, k.shown && k.fallback != "", "%s: to be filled in, but has a default", k.path)
		require.False(t, k.pattern != nil && k.shape == "", "%s: a pattern without words", k.path)
		if k.kind == duration || k.kind == whole || k.kind == share {
			require.True(t, k.low != "" && k.high != "" && k.fallback != "", "%s: limits and default", k.path)
		}
		require.NotPanics(t, func() { k.initial() }, k.path)
		for _, path := range []string{k.path, k.path + fileSuffix} {
			require.NotContains(t, variables, envName(path), "%s and %s share a variable", path, variables[envName(path)])
			variables[envName(path)] = path
		}
		require.Equal(t, strings.ToLower(k.path), k.path, "Viper lower-cases keys")
	}
}

func TestEveryConditionNamesLoginWays(t *testing.T) {
	t.Parallel()
	for i := range table {
		if need := table[i].needed; need != "" && need != "always" {
			path, with, ok := strings.Cut(need, "=")
			require.True(t, ok)
			require.Equal(t, "salesforce.auth", path, "needs evaluates this one only")
			require.Subset(t, index[path].enum, strings.Split(with, "|"))
		}
	}
}

func TestEverySectionHasKeysAndASentence(t *testing.T) {
	t.Parallel()
	for _, s := range sections {
		require.NotEmpty(t, names(s.path), s.path)
		require.NotEmpty(t, s.doc, s.path)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"15s": 15 * time.Second, "1h30m": 90 * time.Minute, "30d": 30 * day, "1d12h": 36 * time.Hour,
		"0.5d": 12 * time.Hour, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "1d1h1m1s1ms": 25*time.Hour + time.Minute + time.Second + time.Millisecond,
	} {
		got, ok := parseDuration(in)
		require.True(t, ok, in)
		require.Equal(t, want, got, in)
		back, ok := parseDuration(formatDuration(got))
		require.True(t, ok, formatDuration(got))
		require.Equal(t, got, back)
	}
	for _, in := range []string{"", "d", "15", "-1s", "+1s", "1w", "1 s", "1h1d", "1d1d", "99999999999d", "99999999999h", "106751d24h", ".5h", "1e3s", "１s", "1d "} {
		_, ok := parseDuration(in)
		require.False(t, ok, in)
	}
	for d, want := range map[time.Duration]string{30 * day: "30d", 72 * time.Hour: "72h", 15 * time.Minute: "15m", 20 * time.Second: "20s", 90 * time.Second: "1m30s", 10 * time.Hour: "10h", 0: "0s"} {
		require.Equal(t, want, formatDuration(d))
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"full_every", "active_every", "start", "api_key_sid"}
	for in, want := range map[string]string{
		"full_evry": "full_every", "fullevery": "full_every", "FULL-EVERY": "full_every", "flul_every": "full_every",
		"strat": "start", "apikeysid": "api_key_sid", "wednesday": "", "x": "", "": "",
	} {
		require.Equal(t, want, nearest(in, known), in)
	}
	require.Equal(t, 1, distance("ab", "ba"), "neighbours that changed places")
	require.Equal(t, 3, distance("", "abc"))
	require.Equal(t, 3, distance("kitten", "sitting"))
}

func TestWhatCouldBeASecretIsNotRepeated(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"15x"`, quote("15x"))
	require.Equal(t, "the value", quote("+14155550100"))
	require.Equal(t, "the value", quote("a long value with blanks"))
	require.Equal(t, "full_evry", quoteKey("full_evry"))
	require.Equal(t, "?", quoteKey("0a1b2c3d4e5f"))
	require.Equal(t, "?", quoteKey("a b"))
}
