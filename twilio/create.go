package twilio

import (
	"context"
	"fmt"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

var opCreate = operation{name: "twilio create message", label: "create_message", first: true}

// Create sends a message with one request, which nothing here or below sends
// twice: Twilio takes no idempotency key, and two creates are two messages.
// https://www.twilio.com/docs/api/errors/20500
//
// The class of its error says what became of the message. Transient: no byte of
// the request left, or the wait for a slot was given up. Throttled: refused
// unprocessed; with HTTP 429 because the account has too many requests under
// way, else because the sender's queue is full. Permanent and Auth: refused, for
// this message or for every one. Uncertain, which is all else: it may have been
// sent. Callers look for Uncertain before they ask whether they were stopped.
func (a *Account) Create(ctx context.Context, o message.Outgoing) (message.Message, error) {
	var m message.Message
	err := a.attempt(ctx, opCreate, func(c *call) error {
		model, err := openapi.NewApiServiceWithClient(c).CreateMessage(creation(o))
		if err != nil {
			return asMissing(err)
		}
		if m, err = fromModel(model); err != nil {
			return c.garbled(err)
		}
		return nil
	})
	if err != nil {
		return message.Message{}, err
	}
	return m, nil
}

// garbled is the fault of an answer that came well and says too little.
func (c *call) garbled(err error) error {
	f := fault.New(c.unanswered(), c.op.name, fmt.Errorf("%w: %w", errGarbage, err))
	f.Hint = hintBase
	return f
}

func creation(o message.Outgoing) *openapi.CreateMessageParams {
	p := &openapi.CreateMessageParams{
		To: (*string)(&o.To), From: given((*string)(&o.From)), MessagingServiceSid: given(&o.Service), Body: given(&o.Body),
		ContentSid: given(&o.Content), ContentVariables: given(&o.Values), StatusCallback: given(&o.Callback),
	}
	if len(o.Media) > 0 {
		p.MediaUrl = &o.Media
	}
	return p
}

// given is nil for the empty text: Twilio does not take that for none.
func given(text *string) *string {
	if *text == "" {
		return nil
	}
	return text
}
