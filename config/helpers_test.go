package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

// Secrets of the tests; no output may hold one.
const (
	keySecret    = "key-secret-4711"
	authToken    = "auth-token-4712"
	clientSecret = "client-secret-4713"
	userPassword = "user-password-4714"
	loginToken   = "login-token-4715"
)

var (
	accountSID = "AC" + strings.Repeat("0a", 16)
	apiKeySID  = "SK" + strings.Repeat("1b", 16)
)

// minimal is the shortest valid file: an auth token and client credentials.
const minimal = `
twilio:
  account_sid: AC0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  auth_token: auth-token-4712
salesforce:
  login_url: https://mycompany.my.salesforce.com
  auth: client_credentials
  client_id: consumer-key
  client_secret: client-secret-4713
`

// rsaKey is one private key for all tests: making one takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pemBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pemBlock("PRIVATE KEY", der)
}

// write puts text into a new file that only its owner may read.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func load(t *testing.T, text string, environ ...string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("twiliosf.yaml", []byte(text), environ)
	require.NoError(t, err)
	return cfg
}

// refusal is what an operator reads for text, without the file's name.
func refusal(t *testing.T, text string, environ ...string) string {
	t.Helper()
	cfg, err := config.Parse("twiliosf.yaml", []byte(text), environ)
	require.Nil(t, cfg)
	var faults config.Faults
	require.ErrorAs(t, err, &faults)
	require.NotEmpty(t, faults)
	return strings.ReplaceAll(err.Error(), "twiliosf.yaml:", "")
}
