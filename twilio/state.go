package twilio

import (
	"context"
	"errors"
	"strconv"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// State is how the account stands with Twilio.
type State struct {
	Status string // active, suspended or closed
	Trial  bool   // it may send to verified numbers only
}

// Active reports that the account may be used.
func (s State) Active() bool { return s.Status == "active" }

// Balance is the money that is left.
type Balance struct {
	Amount float64 `json:"amount"`
	Unit   string  `json:"unit"` // as Twilio writes it: USD
}

var (
	opProbe   = operation{name: "twilio look at the messages", label: "probe", first: true}
	opState   = operation{name: "twilio fetch account", label: "fetch_account", first: true}
	opBalance = operation{name: "twilio fetch balance", label: "fetch_balance", first: true}
)

// Probe asks for one message, as a sweep asks for many: its answer says that the
// credentials are good for what the daemon does.
func (a *Account) Probe(ctx context.Context) error {
	one := 1
	return a.repeat(ctx, opProbe, func(c *call) error {
		_, err := openapi.NewApiServiceWithClient(c).PageMessage(&openapi.ListMessageParams{PageSize: &one}, "", "")
		return err
	})
}

// State reads the account's state. A standard API key may not ask, although it may
// do all that the daemon does: a fault of class Auth says nothing of the account.
// https://www.twilio.com/docs/iam/api-keys/key-resource-v1
func (a *Account) State(ctx context.Context) (State, error) {
	var s State
	err := a.repeat(ctx, opState, func(c *call) error {
		r, err := openapi.NewApiServiceWithClient(c).FetchAccount(a.sid)
		if err != nil {
			return err
		}
		// The rest is not looked at: the auth token is in it, in clear.
		s = State{Status: text(r.Status), Trial: text(r.Type) == "Trial"}
		if s.Status == "" {
			return fault.New(fault.Transient, opState.name, errGarbage)
		}
		return nil
	})
	return s, err
}

// Balance reads what is left of the account's money. A subaccount has none of its
// own, and not every key may ask.
// https://www.twilio.com/docs/iam/api/account
func (a *Account) Balance(ctx context.Context) (Balance, error) {
	var b Balance
	err := a.repeat(ctx, opBalance, func(c *call) error {
		r, err := openapi.NewApiServiceWithClient(c).FetchBalance(nil)
		if err != nil {
			return err
		}
		amount, err := strconv.ParseFloat(text(r.Balance), 64)
		if err != nil {
			return fault.New(fault.Permanent, opBalance.name, errors.New("the balance is no number"))
		}
		b = Balance{Amount: amount, Unit: text(r.Currency)}
		return nil
	})
	return b, err
}
