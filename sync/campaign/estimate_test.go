package campaign_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestAnEstimateSaysWhatACampaignTakes(t *testing.T) {
	b, err := campaign.ParseBody("Hi {!Contact.FirstName|there}, " + strings.Repeat("a", 140))
	require.NoError(t, err)
	e := campaign.NewEstimator(b, false)
	require.Equal(t, campaign.Estimate{Unit: "USD"}, e.Estimate(campaign.Price{Segment: 0.0079, Unit: "USD"}, 10))
	for _, name := range []string{"", "Anna", "Bartholomew-Maximilian", "Zoë", "Łukasz", strings.Repeat("x", 200)} {
		e.Add(b.Fill(people(map[string]string{"Contact.FirstName": name})))
	}
	got := e.Estimate(campaign.Price{Segment: 0.0079, Unit: "USD"}, 10)
	require.InDelta(t, 13*0.0079, got.Cost, 1e-9)
	got.Cost = 0
	require.Equal(t, campaign.Estimate{
		Recipients: 6, Segments: 13, GSM7: 4, UCS2: 2, Longest: 3,
		SecondSegment: 4, Unit: "USD", Duration: 600 * time.Millisecond,
	}, got)
	require.Equal(t, campaign.GSM7, got.Encoding())
	require.Equal(t, campaign.UCS2, campaign.Estimate{GSM7: 1, UCS2: 2}.Encoding())
	require.Equal(t, campaign.GSM7, campaign.Estimate{GSM7: 1, UCS2: 1}.Encoding())
}

func TestABodyThatIsLongItselfIsNotTheValuesFault(t *testing.T) {
	b, err := campaign.ParseBody("{!Contact.FirstName|there} " + strings.Repeat("a", 200))
	require.NoError(t, err)
	e := campaign.NewEstimator(b, false)
	e.Add(b.Fill(people(map[string]string{"Contact.FirstName": "Anna"})))
	require.Zero(t, e.Estimate(campaign.Price{}, 1).SecondSegment)
	require.Equal(t, 2, e.Estimate(campaign.Price{}, 1).Segments)
}

func TestSmartEncodingMakesACampaignCheaper(t *testing.T) {
	b, err := campaign.ParseBody("It’s time… " + strings.Repeat("a", 100))
	require.NoError(t, err)
	for smart, want := range map[bool]int{false: 2, true: 1} {
		e := campaign.NewEstimator(b, smart)
		e.Add(b.Fill(nil))
		require.Equal(t, want, e.Estimate(campaign.Price{}, 0).Segments, smart)
		require.Zero(t, e.Estimate(campaign.Price{}, 0).SecondSegment)
	}
}

func TestACampaignLastsAsLongAsItsRateSays(t *testing.T) {
	for _, c := range []struct {
		messages int
		rate     float64
		want     time.Duration
	}{
		{0, 1, 0},
		{1, 1, time.Second},
		{3600, 1, time.Hour},
		{1_000_000, 100, 10_000 * time.Second},
		{10, 3, 3_333_333_333},
		{10, 0, 0},
		{10, -1, 0},
		{10, math.NaN(), 0},
		{10, math.Inf(1), 0},
		{math.MaxInt, 1e-9, math.MaxInt64},
	} {
		require.Equal(t, c.want, campaign.Lasts(c.messages, c.rate), "%d at %v", c.messages, c.rate)
	}
}
