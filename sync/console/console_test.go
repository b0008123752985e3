package console_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/console"
	"github.com/twiliosf/twiliosf/sync/health"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w
}

func TestReadinessFollowsTheConditionsAndShowsTheirNamesOnly(t *testing.T) {
	reg := prometheus.NewRegistry()
	conditions := health.New(zap.NewNop(), reg)
	h := console.New(reg, conditions)
	require.Equal(t, http.StatusOK, get(h, "/readyz").Code)

	conditions.Raise(health.Condition{Name: "salesforce-login", Severity: health.Blocking, Cause: "invalid_grant for ops@example.com"})
	w := get(h, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"ready":false,"conditions":["salesforce-login"]}`, w.Body.String())
	require.Equal(t, http.StatusOK, get(h, "/healthz").Code, "a broken org is no reason to kill the process")
	require.Contains(t, get(h, "/metrics").Body.String(), `twiliosf_condition{name="salesforce-login",severity="blocking"} 1`)
}

func TestNothingElseIsServed(t *testing.T) {
	h := console.New(prometheus.NewRegistry(), health.New(zap.NewNop(), nil))
	require.Equal(t, http.StatusNotFound, get(h, "/").Code)
	require.Equal(t, http.StatusNotFound, get(h, "/debug/pprof/").Code)
}
