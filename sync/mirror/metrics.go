package mirror

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	settled  *prometheus.CounterVec
	batches  *prometheus.CounterVec
	jobs     *prometheus.CounterVec
	walks    *prometheus.CounterVec
	seen     *prometheus.CounterVec
	events   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	complete prometheus.Gauge
	inFlight prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_messages_total",
			Help: "Message states settled, by outcome: written, refused, put_off.",
		}, []string{"outcome"}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_batches_total",
			Help: "Batches handed to Salesforce, by the class of their error, ok for none.",
		}, []string{"class"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_bulk_total",
			Help: "Sets of messages handed to Salesforce's Bulk API, by the class of their error, ok for none.",
		}, []string{"class"}),
		walks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_walks_total",
			Help: "Walks of Twilio's list, by kind and the class of their error, ok for none.",
		}, []string{"walk", "class"}),
		seen: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_seen_total",
			Help: "Messages read from Twilio's list, by kind of walk.",
		}, []string{"walk"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "twiliosf_mirror_events_total",
			Help: "Webhook events, by kind and outcome: kept, repeated, not_kept; fetched and gone for those whose message was asked for.",
		}, []string{"kind", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "twiliosf_mirror_walk_seconds",
			Help:    "How long a walk took, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.1, 4, 8),
		}, []string{"walk"}),
		complete: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "twiliosf_mirror_complete_timestamp_seconds",
			Help: "When a full sweep last brought everything it saw into Salesforce.",
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "twiliosf_mirror_in_flight",
			Help: "Messages in batches that Salesforce has not answered yet.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.settled, m.batches, m.jobs, m.walks, m.seen, m.events, m.duration, m.complete, m.inFlight)
	}
	return m
}
