package checkup

import (
	"context"
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
	"github.com/twiliosf/twiliosf/twilio"
)

// lowBalance is when somebody should think of the money, in the account's currency.
const lowBalance = 10

// twilio looks at the account. The hooks are nil where they could not be asked for.
func (v *visit) twilio(ctx context.Context) *daemon.Hooks {
	account, err := daemon.OpenAccount(v.cfg, v.o.Twilio)
	switch {
	case !v.may(factTwilio, factTwilioNet):
	case err != nil:
		v.fault(factTwilio, Fail, err)
	default:
		if err := account.Probe(ctx); err != nil {
			v.fault(factTwilio, Fail, err)
		} else {
			v.okf(factTwilio, "Twilio lets us in")
		}
	}
	if v.may(factAccount, factTwilio) {
		v.account(ctx, account)
	}
	if v.may(factBalance, factTwilio) {
		v.balance(ctx, account)
	}
	v.senders(ctx, account)
	return v.hooks(ctx)
}

func (v *visit) account(ctx context.Context, a *twilio.Account) {
	state, err := a.State(ctx)
	switch {
	case err != nil && refused(err):
		v.okf(factAccount, "not shown to this key: a standard key may not read the account, and need not")
	case err != nil:
		v.fault(factAccount, Todo, err)
	case !state.Active():
		v.addf(factAccount, Fail, "Look at the account in the Twilio Console: billing, or a message of Twilio's support.", "the account is %s", state.Status)
	case state.Trial:
		v.addf(factAccount, Todo, "Upgrade it in the Twilio Console before users send.",
			"the account is a trial: it sends to verified numbers only, and puts a line before each text")
	default:
		v.okf(factAccount, "the account is active")
	}
}

func (v *visit) balance(ctx context.Context, a *twilio.Account) {
	b, err := a.Balance(ctx)
	switch {
	case err != nil && refused(err):
		v.okf(factBalance, "not shown to this key or subaccount")
	case err != nil:
		v.fault(factBalance, Todo, err)
	case b.Amount <= lowBalance:
		v.addf(factBalance, Todo, "Top it up or turn on auto-recharge in the Twilio Console: at 0 Twilio suspends the account.",
			"%.2f %s are left", b.Amount, b.Unit)
	default:
		v.okf(factBalance, "%.2f %s are left", b.Amount, b.Unit)
	}
}

// senders looks whether what we are to send from is the account's, and at its
// Messaging Services.
func (v *visit) senders(ctx context.Context, a *twilio.Account) {
	asks := v.may(factSenders, factTwilio)
	if !v.may(factServices, factTwilio) || !asks {
		return
	}
	all, err := a.Senders(ctx)
	if err != nil {
		v.fault(factSenders, Todo, err)
		v.addf(factServices, Skipped, "", "not asked, because %s failed", factSenders)
		return
	}
	v.sender(all)
	empty := slices.DeleteFunc(slices.Clone(all.Services), func(s message.Service) bool { return len(s.Pool) > 0 })
	for _, s := range empty {
		v.addf(factServices, Todo, "Add a number to its sender pool in the Twilio Console.", "the Messaging Service %s %s has no sender", s.SID, s.Name)
	}
	if len(empty) == 0 {
		v.okf(factServices, "%d Messaging Services, %d numbers and short codes", len(all.Services), len(all.Numbers))
	}
}

func (v *visit) sender(all message.Senders) {
	s := v.cfg.Twilio.Sender
	service := strings.HasPrefix(s, "MG")
	known := slices.ContainsFunc(all.Numbers, func(n message.Sender) bool { return string(n.Number) == s }) ||
		slices.ContainsFunc(all.Services, func(m message.Service) bool { return m.SID == s || slices.Contains(m.Pool, message.Number(s)) })
	shown := s
	if !service {
		shown = phone.Mask(message.Number(s))
	}
	switch {
	case len(all.Numbers)+len(all.Services) == 0:
		v.addf(factSenders, Todo, "Buy a number in the Twilio Console, if this account is to send.", "the account has no number and no Messaging Service")
	case s == "":
		v.okf(factSenders, "twilio.sender is not set: a record, its owner or the conversation says what to send from")
	case known:
		v.okf(factSenders, "%s is the account's", shown)
	case service || strings.HasPrefix(s, "+"):
		v.addf(factSenders, Fail, "Correct twilio.sender: twiliosf check lists the numbers and services under "+factHooks+".", "twilio.sender %s is not the account's", shown)
	default:
		v.okf(factSenders, "%s: whether such a sender is the account's is known to nobody but Twilio", shown)
	}
}

// hooks looks where Twilio calls. The mirror does without; it is only later then.
func (v *visit) hooks(ctx context.Context) *daemon.Hooks {
	if !v.may(factHooks, factTwilio) {
		return nil
	}
	hooks, err := daemon.FindHooks(ctx, v.cfg, v.o.Twilio)
	switch {
	case err != nil:
		v.fault(factHooks, Todo, err)
		return nil
	case hooks.Address() == "":
		v.okf(factHooks, "twilio.webhook.public_url is not set: messages come by the sweeps")
		return hooks
	}
	right := 0
	for _, h := range hooks.All() {
		if h.Right {
			right++
			continue
		}
		calls := "calls " + orNobody(h.Inbound)
		if h.Status != "" || strings.HasPrefix(h.SID, "MG") {
			calls += " for messages and " + orNobody(h.Status) + " for statuses"
		}
		v.addf(factHooks, Todo, "twiliosf check --fix-webhooks points it at us.", "%s %s %s", h.SID, h.Name, calls)
	}
	if right > 0 || right == len(hooks.All()) {
		v.okf(factHooks, "%d of %d numbers and Messaging Services call %s", right, len(hooks.All()), hooks.Address())
	}
	return hooks
}

func orNobody(address string) string {
	if address == "" {
		return "nobody"
	}
	return address
}
