package config

import (
	"time"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

// Campaigns is how one text goes to many.
type Campaigns struct {
	// Every is how often a campaign's counters are written while they change.
	Every time.Duration `key:"every"`
	// Rates are shared by campaigns and by what users send.
	Rates Rates `key:"rate_per_second"`
	// QuietHours is "" or such as 21:00-08:00; campaign.ParseQuiet reads it.
	QuietHours string `key:"quiet_hours"`
	// Timezone is TimezoneRecipient or a name of the IANA's.
	Timezone string `key:"timezone"`
	// LateLimit is how long after its time a campaign still begins.
	LateLimit time.Duration `key:"late_limit"`
	// Recurring campaigns are made on schedules.
	Recurring []Recurring `key:"recurring"`
}

// Rates are messages a second that one sender sends, by its class.
type Rates struct {
	Default   float64 `key:"default"`
	TollFree  float64 `key:"toll_free"`
	ShortCode float64 `key:"short_code"`
	Service   float64 `key:"service"`
}

// TimezoneRecipient goes by the time of day where the recipient's number is from.
const TimezoneRecipient = "recipient"

func campaignKeys() []key {
	return []key{
		{
			path: "campaigns.every", kind: duration, fallback: "1m", low: "15s", high: "1h",
			doc: "How often a running campaign's counters are written to its record, in one call for all campaigns.",
		},
		{
			path: "campaigns.quiet_hours", kind: text, fallback: "21:00-08:00", check: checkQuiet,
			doc: "When campaigns wait, by the clock that timezone names. What users and Flows send waits for nothing. off is never.",
		},
		{
			path: "campaigns.timezone", kind: text, fallback: TimezoneRecipient, check: checkTimezone,
			doc: "Whose clock quiet_hours means: recipient is the time where the number is from (where a country has several, all of them count), else a time zone such as America/New_York.",
		},
		{
			path: "campaigns.late_limit", kind: duration, fallback: "12h", low: "1m", high: "30d",
			doc: "How long after its time a campaign still begins that could not begin before. Later its record says Failed, with the reason.",
		},
		{
			path: "campaigns.recurring", kind: recurring, fallback: "[]",
			doc:     "Campaigns that begin on a schedule. Each time, a record is made with the time in its name. Each has a name, a cron expression, a body, and one of campaign (a Campaign's id), list_view (its id) or query (SOQL); it may have sender, media and rate.",
			example: `[{name: reminders, cron: "0 10 * * 1", campaign: 701000000000001AAA, body: "Hi {!Contact.FirstName|there}"}]`,
		},
		rateKey("default", "1", "a long code"),
		rateKey("toll_free", "3", "a toll-free number"),
		rateKey("short_code", "100", "a short code"),
		rateKey("service", "10", "a Messaging Service"),
	}
}

// rateKey is the rate of a class of senders.
func rateKey(class, fallback, sender string) key {
	return key{
		path: "campaigns.rate_per_second." + class, kind: share, fallback: fallback, unit: "messages a second", low: "0", above: true, high: "1000",
		doc: "How quickly " + sender + " sends, at the most, whoever asks: your carrier registration says how much it may be. What users send goes before campaigns.",
	}
}

func checkQuiet(value string) *problem {
	if value == QuietOff {
		return nil
	}
	if _, err := campaign.ParseQuiet(value); err != nil {
		return problemf("%s", err).do("write two times of day such as 21:00-08:00, or off")
	}
	return nil
}

// QuietOff is quiet_hours' word for never.
const QuietOff = "off"

func checkTimezone(value string) *problem {
	if value == TimezoneRecipient {
		return nil
	}
	if _, err := time.LoadLocation(value); err != nil || value == "Local" {
		return problemf("%s is no time zone", quote(value)).do("write recipient, or one of the IANA's names such as America/New_York or UTC")
	}
	return nil
}
