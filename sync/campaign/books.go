package campaign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// Why a command is not obeyed.
var (
	ErrNoRun   = errors.New("no campaign with this id has asked to be sent")
	ErrOver    = errors.New("the campaign is over")
	ErrCommand = errors.New("there is no such command: Pause, Resume or Cancel")
)

// Command tells a campaign what its record's Command would. It is durable when
// Command returns nil: nobody is handed over after a pause.
func (e *Engine) Command(ctx context.Context, record string, c Command) error {
	if c != Pause && c != Resume && c != Cancel {
		return ErrCommand
	}
	r, ok, err := e.Books.Run(ctx, record, ToSend)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNoRun
	case r.Status.Over():
		return fmt.Errorf("%w: it is %s", ErrOver, r.Status)
	}
	said := r.Campaign
	said.Command, said.Status, said.Operator = c, Send, true
	return e.Take(ctx, []Campaign{said})
}

// Listed is a campaign as operators see it, without its text.
type Listed struct {
	Record   string        `json:"record"`
	Name     string        `json:"name,omitzero"`
	Status   Status        `json:"status"`
	Gathered bool          `json:"gathered"` // the whole audience is known
	Sender   string        `json:"sender,omitzero"`
	SendAt   time.Time     `json:"send_at,omitzero"`
	Started  time.Time     `json:"started,omitzero"`
	Ended    time.Time     `json:"ended,omitzero"`
	Counted  time.Time     `json:"counted,omitzero"` // when Counts were
	Counts   Counts        `json:"counts"`
	Lasts    time.Duration `json:"lasts,omitzero"` // how long those who wait will take
	Problem  string        `json:"problem,omitzero"`
	Told     bool          `json:"told"` // the record shows it
}

// List lists campaigns that are not over, then those that are the latest, at most
// limit in all.
func (e *Engine) List(ctx context.Context, limit int) ([]Listed, error) {
	runs, err := e.Books.Runs(ctx, limit)
	if err != nil {
		return nil, err
	}
	all := make([]Listed, len(runs))
	for i := range runs {
		r := &runs[i]
		all[i] = Listed{
			Record: r.Campaign.ID, Name: r.Campaign.Name, Status: r.Status, Gathered: r.Gathered, Sender: maskSender(r.Sender),
			SendAt: r.Campaign.SendAt, Started: r.Started, Ended: r.Ended, Counted: r.Counted, Counts: r.Counts,
			Lasts: Lasts(r.Counts.Waiting+r.Counts.Handed, e.pace(r)), Problem: phone.MaskText(r.Problem), Told: !r.Untold,
		}
	}
	return all, nil
}

// maskSender hides a number; a service's SID is none.
func maskSender(sender string) string {
	if strings.HasPrefix(sender, "MG") {
		return sender
	}
	return phone.Mask(message.Number(sender))
}
