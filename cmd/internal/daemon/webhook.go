package daemon

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/twilio/webhook"
)

func (g *generation) buildWebhook() error {
	c := g.cfg.Twilio
	if c.Webhook.PublicURL == "" {
		return nil
	}
	reply := g.consent.Reply
	if g.mirrorOnly() {
		reply = func(context.Context, *message.Event) string { return "" } // keywords are the package's
	}
	var err error
	g.receiver, err = webhook.New(webhook.Options{
		PublicURL: c.Webhook.PublicURL, AccountSID: c.AccountSID, AuthTokens: []string{c.AuthToken.Reveal()},
		Inbox: &inbox{mirror: g.mirror.Inbox, reply: reply, health: g.health}, Log: g.log, Registerer: g.metrics,
	})
	if err != nil {
		return &ConfigError{fmt.Errorf("twilio.webhook: %w", err)}
	}
	if _, err = certificate(c.Webhook.TLSCertFile, c.Webhook.TLSKeyFile); err != nil {
		return &ConfigError{err}
	}
	return nil
}

// certificate is the TLS configuration of the webhook's listener; nil where a
// proxy stands in front.
func certificate(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" {
		return nil, nil //nolint:nilnil // no files, no certificate, no fault
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("twilio.webhook.tls_cert_file: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// inbox is the mirror's Inbox as the receiver knows it.
type inbox struct {
	mirror *mirror.Inbox
	reply  func(context.Context, *message.Event) string
	health *health.Registry
}

var _ webhook.Inbox = (*inbox)(nil)

// condNotKept is the condition while events cannot be made durable.
const condNotKept = "webhook-not-durable"

// Accept implements webhook.Inbox.
func (i *inbox) Accept(ctx context.Context, e message.Event) (webhook.Reply, error) {
	first, err := i.mirror.Accept(ctx, e)
	if err != nil {
		if ctx.Err() != nil { // the caller has hung up, which says nothing about the store
			return webhook.Reply{}, err
		}
		i.health.Raise(health.Condition{
			Name: condNotKept, Severity: health.Blocking, Cause: err.Error(),
			Remedy: "Look at the disk (full? read-only?). Twilio is answered 503 meanwhile; a sweep brings in what it does not repeat.",
		})
		return webhook.Reply{}, err
	}
	i.health.Clear(condNotKept)
	if !first {
		return webhook.Reply{}, nil // who has been answered is not answered twice
	}
	return webhook.Reply{Text: i.reply(ctx, &e)}, nil
}

// receive serves Twilio's calls with whatever configuration is the present one.
func (d *Daemon) receive(w http.ResponseWriter, r *http.Request) {
	rc := d.receiver.Load()
	if rc == nil {
		http.NotFound(w, r)
		return
	}
	rc.ServeHTTP(w, r)
}

// Webhook serves Twilio's calls. Run listens for them by itself, unless the
// daemon is deaf.
func (d *Daemon) Webhook() http.Handler { return http.HandlerFunc(d.receive) }
