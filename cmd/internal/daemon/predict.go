package daemon

import (
	"time"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce"
)

// Prediction is how many Salesforce API calls a configuration makes a day without
// any traffic. Messages cost more: PerThousand for those that come together, and
// one call for each that comes alone.
type Prediction struct {
	Day         int             `json:"calls_per_day"`
	PerThousand int             `json:"calls_per_1000_messages"`
	Parts       []PredictedPart `json:"parts"`
}

// PredictedPart is what one habit costs a day.
type PredictedPart struct {
	What  string `json:"what"`
	Calls int    `json:"calls_per_day"`
	// Key is what in the configuration makes it more or less, "" for nothing.
	Key string `json:"key,omitzero"`
}

// written is how many records one call writes.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
const written = 200

// fillings are the exports that fill the index of numbers anew: some calls each.
const fillings = 10

// Predict counts what the configuration asks of Salesforce, which a test compares
// with what the daemon does.
func Predict(cfg *config.Config) Prediction {
	p := Prediction{PerThousand: 1000 / written}
	add := func(what, key string, calls int) {
		if calls > 0 {
			p.Parts = append(p.Parts, PredictedPart{What: what, Key: key, Calls: calls})
			p.Day += calls
		}
	}
	add("asking what users want", "sync.drafts_every", aDay(cfg.Sync.DraftsEvery))
	objects := len(cfg.People.Objects)
	groups := (objects + salesforce.MaxQueries - 1) / salesforce.MaxQueries
	add("keeping the index of numbers", "people.refresh_every", groups*aDay(cfg.People.RefreshEvery))
	if objects > 0 {
		add("filling the index anew", "people.objects", fillings+objects)
	}
	add("looking at the objects", "", aDay(checkEvery))
	return p
}

// aDay is how often something happens a day.
func aDay(every time.Duration) int {
	if every <= 0 {
		return 0
	}
	return int(24 * time.Hour / every)
}
