package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestCampaignsHaveTheirDefaults(t *testing.T) {
	require.Equal(t, config.Campaigns{
		Every: time.Minute, Rates: config.Rates{Default: 1, TollFree: 3, ShortCode: 100, Service: 10}, QuietHours: "21:00-08:00",
		Timezone: config.TimezoneRecipient, LateLimit: 12 * time.Hour, Recurring: []config.Recurring{},
	}, load(t, minimal).Campaigns)
	require.Equal(t, config.QuietOff, load(t, minimal+"campaigns: {quiet_hours: \"off\"}\n").Campaigns.QuietHours)
	require.InDelta(t, 2.5, load(t, minimal+"campaigns: {rate_per_second: {toll_free: 2.5}}\n").Campaigns.Rates.TollFree, 0)
}

func TestRecurringCampaignsAreListed(t *testing.T) {
	want := []config.Recurring{{
		Name: "reminders", Cron: "0 10 * * 1", Body: "Hi {!Contact.FirstName|there}", Campaign: "701000000000001AAA", Rate: 5, Sender: "+14155550100",
	}}
	const list = `[{name: reminders, cron: "0 10 * * 1", campaign: 701000000000001AAA, body: "Hi {!Contact.FirstName|there}", rate: 5, sender: "+14155550100"}]`
	require.Equal(t, want, load(t, minimal+"campaigns: {recurring: "+list+"}\n").Campaigns.Recurring)
	require.Equal(t, want, load(t, minimal, "TWILIOSF_CAMPAIGNS_RECURRING="+list).Campaigns.Recurring)
}
