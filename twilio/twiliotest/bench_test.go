package twiliotest_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// BenchmarkPage lists one day's first page of 1,000 out of 200,000 messages.
func BenchmarkPage(b *testing.B) {
	srv := twiliotest.NewServer(at(still(), clock))
	defer srv.Close()
	srv.SeedFunc(200_000, func(i int) twiliotest.Row {
		when := clock.Add(time.Duration(i-200_000) * 20 * time.Second)
		return twiliotest.Row{From: customer, To: ours, Body: "Thanks, see you at four then! Ünï 👍", Created: when, Sent: when, Price: "-0.0075"}
	}, nil)
	client := srv.Client()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, srv.URL+"/2010-04-01/Accounts/"+srv.AccountSID+"/Messages.json?PageSize=1000&DateSent=2026-02-20", http.NoBody)
	require.NoError(b, err)
	req.SetBasicAuth(srv.APIKeySID, srv.APIKeySecret)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Do(req)
		require.NoError(b, err)
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(b, err)
		require.Greater(b, n, int64(500_000))
		require.NoError(b, resp.Body.Close())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
}
