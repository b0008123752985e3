package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rules are what several keys must say together. A rule stays silent about a
// key that has been reported already.
type rules struct {
	*loader
	cfg    *Config
	values layer
}

func (l *loader) applyRules(cfg *Config, values layer) {
	r := rules{loader: l, cfg: cfg, values: values}
	missing := r.missing()
	if l.empty && len(missing) > 0 {
		l.faults = append(l.faults, Fault{File: l.name, Problem: "the file is empty, and the environment does not give everything either",
			Remedy: "write one with: twiliosf config init > " + l.name})
		return
	}
	l.faults = append(l.faults, missing...)
	r.login()
	r.rhythm()
	r.socket()
	r.webhook()
	r.consent()
	r.archive()
	r.mirrorOnly()
}

// mirrorOnly refuses what would be made of objects that the managed package's org lacks.
func (r rules) mirrorOnly() {
	const recurring, objects = "campaigns.recurring", "salesforce.objects"
	if r.good(recurring, objects) && r.cfg.Salesforce.Objects.Managed() && len(r.cfg.Campaigns.Recurring) > 0 {
		r.fault(r.at(recurring), recurring, problemf("cannot be made with salesforce.objects managed: campaigns stay with the package").
			do("take them out"))
	}
}

func (r rules) has(path string) bool { _, ok := r.values[path]; return ok }

// isMeant reports that a fault has been found where the key, or the section
// around it, should stand; it is then not missing as well.
func (r rules) isMeant(path string) bool {
	parent, _ := split(path)
	return r.meant[path] || r.meant[path+fileSuffix] || r.meant[parent]
}

// good reports that none of the keys is given wrongly.
func (r rules) good(paths ...string) bool {
	for _, p := range paths {
		if r.values[p].bad {
			return false
		}
	}
	return true
}

// at is the place of the first of the keys that is given, else of its section.
func (r rules) at(paths ...string) origin {
	for _, p := range paths {
		if g, ok := r.values[p]; ok {
			return g.at
		}
	}
	parent, _ := split(paths[0])
	if at, ok := r.sections[parent]; ok {
		return at
	}
	return origin{file: r.name, line: 1, column: 1}
}

// missing are the keys that must be given and are not.
func (r rules) missing() Faults {
	var out Faults
	for i := range table {
		k := &table[i]
		if r.has(k.path) || r.isMeant(k.path) {
			continue
		}
		if why, needed := r.needs(k); needed {
			out = append(out, r.at(k.path).fault(k.path, problemf("%s", why).do("%s", howToGive(k))))
		}
	}
	return append(out, r.twilioCredentials()...)
}

// needs evaluates k.needed.
func (r rules) needs(k *key) (why string, needed bool) {
	if k.needed == "" || k.needed == "always" {
		return "is required", k.needed == "always"
	}
	path, wanted, _ := strings.Cut(k.needed, "=")
	if !r.good(path) || r.meant[path] {
		return "", false
	}
	// The one condition that the table has so far.
	actual := string(r.cfg.Salesforce.Auth)
	return "is required with auth " + actual, slices.Contains(strings.Split(wanted, "|"), actual)
}

// howToGive names the ways to set a key.
func howToGive(k *key) string {
	if k.kind == secret {
		_, name := split(k.path)
		return "give " + name + fileSuffix + " or " + name + ", or set " + envName(k.path)
	}
	return "give it here, or set " + envName(k.path)
}

// twilioCredentials wants an API key, whole, or the auth token alone.
func (r rules) twilioCredentials() Faults {
	const sid, sec, token = "twilio.api_key_sid", "twilio.api_key_secret", "twilio.auth_token" //nolint:gosec // names of keys
	hasSID, hasSecret := r.has(sid) || r.isMeant(sid), r.has(sec) || r.isMeant(sec)
	switch {
	case hasSID && !hasSecret:
		return Faults{r.at(sid).fault(sid, problemf("is given without api_key_secret").do("%s", howToGive(index[sec].key)))}
	case hasSecret && !hasSID:
		return Faults{r.at(sec).fault(sec, problemf("is given without api_key_sid").do("%s", howToGive(index[sid].key)))}
	case !hasSID && !r.has(token) && !r.isMeant(token):
		return Faults{r.at(sid).fault(sid, problemf("no Twilio credentials").do("give api_key_sid and api_key_secret, or auth_token"))}
	}
	return nil
}

// login checks the way to log in against where and with which API.
func (r rules) login() {
	const auth, login, version = "salesforce.auth", "salesforce.login_url", "salesforce.api_version"
	if !r.good(auth) {
		return
	}
	sf := r.cfg.Salesforce
	if sf.Auth == AuthPassword && r.good(version) {
		// https://developer.salesforce.com/docs/platform/api/guide/api-eol-soap.html
		if major, _ := strconv.Atoi(strings.TrimSuffix(sf.APIVersion, ".0")); major >= 65 { //nolint:errcheck // a good version is a number
			r.fault(r.at(version, auth), version, problemf("is too new for auth password: SOAP login() ended with 64.0").
				do("use 64.0, or better auth jwt or client_credentials"))
		}
	}
	if sf.Auth == AuthClientCredentials && r.good(login) {
		// https://help.salesforce.com/s/articleView?id=000886201&type=1
		if u, err := url.Parse(sf.LoginURL); err == nil && sharedLogin(u.Hostname()) {
			r.fault(r.at(login, auth), login, problemf("must be the org's My Domain URL with auth client_credentials").
				do("write it such as https://mycompany.my.salesforce.com"))
		}
	}
}

func sharedLogin(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "login.salesforce.com" || host == "test.salesforce.com"
}

// rhythm holds the durations in their order.
func (r rules) rhythm() {
	s := r.cfg.Sync
	r.atMost("sync.active_every", s.ActiveEvery, "sync.full_every", s.FullEvery)
	r.atMost("sync.full_every", s.FullEvery, "sync.lookback", s.Lookback)
}

func (r rules) atMost(small string, a time.Duration, large string, b time.Duration) {
	if a <= b || !r.good(small, large) {
		return
	}
	_, name := split(large)
	p := problemf("%s is longer than %s, %s", formatDuration(a), name, formatDuration(b)).do("it must be at most as long")
	r.fault(r.at(small, large), small, p)
}

// webhook wants what a signature is checked with, and a certificate whole.
func (r rules) webhook() {
	const public, token, cert, key = "twilio.webhook.public_url", "twilio.auth_token", "twilio.webhook.tls_cert_file", "twilio.webhook.tls_key_file" //nolint:gosec // names of keys
	if r.has(public) && r.good(public) && r.cfg.Twilio.Webhook.PublicURL != "" && !r.has(token) && !r.isMeant(token) {
		r.fault(r.at(public), public, problemf("is given without twilio.auth_token, with which Twilio signs its calls").do("%s", howToGive(index[token].key)))
	}
	for given, other := range map[string]string{cert: key, key: cert} {
		if _, name := split(other); r.has(given) && !r.has(other) && !r.isMeant(other) {
			r.fault(r.at(given), given, problemf("is given without %s", name).do("give both, or none where a proxy has the certificate"))
		}
	}
}

// socket makes sure that the control socket can be bound.
func (r rules) socket() {
	if !r.good("store", "control") || r.has("control") {
		return // a path that is given has been checked
	}
	if len(r.cfg.ControlPath()) > maxSocketPath {
		r.fault(r.at("store"), "store", problemf("leaves no room for control.sock beside it: a Unix socket's path has at most %d bytes", maxSocketPath).
			do("set control to a shorter path"))
	}
}
