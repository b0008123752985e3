package followup

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	settled *prometheus.CounterVec
	batches *prometheus.CounterVec
	waiting *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_followups_total",
			Help: "Follow-ups settled, by kind and outcome: done, given_up, put_off.",
		}, []string{"kind", "outcome"}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_followup_batches_total",
			Help: "Batches of follow-ups, by kind and the class of their error, ok for none.",
		}, []string{"kind", "class"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "twiliosf_followups_waiting",
			Help: "Follow-ups in the queue, by kind, as counted last; at most 100,000 are counted.",
		}, []string{"kind"}),
	}
	if reg != nil {
		reg.MustRegister(m.settled, m.batches, m.waiting)
	}
	return m
}
