package archive

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	messages *prometheus.CounterVec
	bytes    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_archive_messages_total",
			Help: "Messages by what the archive did: copied, deleted, marked, stayed (changed since, or being written), refused (by the org), restored.",
		}, []string{"outcome"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "twiliosf_archive_written_bytes_total",
			Help: "Bytes of files that were written and read back.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.messages, m.bytes)
	}
	return m
}

func (m *metrics) count(outcome string, n int) { m.messages.WithLabelValues(outcome).Add(float64(n)) }
