package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/config"
)

func TestASecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret(keySecret)
	require.Equal(t, keySecret, secret.Reveal())
	type outer struct {
		Exported config.Secret
		hidden   config.Secret
	}
	holder := outer{Exported: secret, hidden: secret}
	var out strings.Builder
	for _, verb := range strings.Split("v +v #v s q x X d t T p 10s", " ") {
		for _, v := range []any{secret, &secret, holder, &holder, []config.Secret{secret}, map[string]config.Secret{"k": secret}} {
			_, _ = fmt.Fprintf(&out, "%"+verb+"\n", v)
		}
	}
	asJSON, err := json.Marshal(holder)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(holder.Exported)
	require.NoError(t, err)
	asText, err := secret.MarshalText()
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "holder", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "holder", holder)
	out.WriteString(string(asJSON) + string(asYAML) + string(asText) + log.String())
	require.NotContains(t, out.String(), keySecret)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", keySecret))
	require.Equal(t, "<secret>", secret.String())
	require.Equal(t, "<secret>", fmt.Sprintf("%#v", secret))
	require.Equal(t, "<secret>", string(asText))
}

func TestAnUnsetSecretIsEmpty(t *testing.T) {
	t.Parallel()
	require.Empty(t, config.Secret{}.Reveal())
	require.False(t, config.Secret{}.IsSet())
	require.True(t, config.NewSecret("x").IsSet())
}

func TestAConfigurationPrintsWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	cfg := load(t, `
twilio: {account_sid: `+accountSID+`, api_key_sid: `+apiKeySID+`, api_key_secret: `+keySecret+`, auth_token: `+authToken+`}
salesforce: {auth: password, client_secret: `+clientSecret+`, username: daemon@example.com, password: `+userPassword+`, security_token: `+loginToken+`}
`)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		_, _ = fmt.Fprintf(&out, verb+verb, cfg, *cfg)
	}
	asJSON, err := json.Marshal(cfg)
	require.NoError(t, err)
	out.Write(asJSON)
	for _, secret := range []string{keySecret, authToken, clientSecret, userPassword, loginToken} {
		require.NotContains(t, out.String(), secret)
		require.NotContains(t, out.String(), fmt.Sprintf("%x", secret))
	}
	require.Equal(t, 5, strings.Count(cfg.Redacted(), "<secret>"))
}

func TestASecretIsReadFromAFile(t *testing.T) {
	t.Parallel()
	dir, creds := t.TempDir(), t.TempDir()
	write(t, dir, "token", authToken+"\r\n\n")
	write(t, creds, "token", "from-systemd\n")
	text := strings.Replace(minimal, "auth_token: "+authToken, "auth_token_file: token", 1)
	path := write(t, dir, "twiliosf.yaml", text)

	cfg, err := config.Load(path, nil)
	require.NoError(t, err)
	require.Equal(t, authToken, cfg.Twilio.AuthToken.Reveal(), "beside the configuration, without its line end")

	cfg, err = config.Load(path, []string{"CREDENTIALS_DIRECTORY=" + creds})
	require.NoError(t, err)
	require.Equal(t, "from-systemd", cfg.Twilio.AuthToken.Reveal(), "the service manager's credentials")

	cfg, err = config.Load(path, []string{"CREDENTIALS_DIRECTORY=" + creds, "TWILIOSF_TWILIO_AUTH_TOKEN_FILE=" + filepath.Join(dir, "token")})
	require.NoError(t, err)
	require.Equal(t, authToken, cfg.Twilio.AuthToken.Reveal(), "an absolute path is what it says")

	cfg, err = config.Load(path, []string{"TWILIOSF_TWILIO_AUTH_TOKEN=from-env"})
	require.NoError(t, err)
	require.Equal(t, "from-env", cfg.Twilio.AuthToken.Reveal(), "the environment stands in for either form")
}

func TestASecretFileThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct{ content, want string }{
		"empty":      {"\n\n", "is empty; put the auth token there"},
		"two lines":  {"hidden-1\nhidden-2\n", "has more than one line, or a control character; store the value alone, on one line"},
		"binary":     {"hidden\xff\xfe", "is not UTF-8 text; store the value itself, as text"},
		"very large": {strings.Repeat("hidden", 20_000), "is larger than 64 KiB; this is probably another file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, dir, strings.ReplaceAll(name, " ", "-"), c.content)
			got := refusal(t, strings.Replace(minimal, "auth_token: "+authToken, "auth_token_file: "+path, 1))
			require.Equal(t, "4:20: twilio.auth_token_file: "+path+" "+c.want, got)
		})
	}
}

func TestASecretThatEverybodyMayReadIsAWarning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	token := write(t, dir, "token", authToken)
	require.NoError(t, os.Chmod(token, 0o644))
	path := write(t, dir, "twiliosf.yaml", strings.Replace(minimal, "auth_token: "+authToken, "auth_token_file: token", 1))
	cfg, err := config.Load(path, nil)
	require.NoError(t, err)
	require.EqualError(t, cfg.Warnings(), path+":4:20: twilio.auth_token_file: "+token+" may be read by every user of this machine; chmod o-r "+token)

	require.NoError(t, os.Chmod(token, 0o640))
	require.NoError(t, os.Chmod(path, 0o644))
	cfg, err = config.Load(path, nil)
	require.NoError(t, err)
	require.EqualError(t, cfg.Warnings(), path+":9:18: salesforce.client_secret: is a secret in a file that every user of this machine may read; "+
		"chmod o-r twiliosf.yaml, or move it to salesforce.client_secret_file")
}

func TestThePrivateKeyMustBeRSAInPEM(t *testing.T) {
	t.Parallel()
	good := pkcs8(t, rsaKey())
	pkcs1 := pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	require.NoError(t, err)
	for name, c := range map[string]struct{ content, want string }{
		"pkcs8":              {good, ""},
		"pkcs1":              {pkcs1, ""},
		"behind its public":  {pemBlock("CERTIFICATE", []byte("x")) + good, ""},
		"a curve":            {pkcs8(t, curve), "is not an RSA key"},
		"an ec key":          {pemBlock("EC PRIVATE KEY", []byte("x")), "is an elliptic curve key"},
		"encrypted":          {pemBlock("ENCRYPTED PRIVATE KEY", []byte("x")), "is encrypted with a passphrase"},
		"encrypted, older":   {strings.Replace(pkcs1, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1), "is encrypted with a passphrase"},
		"openssh":            {pemBlock("OPENSSH PRIVATE KEY", []byte("x")), "is an OpenSSH key"},
		"a certificate":      {pemBlock("CERTIFICATE", []byte("x")), "holds a certificate or a public key"},
		"a public key":       {pemBlock("PUBLIC KEY", public), "holds a certificate or a public key"},
		"damaged":            {pemBlock("PRIVATE KEY", []byte("x")), "is damaged"},
		"damaged, older":     {pemBlock("RSA PRIVATE KEY", []byte("x")), "is damaged"},
		"cut off":            {good[:len(good)/2], "is not a private key in PEM form"},
		"something else":     {"hidden", "is not a private key in PEM form"},
		"too short":          {pkcs8(t, short), "has 1024 bits, which is too short"},
		"with windows lines": {strings.ReplaceAll(good, "\n", "\r\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, t.TempDir(), "key.pem", c.content)
			text := strings.Replace(minimal, "salesforce:\n", "salesforce:\n  private_key_file: "+path+"\n", 1)
			if c.want == "" {
				require.True(t, load(t, text).Salesforce.PrivateKey.IsSet())
				return
			}
			got := refusal(t, text)
			require.Contains(t, got, "6:21: salesforce.private_key_file: "+path+" "+c.want)
			require.NotContains(t, got, "\n")
			require.NotContains(t, got, "hidden")
		})
	}
}
