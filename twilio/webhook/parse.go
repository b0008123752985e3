package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// maxMedia is how many attachments Twilio allows a message.
// https://www.twilio.com/docs/messaging/api/message-resource
const maxMedia = 10

var (
	errSID    = errors.New("MessageSid: not a message SID")
	errStatus = errors.New("not a status")
	errNumber = errors.New("not a whole number") // strconv's error would repeat the text
)

// statusText is any status there may ever be: Twilio adds to them.
var statusText = regexp.MustCompile(`^[a-z][a-z_]{0,63}$`)

// Parse makes an event of a call's parameters; it does not ask who sent them.
// Where there is a MessageStatus it is the status of a message we sent, else an
// inbound message. now is when the call came in. Its error names the
// parameter, never the value. A name that comes several times counts once, the
// first.
//
// https://www.twilio.com/docs/messaging/guides/webhook-request
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
func Parse(form url.Values, now time.Time) (message.Event, error) {
	form = readable(form)
	sid := form.Get("MessageSid")
	if !validID(sid, "SM") && !validID(sid, "MM") {
		return message.Event{}, errSID
	}
	e := message.Event{
		SID:        message.SID(sid),
		From:       message.Number(form.Get("From")),
		To:         message.Number(form.Get("To")),
		ServiceSID: form.Get("MessagingServiceSid"),
		Ref:        form.Get("ref"),
		Received:   now.UTC().Truncate(time.Second),
	}
	read := readInbound
	if form.Has("MessageStatus") {
		read = readStatus
	}
	if err := read(&e, form); err != nil {
		return message.Event{}, err
	}
	return e, nil
}

// readable has every text in valid UTF-8, as the rest of the way wants it: what
// was signed is compared before.
func readable(form url.Values) url.Values {
	mended := make(url.Values, len(form))
	for name, values := range form {
		for _, v := range values {
			mended.Add(name, strings.ToValidUTF8(v, "\uFFFD"))
		}
	}
	return mended
}

func readStatus(e *message.Event, form url.Values) (err error) {
	e.Kind = message.StatusEvent
	if e.Status, err = status(form, "MessageStatus"); err != nil {
		return err
	}
	e.ErrorCode, err = count(form, "ErrorCode")
	return err
}

// readInbound leaves ErrorCode alone: it comes with a call to a fallback URL and
// is about our webhook, not about the message.
// https://www.twilio.com/docs/usage/security/availability-reliability
func readInbound(e *message.Event, form url.Values) (err error) {
	e.Kind = message.InboundEvent
	e.Body = form.Get("Body")
	e.Status = message.Received
	if form.Get("SmsStatus") != "" {
		if e.Status, err = status(form, "SmsStatus"); err != nil {
			return err
		}
	}
	if e.Segments, err = count(form, "NumSegments"); err != nil {
		return err
	}
	n, err := count(form, "NumMedia")
	if err != nil {
		return err
	}
	e.Media = media(form, min(n, maxMedia))
	e.OptOut = optOut(form.Get("OptOutType"))
	return nil
}

func status(form url.Values, name string) (message.Status, error) {
	text := form.Get(name)
	if !statusText.MatchString(text) {
		return "", fmt.Errorf("%s: %w", name, errStatus)
	}
	return message.Status(text), nil
}

// count reads a whole number of at most nine digits; one that is not given is 0.
func count(form url.Values, name string) (int, error) {
	text := cmp.Or(form.Get(name), "0")
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || len(text) > 9 {
		return 0, fmt.Errorf("%s: %w", name, errNumber)
	}
	return int(n), nil
}

// media are the first n attachments, without those whose URL does not end in a
// media SID: they could not be told apart, and the sweep brings them.
// https://www.twilio.com/docs/messaging/api/media-resource
func media(form url.Values, n int) []message.Media {
	var list []message.Media
	for i := range n {
		at := strconv.Itoa(i)
		text := form.Get("MediaUrl" + at)
		u, err := url.Parse(text)
		if err != nil || !validID(path.Base(u.Path), "ME") {
			continue
		}
		list = append(list, message.Media{SID: path.Base(u.Path), ContentType: form.Get("MediaContentType" + at), URL: text})
	}
	return list
}

// optOut is how Advanced Opt-Out has read the message, "" for a way we do not know.
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
func optOut(text string) string {
	switch text {
	case "STOP", "START", "HELP":
		return text
	default:
		return ""
	}
}
