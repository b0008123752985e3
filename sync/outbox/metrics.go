package outbox

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	creates *prometheus.CounterVec
	ended   *prometheus.CounterVec
	lookups *prometheus.CounterVec
	written *prometheus.CounterVec
	flows   *prometheus.CounterVec
	waiting *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "twiliosf_outbox_" + name, Help: help}, []string{"outcome"})
	}
	m := &metrics{
		creates: counter("creates_total", "Calls to Twilio that create a message, by outcome: accepted, or the class of the error."),
		ended:   counter("unsent_total", "Attempts that ended before Twilio was called, by outcome: refused, opted_out, dropped."),
		lookups: counter("lookups_total", "Uncertain sends, by what was found: found, sent_again, held."),
		written: counter("results_total", "Results written back to records, by outcome: written, gone, refused, put_off; batch_failed counts batches."),
		flows:   counter("flows_total", "Studio flows, by outcome: started, refused, uncertain."),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "twiliosf_outbox_waiting",
			Help: "Attempts that are not over, by state.",
		}, []string{"state"}),
	}
	if reg != nil {
		reg.MustRegister(m.creates, m.ended, m.lookups, m.written, m.flows, m.waiting)
	}
	return m
}
