package jobs

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts jobs by kind.
type metrics struct {
	jobs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// newMetrics makes the collectors and registers them if there is where to. It
// takes the present ones when another engine has registered them before, as
// after a reload.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_jobs_total",
			Help: "Jobs that were run, by kind and by outcome: done, failed, panicked, interrupted (run again after a restart).",
		}, []string{"kind", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "twiliosf_job_duration_seconds",
			Help:    "How long jobs ran, by kind.",
			Buckets: []float64{.01, .05, .25, 1, 5, 15, 60, 300, 900, 3600, 14400},
		}, []string{"kind"}),
	}
	if reg == nil {
		return m, nil
	}
	var err error
	if m.jobs, err = register(reg, m.jobs); err != nil {
		return nil, err
	}
	m.duration, err = register(reg, m.duration)
	return m, err
}

func register[C prometheus.Collector](reg prometheus.Registerer, c C) (C, error) {
	err := reg.Register(c)
	if present, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if old, ok := present.ExistingCollector.(C); ok {
			return old, nil
		}
	}
	if err != nil {
		return c, fmt.Errorf("jobs: metrics: %w", err)
	}
	return c, nil
}

func (m *metrics) observe(kind string, o Outcome, took time.Duration) {
	m.jobs.WithLabelValues(kind, string(o)).Inc()
	m.duration.WithLabelValues(kind).Observe(took.Seconds())
}
