package config

import (
	"maps"
	"path"
	"time"
)

// DefaultPath is where the command line looks for the configuration.
const DefaultPath = "/etc/twiliosf/twiliosf.yaml"

// Config is a configuration that has passed every check. Treat it as
// read-only: it is shared by everything that was built from it. Two loads of
// the same input are equal by reflect.DeepEqual.
type Config struct {
	Twilio     Twilio     `key:"twilio"`
	Salesforce Salesforce `key:"salesforce"`
	People     People     `key:"people"`
	Sync       Sync       `key:"sync"`
	Media      Media      `key:"media"`
	Consent    Consent    `key:"consent"`
	Outbox     Outbox     `key:"outbox"`
	Campaigns  Campaigns  `key:"campaigns"`
	Archive    Archive    `key:"archive"`
	// Store is a URL: sqlite:// and an absolute path.
	Store   string  `key:"store"`
	Console Console `key:"console"`
	// Control is as configured and may be empty; see ControlPath.
	Control string `key:"control"`
	Log     Log    `key:"log"`
	// Drain is the longest a stop may take.
	Drain time.Duration `key:"drain"`

	warnings Faults
}

// Twilio is the account whose messages are read.
type Twilio struct {
	AccountSID string `key:"account_sid"`
	// APIKeySID and APIKeySecret are both set or both empty; then AuthToken is set.
	APIKeySID    string `key:"api_key_sid"`
	APIKeySecret Secret `key:"api_key_secret"`
	AuthToken    Secret `key:"auth_token"`
	// BaseURL has no slash at its end; empty means Twilio's own hosts.
	BaseURL string `key:"base_url"`
	// Concurrency is in requests under way at once.
	Concurrency int `key:"concurrency"`
	// Sender is a number or a Messaging Service's SID; empty means none.
	Sender  string  `key:"sender"`
	Webhook Webhook `key:"webhook"`
}

// Webhook is where Twilio calls us. It is off while PublicURL is empty.
type Webhook struct {
	// PublicURL is what Twilio calls and signs.
	PublicURL string `key:"public_url"`
	// Listen is host:port; an empty host means every interface.
	Listen string `key:"listen"`
	// TLSCertFile and TLSKeyFile are both set or both empty.
	TLSCertFile string `key:"tls_cert_file"`
	TLSKeyFile  string `key:"tls_key_file"`
}

// Salesforce is the org that is written.
type Salesforce struct {
	// LoginURL has no slash at its end.
	LoginURL string `key:"login_url"`
	// Audience is the JWT's aud claim; LoginURL where nothing is configured.
	Audience string `key:"audience"`
	// Auth says which of the fields below it are set.
	Auth          Auth   `key:"auth"`
	ClientID      string `key:"client_id"`
	ClientSecret  Secret `key:"client_secret"`
	Username      string `key:"username"`
	PrivateKey    Secret `key:"private_key"` // PEM, RSA, PKCS#1 or PKCS#8
	Password      Secret `key:"password"`
	SecurityToken Secret `key:"security_token"`
	// APIVersion is like "64.0".
	APIVersion string `key:"api_version"`
	// DailyAPIShare is the part of the org's daily API calls we may use, above 0 and at most 1.
	DailyAPIShare float64 `key:"daily_api_share"`
	// Concurrency is in requests under way at once.
	Concurrency int `key:"concurrency"`
	// BulkThreshold is in records.
	BulkThreshold int     `key:"bulk_threshold"`
	Objects       Objects `key:"objects"`
}

// Auth is a way to log in to Salesforce.
type Auth string

// The ways to log in.
const (
	AuthJWT               Auth = "jwt"                // ClientID, Username, PrivateKey
	AuthClientCredentials Auth = "client_credentials" // ClientID, ClientSecret
	AuthPassword          Auth = "password"           // Username, Password, perhaps SecurityToken
)

// Sync is the rhythm of the mirror.
type Sync struct {
	ActiveEvery  time.Duration `key:"active_every"`
	FullEvery    time.Duration `key:"full_every"`
	RefreshEvery time.Duration `key:"refresh_every"`
	DraftsEvery  time.Duration `key:"drafts_every"`
	ActiveFor    time.Duration `key:"active_for"`
	Lookback     time.Duration `key:"lookback"`
	Start        time.Duration `key:"start"`
}

// Consent is words beside Twilio's own.
type Consent struct {
	StopWords  []string `key:"stop_words"`
	StartWords []string `key:"start_words"`
	HelpWords  []string `key:"help_words"`
}

// Media is what becomes of the media of messages.
type Media struct {
	Store string `key:"store"` // MediaLink or MediaFiles
}

// What media.store may be.
const (
	MediaLink  = "link"  // a record that links to Twilio
	MediaFiles = "files" // and a file in Salesforce
)

// Console is the HTTP server for metrics and health.
type Console struct {
	// Listen is host:port; an empty host means every interface.
	Listen string `key:"listen"`
}

// Log is the daemon's own log.
type Log struct {
	Level  string `key:"level"`  // debug, info, warn or error
	Format string `key:"format"` // json or console
}

// Objects says what the org calls our objects and fields. Its zero value means
// the names that we ship.
type Objects struct {
	message map[string]string
	managed bool
}

// Managed says that the names, but for those that were configured, are those of
// the managed package Twilio for Salesforce, whose org is only mirrored to.
func (o Objects) Managed() bool { return o.managed }

// Message gives the API names that were configured for the message object: by
// the names of MessageKeys, and under "object" the object's own. What is not
// named keeps its default. The map is the caller's.
func (o Objects) Message() map[string]string { return maps.Clone(o.message) }

// StorePath is the absolute path of the SQLite file.
func (c *Config) StorePath() string {
	p, _ := sqlitePath(c.Store)
	return p
}

// ControlPath is the absolute path of the control socket: the configured one,
// else control.sock beside the store.
func (c *Config) ControlPath() string {
	if c.Control != "" {
		return c.Control
	}
	return path.Join(path.Dir(c.StorePath()), "control.sock")
}

// Warnings are findings that stop nobody: a secret that everybody on the
// machine may read, an environment variable that sets no key.
func (c *Config) Warnings() Faults { return append(Faults(nil), c.warnings...) }
