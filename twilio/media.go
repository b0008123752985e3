package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

var opMedia = operation{name: "twilio list media", label: "list_media"}

var errMedium = errors.New("not a medium of this message")

// Media lists a message's media, whose URLs lead to their bytes. A message that
// Twilio has no more has none, which is nil, as an empty list is not.
// https://www.twilio.com/docs/messaging/api/media-resource
func (a *Account) Media(ctx context.Context, sid message.SID) ([]message.Media, error) {
	if !validSID(sid) {
		return nil, fault.New(fault.Permanent, opMedia.name, errSID)
	}
	link := a.mediaPath(sid) + ".json?" + url.Values{"PageSize": {strconv.Itoa(maxPage)}}.Encode()
	all := []message.Media{}
	for followed := map[string]bool{}; link != ""; {
		if followed[link] {
			f := fault.New(fault.Transient, opMedia.name, fmt.Errorf("%w: %w", errGarbage, errLoop))
			f.Hint = hintBase
			return nil, f
		}
		followed[link] = true
		page, next, err := a.mediaPage(ctx, sid, link)
		if errors.Is(err, mirror.ErrGone) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all, link = append(all, page...), next
	}
	return all, nil
}

func (a *Account) mediaPath(sid message.SID) string {
	return "/2010-04-01/Accounts/" + a.sid + "/Messages/" + string(sid) + "/Media"
}

func (a *Account) mediaPage(ctx context.Context, sid message.SID, link string) (media []message.Media, next string, err error) {
	err = a.repeat(ctx, opMedia, func(c *call) error {
		resp, err := openapi.NewApiServiceWithClient(c).RequestHandler().Get(apiURL+link, nil, nil, "") //nolint:bodyclose // attempt closes it
		if err != nil {
			return asGone(err)
		}
		var page openapi.ListMediaResponse
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
			return err
		}
		media = make([]message.Media, len(page.MediaList))
		for i := range page.MediaList {
			if media[i], err = c.medium(sid, &page.MediaList[i]); err != nil {
				return err
			}
		}
		next = ""
		if page.NextPageUri != nil {
			next, err = c.follow(*page.NextPageUri)
		}
		return err
	})
	return media, next, err
}

// medium reads one row of the list.
func (c *call) medium(sid message.SID, row *openapi.ApiV2010Media) (message.Media, error) {
	m := message.Media{SID: deref(row.Sid), ContentType: deref(row.ContentType)}
	if !validID(m.SID, "ME") || deref(row.ParentSid) != string(sid) {
		f := fault.New(fault.Transient, c.op.name, fmt.Errorf("%w: %w", errGarbage, errMedium))
		f.Hint = hintBase
		return message.Media{}, f
	}
	// Its bytes are at the address of its row, without ".json".
	u, err := c.url.Parse(strings.TrimSuffix(deref(row.Uri), ".json"))
	if err != nil || row.Uri == nil || *row.Uri == "" {
		u = &url.URL{Scheme: c.url.Scheme, Host: c.url.Host, Path: c.account.mediaPath(sid) + "/" + m.SID}
	}
	m.URL = u.String()
	return m, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
