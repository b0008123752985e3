// Package console is what the daemon shows over HTTP on the operator's address:
// /metrics for Prometheus, /healthz (the process lives) and /readyz (it can do
// its work). None of them asks who calls, so none shows a number, a body or a
// credential.
package console

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/twiliosf/twiliosf/sync/health"
)

// New makes the handler.
func New(metrics prometheus.Gatherer, conditions *health.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"alive": true})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		status := http.StatusOK
		ready := conditions.Ready()
		if !ready {
			status = http.StatusServiceUnavailable
		}
		// Names only: a cause may quote what an admin wrote in the org.
		names := []string{}
		for _, c := range conditions.Active() {
			names = append(names, c.Name)
		}
		answer(w, status, map[string]any{"ready": ready, "conditions": names})
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errcheck,errchkjson // the caller is gone; there is nobody to tell
}
