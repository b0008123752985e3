package twilio

import (
	"context"
	"slices"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"

	"github.com/twiliosf/twiliosf/sync/message"
)

var (
	opShortCodes = operation{name: "twilio list short codes", label: "list_short_codes"}
	opPool       = operation{name: "twilio list a service's senders", label: "list_pool"}
)

// Senders lists what the account may send from: its numbers and short codes, and
// its Messaging Services with their pools. It costs three requests and four more
// for each service.
func (a *Account) Senders(ctx context.Context) (message.Senders, error) {
	var all message.Senders
	numbers, err := pages(ctx, a, opNumbers, func(c *call, token, page string) (found []message.Sender, next string, err error) {
		r, err := openapi.NewApiServiceWithClient(c).PageIncomingPhoneNumber(&openapi.ListIncomingPhoneNumberParams{PageSize: &hookPage}, token, page)
		if err != nil {
			return nil, "", err
		}
		for i := range r.IncomingPhoneNumbers {
			found = append(found, phoneNumber(&r.IncomingPhoneNumbers[i]))
		}
		return found, text(r.NextPageUri), nil
	})
	if err != nil {
		return all, err
	}
	codes, err := pages(ctx, a, opShortCodes, func(c *call, token, page string) (found []message.Sender, next string, err error) {
		r, err := openapi.NewApiServiceWithClient(c).PageShortCode(&openapi.ListShortCodeParams{PageSize: &hookPage}, token, page)
		if err != nil {
			return nil, "", err
		}
		for _, s := range r.ShortCodes { // it does not say whether it may send media: Twilio refuses what it may not
			found = append(found, message.Sender{SID: text(s.Sid), Number: message.Number(text(s.ShortCode)), Kind: message.ShortCode, SMS: true, MMS: true})
		}
		return found, text(r.NextPageUri), nil
	})
	if err != nil {
		return all, err
	}
	all.Numbers = slices.Concat(numbers, codes)
	all.Services, err = a.services(ctx)
	return all, err
}

func phoneNumber(n *openapi.ApiV2010IncomingPhoneNumber) message.Sender {
	s := message.Sender{SID: text(n.Sid), Number: message.Number(text(n.PhoneNumber)), Kind: message.LongCode}
	if strings.EqualFold(text(n.Type), "tollfree") {
		s.Kind = message.TollFree
	}
	if n.Capabilities != nil {
		s.SMS, s.MMS = n.Capabilities.Sms, n.Capabilities.Mms
	}
	return s
}

func (a *Account) services(ctx context.Context) ([]message.Service, error) {
	services, err := pages(ctx, a, opServices, func(c *call, token, page string) (found []message.Service, next string, err error) {
		r, err := messaging.NewApiServiceWithClient(c).PageService(&messaging.ListServiceParams{PageSize: &hookPage}, token, page)
		if err != nil {
			return nil, "", err
		}
		for _, s := range r.Services {
			found = append(found, message.Service{SID: text(s.Sid), Name: text(s.FriendlyName)})
		}
		return found, text(r.Meta.NextPageUrl), nil
	})
	if err != nil {
		return nil, err
	}
	for i := range services {
		if services[i].Pool, err = a.pool(ctx, services[i].SID); err != nil {
			return nil, err
		}
	}
	return services, nil
}

// pool lists the four kinds of senders that a service may have.
// https://www.twilio.com/docs/messaging/api/service-resource
func (a *Account) pool(ctx context.Context, service string) ([]message.Number, error) {
	var pool []message.Number
	for _, read := range []func(c *call, token, page string) ([]message.Number, string, error){
		func(c *call, token, page string) (found []message.Number, next string, err error) {
			r, err := messaging.NewApiServiceWithClient(c).PagePhoneNumber(service, &messaging.ListPhoneNumberParams{PageSize: &hookPage}, token, page)
			if err != nil {
				return nil, "", err
			}
			for _, n := range r.PhoneNumbers {
				found = append(found, message.Number(text(n.PhoneNumber)))
			}
			return found, text(r.Meta.NextPageUrl), nil
		},
		func(c *call, token, page string) (found []message.Number, next string, err error) {
			r, err := messaging.NewApiServiceWithClient(c).PageShortCode(service, &messaging.ListShortCodeParams{PageSize: &hookPage}, token, page)
			if err != nil {
				return nil, "", err
			}
			for _, n := range r.ShortCodes {
				found = append(found, message.Number(text(n.ShortCode)))
			}
			return found, text(r.Meta.NextPageUrl), nil
		},
		func(c *call, token, page string) (found []message.Number, next string, err error) {
			r, err := messaging.NewApiServiceWithClient(c).PageAlphaSender(service, &messaging.ListAlphaSenderParams{PageSize: &hookPage}, token, page)
			if err != nil {
				return nil, "", err
			}
			for _, n := range r.AlphaSenders {
				found = append(found, message.Number(text(n.AlphaSender)))
			}
			return found, text(r.Meta.NextPageUrl), nil
		},
		func(c *call, token, page string) (found []message.Number, next string, err error) {
			r, err := messaging.NewApiServiceWithClient(c).PageChannelSender(service, &messaging.ListChannelSenderParams{PageSize: &hookPage}, token, page)
			if err != nil {
				return nil, "", err
			}
			for _, n := range r.Senders {
				found = append(found, message.Number(text(n.Sender)))
			}
			return found, text(r.Meta.NextPageUrl), nil
		},
	} {
		found, err := pages(ctx, a, opPool, read)
		if err != nil {
			return nil, err
		}
		pool = append(pool, found...)
	}
	return pool, nil
}
