package checkup

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/config"
)

const (
	// patience is how long a vendor may take to answer anything.
	patience = 20 * time.Second
	// An assertion is good for three minutes, so this is near the edge; the lesser
	// one is a clock that nobody keeps.
	wrongClock = 2 * time.Minute
	looseClock = 15 * time.Second
)

// network asks both vendors for anything at all: an answer, whatever it is, shows
// that the name resolves, the certificate is good, and what time it is there.
func (v *visit) network(ctx context.Context) {
	var skews []time.Duration
	for _, one := range []struct {
		name, address string
		carrier       http.RoundTripper
	}{
		{factTwilioNet, v.twilioAddress() + "/2010-04-01", v.o.Twilio},
		{factOrgNet, v.cfg.Salesforce.LoginURL + "/services/data", v.o.Salesforce},
	} {
		skew, timed, err := knock(ctx, one.carrier, one.address)
		host := one.address
		if u, e := url.Parse(one.address); e == nil {
			host = u.Host
		}
		if err != nil {
			what, remedy := unreached(host, err)
			v.addf(one.name, Fail, remedy, "%s", what)
			continue
		}
		v.okf(one.name, "%s answers", host)
		if timed {
			skews = append(skews, skew)
		}
	}
	v.clock(skews)
}

// clock compares ours with the vendors'.
func (v *visit) clock(skews []time.Duration) {
	if len(skews) == 0 {
		v.addf(factClock, Skipped, "", "not compared, because no vendor has told the time")
		return
	}
	worst := skews[0]
	for _, s := range skews[1:] {
		if s.Abs() > worst.Abs() {
			worst = s
		}
	}
	v.behind = worst
	side := "behind"
	if worst < 0 {
		side = "ahead"
	}
	const remedy = "Set this machine's clock, and keep it (NTP: systemd-timesyncd or chrony): logins and schedules go by it."
	off := worst.Abs().Round(5 * time.Second) // a Date header has whole seconds, and takes its time
	switch {
	case off >= wrongClock:
		v.addf(factClock, Fail, remedy, "this machine's clock is about %s %s", off, side)
	case off >= looseClock:
		v.addf(factClock, Todo, remedy, "this machine's clock is about %s %s", off, side)
	default:
		v.okf(factClock, "this machine's clock agrees with the vendors'")
	}
}

// twilioAddress is the host that the client takes, without the slash at its end.
// https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
func (v *visit) twilioAddress() string {
	if v.cfg.Twilio.BaseURL != "" {
		return v.cfg.Twilio.BaseURL
	}
	edge, region := v.o.Env("TWILIO_EDGE"), v.o.Env("TWILIO_REGION")
	if edge != "" {
		region = cmp.Or(region, "us1")
	}
	parts := slices.DeleteFunc([]string{"api", edge, region, "twilio", "com"}, func(part string) bool { return part == "" })
	return "https://" + strings.Join(parts, ".")
}

// knock makes one request without credentials. skew is how far their clock is
// ahead of ours, as exactly as a Date header says it, where there is one.
func knock(ctx context.Context, carrier http.RoundTripper, address string) (skew time.Duration, timed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, false, err
	}
	client := &http.Client{Transport: carrier, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, false, err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) //nolint:errcheck // the head says it all
	_ = resp.Body.Close()                          //nolint:errcheck // as above
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false, nil // it has answered, and that is what was asked
	}
	half := time.Since(began) / 2
	return at.Add(time.Second / 2).Sub(began.Add(half)), true, nil
}

// unreached says in a sentence why a host does not answer.
func unreached(host string, err error) (what, remedy string) {
	var (
		inURL  *url.Error
		lookup *net.DNSError
		trust  *tls.CertificateVerificationError
	)
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	switch {
	case errors.As(err, &lookup):
		return "the name of " + host + " cannot be resolved", "Check the address in the configuration and this machine's name servers (/etc/resolv.conf, resolvectl)."
	case errors.As(err, &trust):
		return "the certificate of " + host + " is not trusted: " + trust.Err.Error(),
			"Check this machine's clock and its CA certificates; a proxy in between may show a certificate of its own."
	case errors.Is(err, context.DeadlineExceeded):
		return host + " does not answer within " + patience.String(), "Check the firewall, and HTTPS_PROXY in the daemon's environment."
	default:
		return host + " cannot be reached: " + err.Error(), "Check the firewall, and HTTPS_PROXY in the daemon's environment."
	}
}

// late says that an assertion of ours would be too old when it arrives.
func (v *visit) late() bool {
	return v.cfg.Salesforce.Auth == config.AuthJWT && v.behind >= wrongClock
}
