package twilio

import (
	"context"
	"errors"
	"fmt"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

var opFetch = operation{name: "twilio fetch message", label: "fetch_message"}

// Fetch reads one message, as mirror.Source says. A message that cannot be read
// whole is a Transient fault; a SID that is none is Permanent and asks nobody.
// Only Twilio's own "no such resource" is mirror.ErrGone: any other 404 comes
// from something that is not Twilio.
func (a *Account) Fetch(ctx context.Context, sid message.SID) (message.Message, error) {
	if !validSID(sid) {
		return message.Message{}, fault.New(fault.Permanent, opFetch.name, errSID)
	}
	var m message.Message
	err := a.repeat(ctx, opFetch, func(c *call) error {
		model, err := openapi.NewApiServiceWithClient(c).FetchMessage(string(sid), nil)
		if err != nil {
			return asGone(err)
		}
		m, err = fromModel(model)
		if err == nil && m.SID != sid {
			err = errors.New("sid: another message than the one asked for")
		}
		if err != nil {
			f := fault.New(fault.Transient, opFetch.name, fmt.Errorf("%w: %s: %w", errGarbage, sid, err))
			f.Hint = hintBase
			return f
		}
		return nil
	})
	if err != nil {
		return message.Message{}, err
	}
	return m, nil
}

// asGone makes Twilio's "no such resource" mirror.ErrGone.
func asGone(err error) error {
	if f := fault.Of(err); f != nil && f.Status == 404 && f.Code == "20404" {
		f.Class, f.Hint, f.Err = fault.Permanent, "", mirror.ErrGone
	}
	return err
}
