package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Hook is a resource of the account's that says where Twilio calls: a phone
// number, for messages that come in, or a Messaging Service, for the messages of
// its numbers and for the statuses of what it sends.
// https://www.twilio.com/docs/messaging/api/service-resource
type Hook struct {
	SID     string         // PN or MG and 32 hex digits
	Name    string         // a service's name; of a number the empty text
	Number  message.Number // of a number
	Inbound string         // called for messages that come in, "" for nothing
	Status  string         // of a service: called for statuses, "" for nothing
}

// Service reports that it is a Messaging Service.
func (h Hook) Service() bool { return strings.HasPrefix(h.SID, "MG") }

// Calls reports whether Twilio calls the address wherever it may. A fragment is
// Twilio's own affair: it is neither sent nor signed.
func (h Hook) Calls(address string) bool {
	same := func(u string) bool { u, _, _ = strings.Cut(u, "#"); return u == address }
	return same(h.Inbound) && (same(h.Status) || !h.Service())
}

var (
	opNumbers     = operation{name: "twilio list numbers", label: "list_numbers"}
	opServices    = operation{name: "twilio list services", label: "list_services"}
	opPointNumber = operation{name: "twilio update number", label: "update_number"}
	opPointPool   = operation{name: "twilio update service", label: "update_service"}
)

// hookPage is how many resources are read at a time, the most that Twilio gives.
var hookPage = 1000

// Hooks lists the account's numbers and Messaging Services, in Twilio's order.
func (a *Account) Hooks(ctx context.Context) ([]Hook, error) {
	numbers, err := pages(ctx, a, opNumbers, func(c *call, token, page string) ([]Hook, string, error) {
		r, err := openapi.NewApiServiceWithClient(c).PageIncomingPhoneNumber(&openapi.ListIncomingPhoneNumberParams{PageSize: &hookPage}, token, page)
		if err != nil {
			return nil, "", err
		}
		var all []Hook
		for _, n := range r.IncomingPhoneNumbers {
			all = append(all, Hook{SID: text(n.Sid), Number: message.Number(text(n.PhoneNumber)), Inbound: text(n.SmsUrl)})
		}
		return all, text(r.NextPageUri), nil
	})
	if err != nil {
		return nil, err
	}
	services, err := pages(ctx, a, opServices, func(c *call, token, page string) ([]Hook, string, error) {
		r, err := messaging.NewApiServiceWithClient(c).PageService(&messaging.ListServiceParams{PageSize: &hookPage}, token, page)
		if err != nil {
			return nil, "", err
		}
		var all []Hook
		for _, s := range r.Services {
			all = append(all, Hook{SID: text(s.Sid), Name: text(s.FriendlyName), Inbound: text(s.InboundRequestUrl), Status: text(s.StatusCallback)})
		}
		return all, text(r.Meta.NextPageUrl), nil
	})
	return append(numbers, services...), err
}

// maxHookPages is more than any account has: it ends a list that ends nowhere.
const maxHookPages = 1000

// pages reads a list by its own links, of which the library takes only the two
// parameters that place the next page.
func pages[row any](ctx context.Context, a *Account, op operation, read func(c *call, token, page string) ([]row, string, error)) ([]row, error) {
	var all []row
	token, page := "", ""
	for range maxHookPages {
		var found []row
		var next string
		err := a.repeat(ctx, op, func(c *call) (err error) {
			found, next, err = read(c, token, page)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if next == "" {
			return all, nil
		}
		link, err := url.Parse(next)
		if err != nil {
			return nil, fault.New(fault.Transient, op.name, errors.New("the link to the next page is none"))
		}
		token, page = link.Query().Get("PageToken"), link.Query().Get("Page")
	}
	return nil, fault.New(fault.Transient, op.name, fmt.Errorf("more than %d pages", maxHookPages))
}

// Point makes Twilio call an address by POST wherever the hook may say so. It may
// be repeated. API keys need the right to change numbers and services.
func (a *Account) Point(ctx context.Context, h Hook, address string) error {
	post := "POST"
	if h.Service() {
		return a.repeat(ctx, opPointPool, func(c *call) error {
			_, err := messaging.NewApiServiceWithClient(c).UpdateService(h.SID, &messaging.UpdateServiceParams{
				InboundRequestUrl: &address, InboundMethod: &post, StatusCallback: &address,
			})
			return err
		})
	}
	return a.repeat(ctx, opPointNumber, func(c *call) error {
		_, err := openapi.NewApiServiceWithClient(c).UpdateIncomingPhoneNumber(h.SID, &openapi.UpdateIncomingPhoneNumberParams{SmsUrl: &address, SmsMethod: &post})
		return err
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
