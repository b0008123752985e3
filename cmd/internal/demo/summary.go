package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// report is the summary as one line of JSON. Times are in seconds.
type report struct {
	Messages               int     `json:"messages"`
	Records                int     `json:"records"`
	Lost                   int     `json:"lost"`
	Duplicated             int     `json:"duplicated"`
	Stale                  int     `json:"stale"`
	Linked                 int     `json:"linked"` // records that know their Contact
	TwilioCalls            int     `json:"twilio_calls"`
	SalesforceCalls        int     `json:"salesforce_calls"`
	TwilioCallsPer1000     float64 `json:"twilio_calls_per_1000"`
	SalesforceCallsPer1000 float64 `json:"salesforce_calls_per_1000"`
	LagP50                 float64 `json:"lag_p50"`
	LagP95                 float64 `json:"lag_p95"`
	Seconds                float64 `json:"seconds"`
	// Interrupted says that it was stopped by hand; lost and stale then count
	// what was still on its way as well.
	Interrupted bool `json:"interrupted"`
}

// summary tells how it went, and whether that is an error.
func (d *show) summary(end ending) error {
	c := end.compared
	lag := d.lags.all()
	r := report{
		Messages: c.Messages, Records: c.Records, Lost: c.Lost, Duplicated: c.Duplicated, Stale: c.Stale, Linked: linked(d.s.Org),
		TwilioCalls: d.s.Twilio.Calls().Total, SalesforceCalls: d.s.Org.Calls().Total,
		LagP50: seconds(lag.P50), LagP95: seconds(lag.P95), Seconds: seconds(time.Since(d.begin)), Interrupted: end.interrupted,
	}
	r.TwilioCallsPer1000, r.SalesforceCallsPer1000 = r.per1000(r.TwilioCalls), r.per1000(r.SalesforceCalls)

	d.printf("\n%d messages in Twilio, %d records in Salesforce, after %s.\n", r.Messages, r.Records, time.Since(d.begin).Round(time.Second))
	d.printf("%s\n", verdict(end))
	for _, e := range c.Examples {
		d.printf("  %s\n", e)
	}
	d.printf("%d records are linked to one of the %d Contacts, whose numbers are typed in %d ways.\n", r.Linked, d.s.Org.Count("Contact"), len(typings))
	d.printf("API calls: Twilio %d (%.0f per 1000 messages), Salesforce %d (%.0f per 1000 messages).\n",
		r.TwilioCalls, r.TwilioCallsPer1000, r.SalesforceCalls, r.SalesforceCallsPer1000)
	d.printf("From a new message to its record: p50 %s, p95 %s (%d messages).\n", short(lag, lag.P50), short(lag, lag.P95), lag.N)
	if d.o.JSON {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		d.printf("%s\n", line)
	}
	if c.Duplicated > 0 || !c.Clean() && !end.interrupted {
		return fmt.Errorf("demo: %w: %s", ErrDiffer, c)
	}
	return nil
}

// verdict is what the comparison of both emulators' contents says.
func verdict(end ending) string {
	c := end.compared
	switch {
	case c.Clean():
		return fmt.Sprintf("Compared field by field, every message has exactly one record and every record is true: %s.", c)
	case end.interrupted && c.Duplicated == 0:
		return fmt.Sprintf("Stopped while messages were on their way: %d had no record yet, %d records were to be updated, 0 duplicated.", c.Lost, c.Stale)
	default:
		return fmt.Sprintf("The two do not agree: %s.", c)
	}
}

func (r *report) per1000(calls int) float64 {
	if r.Messages == 0 {
		return 0
	}
	return math.Round(float64(calls)*10_000/float64(r.Messages)) / 10
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
