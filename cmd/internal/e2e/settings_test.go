package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	object = "TwilioSF_Message__c"
	ours   = "+14155550100"
	theirs = "+14155550123"
)

// settings are the parts of a configuration that tests change: lines of YAML.
type settings struct {
	account, address string // in the section twilio
	login, org       string // in the section salesforce
	sync             string
	drain            string
	rest             string
}

// defaultSettings sweep often enough for a test and seldom enough that a sweep
// which waits for a stuck writer, a minute at most, is over before the next.
func defaultSettings(t *testing.T, w *world) settings {
	t.Helper()
	dir := t.TempDir()
	return settings{
		account: twilioLogin(w.twilio.APIKeySecret),
		address: "  base_url: http://127.0.0.1:1\n",
		login:   jwtLogin(salesforcetest.DefaultConsumerKey, salesforcetest.DefaultUsername, w.org.PrivateKeyPEM()),
		org:     "  login_url: http://127.0.0.1:2\n",
		sync:    "  full_every: 90s\n  start: 1d\n",
		drain:   "20s",
		rest:    fmt.Sprintf("store: sqlite://%s/t.db\ncontrol: %s/c.sock\nconsole: {listen: \"127.0.0.1:0\"}\n", dir, dir),
	}
}

func (s settings) yaml() string {
	return "twilio:\n" + s.account + s.address + "salesforce:\n" + s.login + s.org + "sync:\n" + s.sync + "drain: " + s.drain + "\n" + s.rest
}

func twilioLogin(secret string) string {
	return fmt.Sprintf("  account_sid: %s\n  api_key_sid: %s\n  api_key_secret: %s\n", twiliotest.DefaultAccountSID, twiliotest.DefaultAPIKeySID, secret)
}

func jwtLogin(key, user string, pem []byte) string {
	block := "    " + strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", "\n    ")
	return fmt.Sprintf("  client_id: %s\n  username: %s\n  private_key: |\n%s\n", key, user, block)
}

func clientLogin(secret string) string {
	return fmt.Sprintf("  auth: client_credentials\n  client_id: %s\n  client_secret: %s\n", salesforcetest.DefaultConsumerKey, secret)
}

func passwordLogin(password string) string {
	return fmt.Sprintf("  auth: password\n  username: %s\n  password: %s\n  security_token: %s\n",
		salesforcetest.DefaultUsername, password, salesforcetest.DefaultSecurityToken)
}

// receive lets n messages come in, whose words nobody may repeat.
func (w *world) receive(n int) {
	for i := range n {
		w.twilio.Receive(twiliotest.Inbound{From: theirs, To: ours, Body: fmt.Sprintf("%s number %d 🤫", confidential, w.twilio.Len()+i)})
	}
}

// quiet is an account in which nothing changes by itself.
func quiet() twiliotest.Options { return twiliotest.Options{Life: still} }

// history seeds n finished messages, evenly over the time that is past.
func (w *world) history(n int, span time.Duration) {
	from := time.Now().Add(-span)
	w.twilio.SeedFunc(n, func(i int) twiliotest.Row {
		at := from.Add(span * time.Duration(i) / time.Duration(n)).Truncate(time.Second)
		return twiliotest.Row{
			From: theirs, To: ours, Body: fmt.Sprintf("%s of old, number %d", confidential, i),
			Created: at, Sent: at, Price: "-0.00750",
		}
	}, nil)
}
