package orgsetup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

const (
	// How often a deployment is asked how far it is: each time costs an API call.
	firstAsk   = 2 * time.Second
	longestAsk = 15 * time.Second
	// patience is how long Salesforce may be out of reach meanwhile.
	patience = 10 * time.Minute
	// goodbye is how long canceling may take.
	goodbye = 15 * time.Second
)

// await stays with a deployment until it has ended. It goes on in Salesforce
// whatever becomes of the connection, so failing to ask is no end of it; a caller
// who gives up cancels it.
func (s *Setup) await(ctx context.Context, id, stage string, screen *Screen) (salesforce.Deployment, error) {
	wait, heard, silent := firstAsk, time.Now(), false
	for {
		d, err := s.org.DeployState(ctx, id)
		switch {
		case ctx.Err() != nil:
			return d, s.giveUp(ctx, id)
		case err == nil:
			heard, silent = time.Now(), false
			if screen.Progress != nil {
				screen.Progress(stage, d)
			}
			if d.Done {
				return d, nil
			}
		case !passing(err) || time.Since(heard) > patience:
			return d, fmt.Errorf("deployment %s: %w; it goes on in Salesforce: see Setup, Deployment Status", id, err)
		case !silent:
			silent = true
			screen.sayf("Salesforce is out of reach for the moment; the deployment goes on there.")
		}
		select {
		case <-time.After(wait):
			wait = min(wait*3/2, longestAsk)
		case <-ctx.Done():
			return d, s.giveUp(ctx, id)
		}
	}
}

// passing tells trouble that passes by itself.
func passing(err error) bool {
	class := fault.ClassOf(err)
	return class == fault.Transient || class == fault.Throttled
}

// giveUp cancels a deployment whose caller has been interrupted.
func (s *Setup) giveUp(ctx context.Context, id string) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if err := s.org.CancelDeploy(last, id); err != nil {
		return errors.Join(fmt.Errorf("interrupted; the deployment %s could not be canceled and may end in Salesforce: see Setup, Deployment Status", id), err)
	}
	return fmt.Errorf("interrupted; the deployment %s is canceled and changes nothing", id)
}
