package salesforcetest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestAnOrgWhoseClockIsAheadShowsItAndTakesNoLateAssertion(t *testing.T) {
	u := login(t, salesforcetest.Options{ClockSkew: 10 * time.Minute})
	resp, err := u.org.Client().Get(u.org.URL + "/services/data")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	shown, err := http.ParseTime(resp.Header.Get("Date"))
	require.NoError(t, err)
	require.InDelta(t, (10 * time.Minute).Seconds(), time.Until(shown).Seconds(), 5)

	claims := goodClaims()
	claims["exp"] = time.Now().Add(3 * time.Minute).Unix()
	status, body := u.grant(url.Values{"grant_type": {jwtGrant}, "assertion": {assertion(t, orgKey(t, u.org), "RS256", claims)}})
	require.Equal(t, 400, status)
	require.Equal(t, "expired authorization code", parse(t, body)["error_description"])
	claims["exp"] = time.Now().Add(13 * time.Minute).Unix()
	status, body = u.grant(url.Values{"grant_type": {jwtGrant}, "assertion": {assertion(t, orgKey(t, u.org), "RS256", claims)}})
	require.Equal(t, 200, status, body)
}
