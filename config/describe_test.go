package config_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/config"
)

const packaged = "../deploy/systemd/twiliosf.yaml"

func TestThePackagedFileIsWhatInitWrites(t *testing.T) {
	t.Parallel()
	if *update {
		require.NoError(t, os.WriteFile(packaged, []byte(config.Init()), 0o600))
	}
	text, err := os.ReadFile(packaged)
	require.NoError(t, err)
	require.Equal(t, config.Init(), string(text))
}

// filledIn is Init's text with what an operator has to put in, and the
// directory in which systemd would hand over the credentials.
func filledIn(t *testing.T) (text, credentials string) {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"twilio-api-key-secret": keySecret, "twilio-auth-token": authToken, "salesforce-client-secret": clientSecret,
		"salesforce-private-key": pkcs8(t, rsaKey()), "salesforce-password": userPassword, "salesforce-security-token": loginToken,
	} {
		write(t, dir, name, value+"\n")
	}
	return strings.NewReplacer(
		"AC"+strings.Repeat("x", 32), accountSID, "SK"+strings.Repeat("x", 32), apiKeySID,
		"replace-with-the-consumer-key", "consumer-key", "replace-with-the-username@example.com", "daemon@example.com",
	).Replace(config.Init()), dir
}

func TestANewFileLoadsOnceItIsFilledIn(t *testing.T) {
	t.Parallel()
	text, dir := filledIn(t)
	cfg := load(t, text, "CREDENTIALS_DIRECTORY="+dir)
	require.Equal(t, keySecret, cfg.Twilio.APIKeySecret.Reveal())
	require.Equal(t, config.AuthJWT, cfg.Salesforce.Auth)
	require.Empty(t, cfg.Warnings())
}

func TestANewFileIsRefusedUntilItIsFilledIn(t *testing.T) {
	t.Parallel()
	got := refusal(t, config.Init())
	require.Equal(t, 6, strings.Count(got, "\n")+1, got)
	require.Equal(t, 4, strings.Count(got, "is still the example; put your own value there"))
	require.Equal(t, 2, strings.Count(got, "does not exist"))
}

func TestWhatANewFileShowsAsDefaultIsTheDefault(t *testing.T) {
	t.Parallel()
	text, dir := filledIn(t)
	all := regexp.MustCompile(`(?m)^( *)#([a-z_]+:)`).ReplaceAllString(text, "$1$2")
	require.NotEqual(t, text, all)
	want, got := load(t, text, "CREDENTIALS_DIRECTORY="+dir), load(t, all, "CREDENTIALS_DIRECTORY="+dir)
	// Keys without a default show an example.
	got.Twilio.AuthToken, got.Twilio.BaseURL, got.Control = want.Twilio.AuthToken, want.Twilio.BaseURL, want.Control
	got.Twilio.Webhook, got.Twilio.Sender = want.Twilio.Webhook, want.Twilio.Sender
	got.Salesforce.ClientSecret, got.Salesforce.Password, got.Salesforce.SecurityToken = want.Salesforce.ClientSecret, want.Salesforce.Password, want.Salesforce.SecurityToken
	got.Archive.Cron, got.Archive.Where, got.Archive.HoldField = want.Archive.Cron, want.Archive.Where, want.Archive.HoldField
	require.Equal(t, want.Redacted(), got.Redacted())
}

func TestEveryKeyIsInTheFileTheTableAndTheSchema(t *testing.T) {
	t.Parallel()
	reference := config.Reference()
	schema := schemaKeys(t)
	require.Greater(t, len(schema), 35)
	for _, path := range schema {
		name := path[strings.LastIndexByte(path, '.')+1:]
		require.Equal(t, 1, strings.Count(reference, "| `"+path+"` |"), path)
		require.Contains(t, config.Init(), name, path)
	}
	require.Equal(t, len(schema), strings.Count(reference, "`TWILIOSF_"))
}

// schemaKeys are the dotted paths of the schema's keys.
func schemaKeys(t *testing.T) []string {
	t.Helper()
	type node struct {
		Properties map[string]json.RawMessage
		Extra      bool `json:"additionalProperties"`
		OneOf      []any
		Type       any
		Doc        string `json:"description"`
	}
	var out []string
	var walk func(prefix string, raw json.RawMessage)
	walk = func(prefix string, raw json.RawMessage) {
		var n node
		n.Extra = true
		require.NoError(t, json.Unmarshal(raw, &n))
		if n.Properties == nil {
			require.NotEmpty(t, n.Doc, prefix)
			out = append(out, strings.TrimPrefix(prefix, "."))
			return
		}
		require.False(t, n.Extra, "%s accepts any key", prefix)
		for name, sub := range n.Properties {
			walk(prefix+"."+name, sub)
		}
	}
	walk("", config.Schema())
	return out
}

func TestTheSchemaKnowsTypesLimitsAndDefaults(t *testing.T) {
	t.Parallel()
	var s struct {
		Schema     string `json:"$schema"`
		Properties map[string]struct {
			AllOf      []any
			Properties map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(config.Schema(), &s))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", s.Schema)
	of := func(section, key string) map[string]any { return s.Properties[section].Properties[key] }
	require.Equal(t, []any{"jwt", "client_credentials", "password"}, of("salesforce", "auth")["enum"])
	require.InDelta(t, 1, of("twilio", "concurrency")["minimum"], 0)
	require.InDelta(t, 100, of("twilio", "concurrency")["maximum"], 0)
	require.InDelta(t, 0, of("salesforce", "daily_api_share")["exclusiveMinimum"], 0)
	require.Equal(t, "15m", of("sync", "full_every")["default"])
	require.Equal(t, true, of("twilio", "auth_token")["writeOnly"])
	require.Equal(t, "string", of("twilio", "auth_token_file")["type"])
	require.Len(t, s.Properties["twilio"].AllOf, 2, "a secret or its file, never both")
	require.Regexp(t, of("twilio", "account_sid")["pattern"], accountSID)
}

func TestTheEffectiveConfigurationReadsAsYAML(t *testing.T) {
	t.Parallel()
	text := strings.Replace(minimal, "salesforce:\n", "salesforce:\n  objects: {message: {body: B__c, object: X__c}}\n", 1)
	cfg := load(t, text, "TWILIOSF_SYNC_START=1d")
	var back map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(cfg.Redacted()), &back))
	require.Equal(t, "24h", back["sync"].(map[string]any)["start"])
	sf := back["salesforce"].(map[string]any)
	require.Equal(t, "64.0", sf["api_version"])
	require.Equal(t, "<secret>", sf["client_secret"])
	require.Empty(t, sf["password"])
	require.Equal(t, map[string]any{"message": map[string]any{"body": "B__c", "object": "X__c"}}, sf["objects"])
	require.Equal(t, cfg.Redacted(), cfg.String())

	again := load(t, strings.ReplaceAll(cfg.Redacted(), "<secret>", "x"))
	require.Equal(t, cfg.Sync, again.Sync)
	require.Equal(t, cfg.Salesforce.Objects, again.Salesforce.Objects)
}

func TestThePackagesNamesAreAWordOrThePresetOfAMapping(t *testing.T) {
	t.Parallel()
	for objects, want := range map[string]struct {
		managed bool
		message map[string]string
		shown   any
	}{
		"default": {false, nil, "default"},
		"managed": {true, nil, "managed"},
		"{preset: default, message: {price: A__c}}": {false, map[string]string{"price": "A__c"}, map[string]any{"message": map[string]any{"price": "A__c"}}},
		"{preset: managed}":                         {true, nil, "managed"},
		"{preset: managed, message: {price: A__c}}": {true, map[string]string{"price": "A__c"}, map[string]any{"preset": "managed", "message": map[string]any{"price": "A__c"}}},
	} {
		for _, cfg := range []*config.Config{
			load(t, strings.Replace(minimal, "salesforce:\n", "salesforce:\n  objects: "+objects+"\n", 1)),
			load(t, minimal, "TWILIOSF_SALESFORCE_OBJECTS="+objects),
		} {
			require.Equal(t, want.managed, cfg.Salesforce.Objects.Managed(), objects)
			require.Equal(t, want.message, cfg.Salesforce.Objects.Message(), objects)
			var back map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(cfg.Redacted()), &back))
			require.Equal(t, want.shown, back["salesforce"].(map[string]any)["objects"], objects)
		}
	}
}
