package e2e_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/health"
)

// logsIn changes how the daemon logs in.
func logsIn(how string) func(*settings) { return func(s *settings) { s.login = how } }

func strangeKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestWhenSalesforceRefusesTheLoginTheStatusNamesTheCredential(t *testing.T) {
	t.Parallel()
	const user, wrong = salesforcetest.DefaultUsername, "Wr0ng-credential"
	goodKey := func(w *world) string { return jwtLogin(salesforcetest.DefaultConsumerKey, user, w.org.PrivateKeyPEM()) }
	byKey := func(w *world) { w.reconfigure(logsIn(goodKey(w))) }
	bySecret := func(w *world) { w.reconfigure(logsIn(clientLogin(salesforcetest.DefaultConsumerSecret))) }
	byPassword := func(w *world) { w.reconfigure(logsIn(passwordLogin(salesforcetest.DefaultPassword))) }
	// allowed is an administrator who lets us in.
	allowed := func(w *world) { w.replaceOrg(salesforcetest.Options{}) }
	for _, c := range []trouble{
		{
			name:  "JWT: an unknown consumer key",
			cause: func(w *world) { w.change(logsIn(jwtLogin("3MVG9Unknown", user, w.org.PrivateKeyPEM()))) }, cure: byKey,
			says: []string{"invalid_client_id", "salesforce.client_id"},
		},
		{
			name: "JWT: nobody has approved the app", sf: salesforcetest.Options{NotApproved: true},
			cause: func(*world) {}, cure: allowed,
			says: []string{"invalid_grant", "Pre-authorize"},
		},
		{
			name: "JWT: a wrong user",
			cause: func(w *world) {
				w.change(logsIn(jwtLogin(salesforcetest.DefaultConsumerKey, "somebody@else.test", w.org.PrivateKeyPEM())))
			}, cure: byKey,
			says: []string{"invalid_grant", "integration user"},
		},
		{
			name: "JWT: a key that does not fit the certificate",
			cause: func(w *world) {
				key := strangeKey(w.t)
				w.secrets.addKey(key)
				w.change(logsIn(jwtLogin(salesforcetest.DefaultConsumerKey, user, key)))
			}, cure: byKey,
			says: []string{"invalid_grant", "private key", "certificate"},
		},
		{
			name:  "client credentials: a wrong secret",
			cause: func(w *world) { w.secrets.add(wrong); w.change(logsIn(clientLogin(wrong))) }, cure: bySecret,
			says: []string{"invalid_client", "client_secret"},
		},
		{
			name: "client credentials: no run-as user", sf: salesforcetest.Options{NoRunAsUser: true},
			cause: func(w *world) { w.change(logsIn(clientLogin(salesforcetest.DefaultConsumerSecret))) }, cure: allowed,
			says: []string{"invalid_grant", "run-as user"},
		},
		{
			name:  "password: a wrong password",
			cause: func(w *world) { w.secrets.add(wrong); w.change(logsIn(passwordLogin(wrong))) }, cure: byPassword,
			says: []string{"INVALID_LOGIN", "password and security token"},
		},
		{
			name: "password: the SOAP login is switched off", sf: salesforcetest.Options{DisableSOAPLogin: true},
			cause: func(w *world) { w.change(logsIn(passwordLogin(salesforcetest.DefaultPassword))) }, cure: allowed,
			says: []string{"INVALID_OPERATION", "auth: jwt"},
		},
	} {
		c.condition, c.severity = "salesforce-login", health.Blocking
		t.Run(c.name, c.run)
	}
}

func TestARefusedLoginIsNotHammered(t *testing.T) {
	inBubble(t, quiet(), salesforcetest.Options{NotApproved: true}, func(t *testing.T, w *world) {
		w.receive(5)
		w.start()
		time.Sleep(5 * time.Minute)
		require.Less(t, w.org.Calls().ByOperation[salesforcetest.OpToken], 10, "logins in five minutes: more could lock the user out")
	})
}

func TestASessionThatIsRefusedRightAfterItsLoginIsToldApartFromOneThatHasEnded(t *testing.T) {
	trouble{
		cause:     func(w *world) { w.org.RefuseSessions("This session is not valid for use with the REST API") },
		cure:      func(w *world) { w.org.RefuseSessions("") },
		condition: "salesforce-access", severity: health.Blocking, heals: 20 * time.Minute,
		says: []string{"INVALID_SESSION_ID", "The login works", "scope api"},
	}.run(t)
}

func TestWhenTheSessionEndsUnderEightCallersExactlyOneOfThemLogsInAgain(t *testing.T) {
	sf := salesforcetest.Options{Latency: func(salesforcetest.Operation) time.Duration { return 600 * time.Millisecond }}
	inBubble(t, quiet(), sf, func(t *testing.T, w *world) {
		w.change(func(s *settings) {
			s.org += "  concurrency: 8\n"
			s.sync = "  full_every: 15m\n  start: 10d\n"
		})
		w.history(8000, 8*24*time.Hour)
		var upserts atomic.Int64
		w.org.OnRequest(func(r salesforcetest.Request) {
			if r.Operation == salesforcetest.OpCollectionsUpsert {
				if upserts.Add(1) == 17 {
					w.org.RevokeSessions()
				}
			}
		})
		w.start()
		w.untilMirrored(20 * time.Minute)
		require.GreaterOrEqual(t, w.most, 8, "callers at once")
		require.Equal(t, 2, w.org.Calls().Logins, "one at the start and one for all who lost their session")
		require.Zero(t, w.logs.FilterMessage("condition").Len(), "nobody need hear of it")
	})
}
