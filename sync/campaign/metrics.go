package campaign

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	runs       *prometheus.GaugeVec
	ended      *prometheus.CounterVec
	gathered   *prometheus.CounterVec
	recipients *prometheus.CounterVec
	written    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "twiliosf_campaign_" + name, Help: help}, labels)
	}
	m := &metrics{
		runs: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "twiliosf_campaign_runs",
			Help: "Campaigns that are not over, by status.",
		}, []string{"status"}),
		ended:    counter("ended_total", "Campaigns that are over, by status: Completed, Failed, Canceled.", "status"),
		gathered: counter("gathered_total", "People of audiences as they were read, by the reason why they are left out, none for those who are not; duplicates are found later.", "reason"),
		recipients: counter("recipients_total", "Recipients, by what was done with them: handed_over, put_off (quiet hours), taken_back.",
			"outcome"),
		written: counter("written_total", "What was written to the org, by what (campaign, recipient, member, forecast) and outcome: written, gone, refused, put_off.",
			"what", "outcome"),
	}
	if reg != nil {
		reg.MustRegister(m.runs, m.ended, m.gathered, m.recipients, m.written)
	}
	return m
}
