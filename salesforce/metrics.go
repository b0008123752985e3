package salesforce

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an Org tells Prometheus.
type metrics struct {
	exchanges *prometheus.HistogramVec
	retries   *prometheus.CounterVec
	apiCalls  *prometheus.GaugeVec
	slots     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		exchanges: register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "twiliosf", Subsystem: "salesforce", Name: "exchange_seconds",
			Help:    "HTTP exchanges with Salesforce by operation and outcome (ok or the fault's class).",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120},
		}, []string{"operation", "class"})),
		retries: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "twiliosf", Subsystem: "salesforce", Name: "retries_total",
			Help: "Exchanges that were made again, by operation.",
		}, []string{"operation"})),
		apiCalls: register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "twiliosf", Subsystem: "salesforce", Name: "api_calls",
			Help: "API calls of the last 24 hours: own, org (everybody's), max (the org's limit), budget (our share of it).",
		}, []string{"of"})),
		slots: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "twiliosf", Subsystem: "salesforce", Name: "concurrency",
			Help: "Exchanges allowed at once; it falls while the org is crowded.",
		})),
	}
}

// register registers c, or gives the one registered before under its name: a
// reload makes a second Org beside the first.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := before.ExistingCollector.(C); ok {
			return same
		}
	}
	return c
}
