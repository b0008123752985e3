package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// errUnclaimed is why a message waits whose record cannot be told yet.
var errUnclaimed = errors.New("it is not known yet which record the message belongs to")

// claimAgain is how long it waits, at least.
const claimAgain = time.Second

// claims asks whose the messages are that were sent through the API: one claim a
// change, or none at all when nobody need be asked.
func (w *Writer) claims(ctx context.Context, batch []Change) ([]Claim, error) {
	if w.Sends == nil {
		return nil, nil
	}
	var ask []*message.Message
	var places []int
	for i := range batch {
		if batch[i].Message.Direction == message.OutboundAPI {
			ask, places = append(ask, batch[i].Message), append(places, i)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	answers, err := w.Sends.Whose(ctx, ask)
	if err != nil {
		return nil, err
	}
	if len(answers) != len(ask) {
		return nil, fmt.Errorf("%d claims for %d messages", len(answers), len(ask))
	}
	claims := make([]Claim, len(batch))
	for i, at := range places {
		claims[at] = answers[i]
	}
	return claims, nil
}

// write hands one batch to Salesforce, but for what has to wait.
func (w *Writer) write(ctx context.Context, batch []Change, known []newness) batchResult {
	claims, err := w.claims(ctx, batch)
	if err != nil {
		return batchResult{batch: batch, err: err}
	}
	whole := claims
	now, places := batch, []int(nil) // what is written now, and where in the batch it is
	for i := range claims {
		if claims[i].Wait || claims[i].Told {
			now, known, claims, places = sift(batch, known, claims)
			break
		}
	}
	if places == nil {
		return w.hand(ctx, now, known, claims)
	}
	outcomes := make([]error, len(batch))
	for i := range whole {
		if whole[i].Wait {
			outcomes[i] = errUnclaimed
		}
	}
	if len(now) == 0 {
		return batchResult{batch: batch, outcomes: outcomes}
	}
	r := w.hand(ctx, now, known, claims)
	if r.err == nil {
		for i, at := range places {
			outcomes[at] = r.outcomes[i]
		}
	}
	r.batch, r.outcomes = batch, outcomes
	return r
}

// sift takes out of a batch what has to wait, and what is not written at all.
func sift(batch []Change, known []newness, claims []Claim) (now []Change, k []newness, c []Claim, places []int) {
	places = []int{}
	for i := range batch {
		if !claims[i].Wait && !claims[i].Told {
			now, k, c, places = append(now, batch[i]), append(k, known[i]), append(c, claims[i]), append(places, i)
		}
	}
	return now, k, c, places
}
