package people

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	indexed   *prometheus.GaugeVec
	fills     *prometheus.CounterVec
	refreshes *prometheus.CounterVec
	changes   *prometheus.CounterVec
	matches   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		indexed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "twiliosf_people_indexed",
			Help: "Records whose numbers are in the index, by object.",
		}, []string{"object"}),
		fills: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_people_fills_total",
			Help: "Fillings of an object's index, by object and the class of their error, ok for none.",
		}, []string{"object", "class"}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_people_refreshes_total",
			Help: "Refreshes of the index, by the class of their error, ok for none.",
		}, []string{"class"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_people_changes_total",
			Help: "Records whose numbers or owner were written to the index, by object.",
		}, []string{"object"}),
		matches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_people_matches_total",
			Help: "Numbers of messages looked up, by outcome: one (record of an object, at least), several, none.",
		}, []string{"outcome"}),
	}
	if reg != nil {
		reg.MustRegister(m.indexed, m.fills, m.refreshes, m.changes, m.matches)
	}
	return m
}
