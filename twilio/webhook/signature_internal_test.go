package webhook

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// The vectors of https://www.twilio.com/docs/usage/security that hold with the
// token that the page names.
func TestTwiliosVectors(t *testing.T) {
	public, err := url.Parse("https://example.com/myapp.php")
	require.NoError(t, err)
	v := newVerifier(public, []string{"12345"})
	params := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675310"}, "Digits": {"1234"},
		"From": {"+14158675310"}, "To": {"+18005551212"},
	}
	verify := func(target, body, signature string) bool {
		c, ok := readCall(httptest.NewRequest(http.MethodPost, target, http.NoBody), []byte(body))
		return ok && v.verify(c, signature)
	}
	const signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="
	require.True(t, verify("/myapp.php?foo=1&bar=2", params.Encode(), signature))
	require.False(t, verify("/myapp.php?bar=2&foo=1", params.Encode(), signature))
	require.False(t, verify("/myapp.php?foo=1&bar=2", strings.Replace(params.Encode(), "1234", "1235", 1), signature))
	for _, other := range []string{"GvWf1cFY/Q7PnoempGyD5oXAezc=", "hqeF3G9Hrnv6/R0jOhoYDD2PPUs=", "", "=", signature[:27]} {
		require.False(t, verify("/myapp.php?foo=1&bar=2", params.Encode(), other), "the page's others do not hold")
	}
	require.True(t, call{
		body:       []byte(`{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}`),
		bodySHA256: "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9",
	}.bodyMatches())
}

// As in Twilio's helper for Node: every different value, sorted.
func TestNamesAreSortedByTheirBytesAndRepeatedOnesByValue(t *testing.T) {
	c := call{form: url.Values{"b": {"2"}, "B": {"z", "a", "z"}, "aa": {""}, "a": {"1"}, "é": {"x"}}}
	require.Equal(t, "BaBza1aab2éx", c.appended())
	require.Equal(t, []string{"z", "a", "z"}, c.form["B"], "what is parsed later is left as it came")
	require.Empty(t, call{}.appended())
}

func TestRefusedCallsAreSaidOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		var s seldom
		for range 121 {
			s.warn(zap.New(core), time.Now(), errForged)
			time.Sleep(time.Second)
		}
		require.Equal(t, 3, logs.Len())
	})
}
