package twilio

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the account's. Two accounts on one registry, as during a reload,
// share them.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	allowed  prometheus.Gauge
	bad      prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_twilio_requests_total",
			Help: "Requests to Twilio, repeated ones included, by operation and by what came of them: ok, gone, stopped or the class of the error.",
		}, []string{"operation", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "twiliosf_twilio_request_duration_seconds",
			Help:    "Time from sending a request to Twilio to having read the whole answer, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.025, 2, 11), // 25 ms to 25.6 s: below the timeout
		}, []string{"operation"}),
		allowed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "twiliosf_twilio_concurrency_allowed",
			Help: "Requests to Twilio allowed at a time; below twilio.concurrency after Twilio answered 429.",
		}),
		bad: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "twiliosf_twilio_unreadable_rows_total",
			Help: "Rows of Twilio's message list that could not be read, counted each time they are met.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(
		register(reg, &m.requests), register(reg, &m.seconds), register(reg, &m.allowed), register(reg, &m.bad))
}

// register puts a collector on reg, or takes the equal one that is there.
func register[C prometheus.Collector](reg prometheus.Registerer, c *C) error {
	err := reg.Register(*c)
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := there.ExistingCollector.(C); ok {
			*c = same
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("twilio metrics: %w", err)
	}
	return nil
}

func (m *metrics) observe(op operation, class string, took time.Duration) {
	m.requests.WithLabelValues(op.label, class).Inc()
	m.seconds.WithLabelValues(op.label).Observe(took.Seconds())
}
