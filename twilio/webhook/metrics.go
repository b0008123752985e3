package webhook

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/message"
)

// metrics are the receiver's. Two receivers on one registry, as during a
// reload, share them.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_webhook_requests_total",
			Help: "Calls of the webhook, by kind (inbound, status, other for what is not believed or not understood) and by outcome: accepted, forged, malformed, too_large, not_durable.",
		}, []string{"kind", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "twiliosf_webhook_request_duration_seconds",
			Help:    "Time from a call's head to its answer, its body and the commit of its event included, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15), // 1 ms to 16 s: Twilio waits for 15
		}, []string{"kind"}),
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(register(reg, &m.requests), register(reg, &m.seconds))
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
		return fmt.Errorf("webhook metrics: %w", err)
	}
	return nil
}

func (m *metrics) observe(kind message.EventKind, out outcome, took time.Duration) {
	m.requests.WithLabelValues(string(kind), string(out)).Inc()
	m.seconds.WithLabelValues(string(kind)).Observe(took.Seconds())
}

// seldom says that calls are refused once a minute: an operator whose token or
// URL is wrong has to see it, and a stranger must not fill the disk with it.
type seldom struct{ next atomic.Int64 } // when to say it again, in Unix nanoseconds

func (s *seldom) warn(log *zap.Logger, now time.Time, reason error) {
	next := s.next.Load()
	if now.UnixNano() < next || !s.next.CompareAndSwap(next, now.Add(time.Minute).UnixNano()) {
		return
	}
	log.Warn("a webhook call is refused; more within a minute are only counted", zap.Error(reason))
}
