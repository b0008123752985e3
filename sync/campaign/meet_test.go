package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestWhatARecordSaysMakesOfItsRun(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	record := campaign.Campaign{ID: id(0), Modified: now, Status: campaign.Send, Body: "Hello", SendAt: now.Add(time.Hour)}
	for name, meet := range map[string]struct {
		was       campaign.Status // "" for no run
		begun     bool
		change    func(c *campaign.Campaign)
		want      campaign.Status // "" for no news
		withdrawn bool
	}{
		"it asks":                             {want: campaign.Scheduled},
		"it is a draft":                       {change: func(c *campaign.Campaign) { c.Status = campaign.Draft }},
		"it is gone before it was known":      {change: func(c *campaign.Campaign) { c.Deleted = true }},
		"it is read again":                    {was: campaign.Scheduled},
		"its time is written in another zone": {was: campaign.Scheduled, change: func(c *campaign.Campaign) { c.SendAt = c.SendAt.In(time.FixedZone("", 3600)) }},
		"it says that it is scheduled":        {was: campaign.Scheduled, change: func(c *campaign.Campaign) { c.Status = campaign.Scheduled }},
		"its text is changed in time":         {was: campaign.Scheduled, change: func(c *campaign.Campaign) { c.Body = "Hi" }, want: campaign.Scheduled},
		"its text is changed too late":        {was: campaign.Sending, begun: true, change: func(c *campaign.Campaign) { c.Body = "Hi" }},
		"what was read before":                {was: campaign.Sending, change: func(c *campaign.Campaign) { c.Modified, c.Command = now.Add(-time.Second), campaign.Cancel }},
		"it is a draft again":                 {was: campaign.Scheduled, change: func(c *campaign.Campaign) { c.Status = campaign.Draft }, want: campaign.Canceled, withdrawn: true},
		"it is to pause":                      {was: campaign.Sending, begun: true, change: func(c *campaign.Campaign) { c.Command = campaign.Pause }, want: campaign.Paused, withdrawn: true},
		"it is to go on":                      {was: campaign.Paused, begun: true, change: func(c *campaign.Campaign) { c.Command = campaign.Resume }, want: campaign.Sending},
		"it is to go on and has not begun":    {was: campaign.Paused, change: func(c *campaign.Campaign) { c.Command = campaign.Resume }, want: campaign.Scheduled},
		"it is to stop in a pause":            {was: campaign.Paused, begun: true, change: func(c *campaign.Campaign) { c.Command = campaign.Cancel }, want: campaign.Canceled, withdrawn: true},
		"it is gone":                          {was: campaign.Sending, begun: true, change: func(c *campaign.Campaign) { c.Deleted = true }, want: campaign.Canceled, withdrawn: true},
		"it asks still, and is over":          {was: campaign.Failed},
		"it asks again":                       {was: campaign.Failed, begun: true, change: func(c *campaign.Campaign) { c.Modified = now.Add(time.Second) }, want: campaign.Scheduled},
		"a command that was obeyed":           {was: campaign.Paused, begun: true, change: func(c *campaign.Campaign) { c.Command = campaign.Pause }, want: campaign.Paused},
	} {
		t.Run(name, func(t *testing.T) {
			c := record
			if meet.change != nil {
				meet.change(&c)
			}
			var was *campaign.Run
			if meet.was != "" {
				was = &campaign.Run{N: 7, Version: 3, Kind: campaign.ToSend, Campaign: record, Status: meet.was, Due: campaign.Never}
				if meet.begun {
					was.Started = now
				}
			}
			r, changed, withdrawn := campaign.Meet(was, c, now)
			require.Equal(t, meet.want != "", changed)
			require.Equal(t, meet.withdrawn, withdrawn)
			if !changed {
				return
			}
			require.Equal(t, meet.want, r.Status)
			require.Equal(t, now, r.Due, "it is due now")
			require.True(t, r.Untold)
			if was != nil {
				require.Equal(t, []int64{7, 3}, []int64{r.N, r.Version})
			}
		})
	}
}
