package checkup_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

const (
	hookAddr = "127.0.0.1:8482"
	hookURL  = "http://" + hookAddr + "/twilio"
)

// setup is a set-up with something wrong in it. The zero value is one in which all
// is well.
type setup struct {
	twilio  twiliotest.Options
	org     salesforcetest.Options
	empty   bool
	arrange func(t *testing.T, s *sandbox.Sandbox)
	edit    func(yaml string) string
	options func(o *checkup.Options)
}

// look runs a check in virtual time, without a socket.
func (w setup) look(t *testing.T) (report *checkup.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if w.twilio.Numbers == nil {
			w.twilio.Numbers = []twiliotest.Number{{Phone: "+14155550100", SMSURL: hookURL}}
		}
		if w.twilio.Services == nil {
			w.twilio.Services = []twiliotest.Service{{
				SID: twiliotest.DefaultServiceSID, Senders: []string{"+14155550100"}, InboundURL: hookURL, StatusCallback: hookURL,
			}}
		}
		s, err := sandbox.New(sandbox.Options{Webhook: hookAddr, Twilio: w.twilio, Org: w.org, EmptyOrg: w.empty})
		require.NoError(t, err)
		defer s.Close()
		given(t, s)
		if w.arrange != nil {
			w.arrange(t, s)
		}
		yaml := s.ConfigYAML(t.TempDir())
		if w.edit != nil {
			yaml = w.edit(yaml)
		}
		cfg, err := config.Parse("twiliosf.yaml", []byte(yaml), nil)
		require.NoError(t, err)
		o := checkup.Options{
			Twilio: s.TwilioTransport(), Salesforce: s.OrgTransport(),
			Env: func(string) string { return "" }, Free: func(string) (uint64, error) { return 100 << 30, nil },
		}
		if w.options != nil {
			w.options(&o)
		}
		report, _, err = checkup.Run(t.Context(), "twiliosf.yaml", cfg, o)
		require.NoError(t, err)
	})
	return report
}

// given makes and assigns the permission set, as org deploy does: the sandbox's org
// has our objects from its start, and open ones.
func given(t *testing.T, s *sandbox.Sandbox) {
	t.Helper()
	set, err := s.Org.Insert("PermissionSet", map[string]any{"Name": metadata.IntegrationSet, "Label": "Integration"})
	require.NoError(t, err)
	for user := range s.Org.Rows("User") {
		_, err := s.Org.Insert("PermissionSetAssignment", map[string]any{"AssigneeId": user["Id"], "PermissionSetId": set})
		require.NoError(t, err)
	}
}

func replace(old, by string) func(string) string {
	return func(yaml string) string { return strings.Replace(yaml, old, by, 1) }
}

func lines(r *checkup.Report) string {
	var b strings.Builder
	for _, f := range r.Facts {
		fmt.Fprintf(&b, "%s %s: %s. %s\n", f.State, f.Name, f.Says, f.Remedy)
	}
	return b.String()
}
