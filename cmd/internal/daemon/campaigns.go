package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/outbox"
)

// buildCampaigns plugs in what sends one text to many.
func (g *generation) buildCampaigns() (err error) {
	c := g.cfg.Campaigns
	quiet, zone, err := quietHours(c)
	if err != nil {
		return &ConfigError{err}
	}
	objects := make([]records.PhoneObject, len(g.cfg.People.Objects))
	for i, o := range g.cfg.People.Objects {
		objects[i] = records.PhoneObject{Object: o.Object, Fields: o.Fields}
	}
	kept := g.store.Campaigns()
	g.campaigns, err = campaign.New(campaign.Ports{
		Audiences: records.NewAudiences(g.org, records.AudienceOptions{Objects: objects, BulkThreshold: g.cfg.Salesforce.BulkThreshold}),
		Org:       g.bulk, Forecasts: g.forecasts, Consent: g.consent, Runs: kept, Books: kept, Recipients: kept, Handing: kept, Results: kept, Notes: kept,
		Health: g.health,
	}, campaign.Options{
		Country: g.cfg.People.Country, Sender: g.cfg.Twilio.Sender, Quiet: quiet, Zone: zone, LateLimit: c.LateLimit, CountEvery: c.Every,
		Rate: g.outbox.Pace().Rate, Known: g.outbox.Knows, Price: func(context.Context) campaign.Price { return campaign.Price{Segment: c.SegmentPrice, Unit: c.Currency} }, Handed: func(string) { g.outbox.HandedOver() },
		Grace: g.cfg.Drain / 4, Log: g.log, Metrics: g.metrics,
	})
	return err
}

// quietHours are when campaigns wait, and by whose clock; nil: the recipient's.
func quietHours(c config.Campaigns) (quiet campaign.Quiet, zone *time.Location, err error) {
	if c.QuietHours != config.QuietOff {
		if quiet, err = campaign.ParseQuiet(c.QuietHours); err != nil {
			return quiet, nil, fmt.Errorf("campaigns.quiet_hours: %w", err)
		}
	}
	if c.Timezone != config.TimezoneRecipient {
		if zone, err = time.LoadLocation(c.Timezone); err != nil {
			return quiet, nil, fmt.Errorf("campaigns.timezone: %w", err)
		}
	}
	return quiet, zone, nil
}

// campaignParts are what the poll reads for campaigns.
func (g *generation) campaignParts() []records.Part {
	g.bulk = records.NewCampaigns(g.org, g.records, records.CampaignOptions{
		Mass: records.NewBulkMass(g.org, g.store.BulkJobs()), MassFrom: g.cfg.Salesforce.BulkThreshold,
	})
	g.forecasts = records.NewDeliverability(g.org)
	return append(g.forecasts.Parts(func(ctx context.Context, all []records.Forecasting) error {
		wanted := make([]campaign.Forecasting, len(all))
		for i := range all {
			wanted[i] = campaign.Forecasting(all[i])
		}
		return g.campaigns.TakeForecasts(ctx, wanted)
	}), g.bulk.Part(func(ctx context.Context, all []campaign.Campaign) error { return g.campaigns.Take(ctx, all) }))
}

// asking is who asks the outbox to send: the org's records, and the recipients of
// campaigns, who have keys in place of ids.
type asking struct {
	wishes
	g *generation
}

var _ outbox.Org = asking{}

// ReadDrafts implements outbox.Org.
func (a asking) ReadDrafts(ctx context.Context, ids []string) ([]message.Draft, error) {
	var own, keys []string
	for _, id := range ids {
		if isKey(id) {
			keys = append(keys, id)
		} else {
			own = append(own, id)
		}
	}
	var all []message.Draft
	for _, some := range []struct {
		ids  []string
		read func(context.Context, []string) ([]message.Draft, error)
	}{{own, a.wishes.ReadDrafts}, {keys, a.g.campaigns.ReadDrafts}} {
		if len(some.ids) == 0 {
			continue
		}
		drafts, err := some.read(ctx, some.ids)
		if err != nil {
			return nil, err
		}
		all = append(all, drafts...)
	}
	return all, nil
}

// WriteBack implements outbox.Org.
func (a asking) WriteBack(ctx context.Context, results []message.Result) ([]error, error) {
	var own, keyed []message.Result
	var ownAt, keyedAt []int
	for i := range results {
		if isKey(results[i].ID) {
			keyed, keyedAt = append(keyed, results[i]), append(keyedAt, i)
		} else {
			own, ownAt = append(own, results[i]), append(ownAt, i)
		}
	}
	outcomes := make([]error, len(results))
	for _, some := range []struct {
		results []message.Result
		at      []int
		write   func(context.Context, []message.Result) ([]error, error)
	}{{own, ownAt, a.wishes.WriteBack}, {keyed, keyedAt, a.writeKeyed}} {
		if len(some.results) == 0 {
			continue
		}
		got, err := some.write(ctx, some.results)
		if err != nil {
			return nil, err
		}
		for i, at := range some.at {
			outcomes[at] = got[i]
		}
	}
	return outcomes, nil
}

func (a asking) writeKeyed(ctx context.Context, results []message.Result) ([]error, error) {
	outcomes, err := a.g.campaigns.WriteBack(ctx, results)
	for i, outcome := range outcomes {
		if errors.Is(outcome, campaign.ErrGone) {
			outcomes[i] = outbox.ErrGone
		}
	}
	return outcomes, err
}

func isKey(id string) bool {
	_, _, ok := campaign.ReadKey(id)
	return ok
}

// jobRecurring makes a recurring campaign's record; its schedules' names go on with
// the campaign's.
const jobRecurring = "campaign"

// recurring are the schedules of recurring campaigns.
func (g *generation) recurring() []jobs.Schedule {
	all := make([]jobs.Schedule, len(g.cfg.Campaigns.Recurring))
	for i, r := range g.cfg.Campaigns.Recurring {
		name := jobRecurring + "/" + r.Name
		all[i] = jobs.Schedule{Name: name, Spec: r.Cron, Dated: true, Job: jobs.Job{Kind: jobRecurring, Key: name}}
	}
	return all
}

// makeCampaign makes the record that a schedule stands for, once for each time at
// which that was due.
func (g *generation) makeCampaign(ctx context.Context, args []byte) error {
	var due jobs.Dated
	if err := json.Unmarshal(args, &due); err != nil {
		return fmt.Errorf("when a campaign was due cannot be read: %w", err)
	}
	for _, r := range g.cfg.Campaigns.Recurring {
		if jobRecurring+"/"+r.Name != due.Schedule {
			continue
		}
		at := due.At.UTC().Format("2006-01-02T15:04Z")
		return g.jobEnded(jobRecurring, g.bulk.Make(ctx, "recurring:"+r.Name+":"+at, campaign.Campaign{
			Name: r.Name + " " + at, Members: r.Campaign, ListView: r.ListView, Query: r.Query, Body: r.Body, Media: r.Media, Sender: r.Sender, Rate: r.Rate, SendAt: due.At,
		}))
	}
	return nil // it is no longer configured
}
