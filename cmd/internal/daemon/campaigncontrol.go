package daemon

import (
	"context"
	"net/http"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

// maxCampaigns is how many campaigns a list shows.
const maxCampaigns = 200

// CampaignCommand tells a campaign what to do.
type CampaignCommand struct {
	Record  string           `json:"record"`
	Command campaign.Command `json:"command"`
}

// CampaignRecord names one.
type CampaignRecord struct {
	Record string `json:"record"`
}

// campaignRoutes are the campaigns' part of the control API.
func (d *Daemon) campaignRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/campaigns", serve(func(ctx context.Context, _ struct{}) ([]campaign.Listed, error) {
		return d.current.Load().campaigns.List(ctx, maxCampaigns)
	}))
	mux.HandleFunc("POST /v1/campaigns/command", serve(func(ctx context.Context, c CampaignCommand) (struct{}, error) {
		return struct{}{}, d.current.Load().campaigns.Command(ctx, c.Record, c.Command)
	}))
	mux.HandleFunc("POST /v1/campaigns/preview", serve(func(ctx context.Context, c CampaignRecord) (campaign.Previewed, error) {
		return d.current.Load().campaigns.Preview(ctx, c.Record)
	}))
}

// Campaigns lists those that are not over, and the latest others.
func (c *Client) Campaigns(ctx context.Context) ([]campaign.Listed, error) {
	return ask[[]campaign.Listed](ctx, c, http.MethodPost, "/v1/campaigns", struct{}{})
}

// CommandCampaign pauses, resumes or cancels one.
func (c *Client) CommandCampaign(ctx context.Context, command CampaignCommand) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/v1/campaigns/command", command)
	return err
}

// PreviewCampaign says what one would send.
func (c *Client) PreviewCampaign(ctx context.Context, record string) (campaign.Previewed, error) {
	return ask[campaign.Previewed](ctx, c, http.MethodPost, "/v1/campaigns/preview", CampaignRecord{record})
}
