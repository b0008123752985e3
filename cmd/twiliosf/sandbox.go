package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/cmd/internal/demo"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
)

// sandboxAccess is how the two emulators are reached. Its secrets open nothing
// else.
type sandboxAccess struct {
	Twilio struct {
		URL          string `json:"url"`
		AccountSID   string `json:"account_sid"`
		AuthToken    string `json:"auth_token"`
		APIKeySID    string `json:"api_key_sid"`
		APIKeySecret string `json:"api_key_secret"`
	} `json:"twilio"`
	Salesforce struct {
		URL           string `json:"url"`
		Username      string `json:"username"`
		Password      string `json:"password"`
		SecurityToken string `json:"security_token"`
		ClientID      string `json:"client_id"`
		ClientSecret  string `json:"client_secret"`
	} `json:"salesforce"`
	Config string `json:"config,omitempty"` // a configuration for `twiliosf run`
}

func newSandbox(o *options) *cobra.Command {
	var twilioAddr, orgAddr, hookAddr, dir string
	var history int
	var empty bool
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve the two emulators alone, to develop against them",
		Long: "Serves an emulated Twilio account with some history and live traffic, and an emulated Salesforce org\n" +
			"with the objects that twiliosf ships, until Ctrl-C. With --dir it also writes a configuration there, so that\n" +
			"`twiliosf --config DIR/twiliosf.yaml run` runs between them.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := sandbox.New(sandbox.Options{Webhook: hookAddr, EmptyOrg: empty})
			if err != nil {
				return err
			}
			if err := s.Listen(twilioAddr, orgAddr); err != nil {
				return err
			}
			defer s.Close()
			a, err := access(s, dir)
			if err != nil {
				return err
			}
			if err := show(cmd, o, a, a.print); err != nil {
				return err
			}
			demo.Serve(cmd.Context(), s, history)
			return nil
		},
	}
	cmd.Flags().StringVar(&twilioAddr, "twilio", "127.0.0.1:8480", "address of the Twilio account; port 0 takes a free one")
	cmd.Flags().StringVar(&orgAddr, "salesforce", "127.0.0.1:8481", "address of the Salesforce org; port 0 takes a free one")
	cmd.Flags().StringVar(&hookAddr, "webhook", "127.0.0.1:8482", "where a daemon on the written configuration takes the account's calls; empty for no calls")
	cmd.Flags().StringVar(&dir, "dir", "", "write twiliosf.yaml for this sandbox into this folder, with the store beside it")
	cmd.Flags().BoolVar(&empty, "empty-org", false, "leave our objects out of the org, to try `twiliosf org deploy`")
	cmd.Flags().IntVar(&history, "history", 600, "messages of past days; 0 for an empty account without traffic")
	return cmd
}

func access(s *sandbox.Sandbox, dir string) (a sandboxAccess, err error) {
	a.Twilio.URL, a.Twilio.AccountSID, a.Twilio.AuthToken = s.Twilio.URL, s.Twilio.AccountSID, s.Twilio.AuthToken
	a.Twilio.APIKeySID, a.Twilio.APIKeySecret = s.Twilio.APIKeySID, s.Twilio.APIKeySecret
	login := s.Login()
	a.Salesforce.URL, a.Salesforce.Username, a.Salesforce.Password = s.Org.URL, login.Username, login.Password
	a.Salesforce.SecurityToken, a.Salesforce.ClientID, a.Salesforce.ClientSecret = login.SecurityToken, login.ConsumerKey, login.ConsumerSecret
	if dir == "" {
		return a, nil
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return a, err
	}
	a.Config = filepath.Join(dir, "twiliosf.yaml")
	return a, errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(a.Config, []byte(s.ConfigYAML(dir)), 0o600))
}

func (a sandboxAccess) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Twilio      %s  account %s  auth token %s\n            API key %s  secret %s\n"+
		"Salesforce  %s  user %s  password %s  security token %s\n            consumer key %s  secret %s\n",
		a.Twilio.URL, a.Twilio.AccountSID, a.Twilio.AuthToken, a.Twilio.APIKeySID, a.Twilio.APIKeySecret,
		a.Salesforce.URL, a.Salesforce.Username, a.Salesforce.Password, a.Salesforce.SecurityToken, a.Salesforce.ClientID, a.Salesforce.ClientSecret)
	if err == nil && a.Config != "" {
		_, err = fmt.Fprintf(w, "configuration: %s\n", a.Config)
	}
	return err
}
