package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Twilio signs with
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// hooked starts a daemon that Twilio can call, and answers where.
func hooked(ctx context.Context, s *sandbox.Sandbox, dir string, concurrency int) (*process, string, error) {
	free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, "", err
	}
	hook := "http://" + addr + "/twilio"
	p, err := start(ctx, s, dir, func(y string) string {
		y = strings.Replace(backfillConfig(y), "salesforce:\n", fmt.Sprintf("salesforce:\n  concurrency: %d\n", concurrency), 1)
		return strings.Replace(y, "twilio:\n", fmt.Sprintf("twilio:\n  auth_token: %s\n  webhook: {public_url: %q, listen: %q}\n", s.Twilio.AuthToken, hook, addr), 1)
	})
	return p, hook, err
}

// sign is X-Twilio-Signature. https://www.twilio.com/docs/usage/security
func sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address) //nolint:errcheck // a hash takes everything
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name)) //nolint:errcheck // as above
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post makes one call about the i-th message and answers when it was acknowledged.
func post(ctx context.Context, c *http.Client, s *sandbox.Sandbox, hook string, i int) error {
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032x", 1<<40+i)}, "AccountSid": {s.Twilio.AccountSID}, "From": {fmt.Sprintf("+1415%07d", i)},
		"To": {"+14155550100"}, "Body": {"Yes, Tuesday at ten is fine."}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewBufferString(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", sign(s.Twilio.AuthToken, hook, form))
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("a call was answered %d", resp.StatusCode)
	}
	return nil
}

// measureAck calls at a steady rate, whatever the daemon makes of it, and
// measures from the moment at which a call was due.
func measureAck(ctx context.Context) ([]figure, error) {
	const rate, calls = 1000, 20_000
	s, dir, done, err := pair(0, salesforcetest.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	p, hook, err := hooked(ctx, s, dir, 4)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}, Timeout: 15 * time.Second}
	took := make([]time.Duration, calls)
	errs := make([]error, calls)
	began := time.Now()
	var calling sync.WaitGroup
	for i := range calls {
		due := began.Add(time.Duration(i) * time.Second / rate)
		time.Sleep(time.Until(due))
		calling.Go(func() {
			errs[i] = post(ctx, client, s, hook, i)
			took[i] = time.Since(due)
		})
	}
	calling.Wait()
	lasted := time.Since(began)
	if _, err := mirrored(ctx, s, p, calls, nil); err != nil {
		return nil, err
	}
	if _, err := p.stop(); err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	p50, p99 := quantiles(took)
	return []figure{{
		What:     fmt.Sprintf("webhook acknowledgement, durable, at %.0f events/s (%d events, all of them in Salesforce afterwards)", calls/lasted.Seconds(), calls),
		Measured: fmt.Sprintf("median %.1f ms, p99 %.1f ms", ms(p50), ms(p99)),
		Goal:     "p99 under 25 ms", Met: p99 < 25*time.Millisecond,
	}}, nil
}

// measureLag measures from the moment a message comes in at Twilio to the moment
// its record is there. Of 4 calls at once it would wait for the next one L/8 on
// average, of 8, the default, L/16.
func measureLag(ctx context.Context) ([]figure, error) {
	var all []figure
	for _, concurrency := range []int{8} {
		f, err := lagWith(ctx, concurrency)
		if err != nil {
			return all, err
		}
		all = append(all, f)
	}
	return all, nil
}

func lagWith(ctx context.Context, concurrency int) (figure, error) {
	const rate, messages = 200, 4000
	const latency = 600 * time.Millisecond
	s, dir, done, err := pair(0, salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return latency }})
	if err != nil {
		return figure{}, err
	}
	defer done()
	p, hook, err := hooked(ctx, s, dir, concurrency)
	if err != nil {
		return figure{}, err
	}
	s.Twilio.SetWebhook(twiliotest.Webhook{URL: hook, Via: &http.Transport{MaxIdleConnsPerHost: 100}})
	calling, hangUp := context.WithCancel(ctx)
	defer hangUp()
	go s.Twilio.Run(calling)
	watch(s, rate, 100) // the first ones wait for the login
	took := watch(s, rate, messages)
	if _, err := p.stop(); err != nil {
		return figure{}, err
	}
	if len(took) < messages {
		return figure{}, fmt.Errorf("only %d of %d messages came to Salesforce", len(took), messages)
	}
	p50, p99 := quantiles(took)
	return figure{
		What:     fmt.Sprintf("webhook to record, Salesforce answering in %s, %d calls at once, at %d events/s (%d messages)", latency, concurrency, rate, messages),
		Measured: fmt.Sprintf("median %.0f ms, p99 %.0f ms", ms(p50), ms(p99)),
		Goal:     "median under 650 ms, p99 under 1,600 ms", Met: p50 < latency+50*time.Millisecond && p99 < latency+time.Second,
	}, nil
}

// watch lets messages come in at a rate and looks for each one's record.
func watch(s *sandbox.Sandbox, rate, messages int) []time.Duration {
	type sent struct {
		sid string
		at  time.Time
	}
	line := make(chan sent, messages)
	go func() {
		began := time.Now()
		for i := range messages {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
			at := time.Now()
			line <- sent{s.Twilio.Receive(twiliotest.Inbound{From: fmt.Sprintf("+1415%07d", i), To: "+14155550100", Body: "Is it ready?"}), at}
		}
	}()
	var took []time.Duration
	var waiting []sent
	for end := time.Now().Add(time.Duration(messages/rate+30) * time.Second); len(took) < messages && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for len(line) > 0 {
			waiting = append(waiting, <-line)
		}
		waiting = slices.DeleteFunc(waiting, func(w sent) bool {
			there := len(s.Org.ByKey(object, sandbox.SIDField, w.sid)) > 0
			if there {
				took = append(took, time.Since(w.at))
			}
			return there
		})
	}
	return took
}

func quantiles(all []time.Duration) (p50, p99 time.Duration) {
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
