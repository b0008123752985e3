package outbox

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

const (
	// maxBody is how long a body may be.
	// https://www.twilio.com/docs/api/errors/21617
	maxBody = 1600
	// maxMedia is how many files a message carries.
	// https://www.twilio.com/docs/api/errors/21623
	maxMedia = 10
	// codeOptedOut is Twilio's for a number that has opted out.
	// https://www.twilio.com/docs/api/errors/21610
	codeOptedOut = 21610
)

// Refusal is why something is not sent, in words for the user of the record. They
// hold nothing that the record holds.
type Refusal struct {
	Code int // Twilio's for the same, 0 for none
	Text string
}

func refuse(code int, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// optedOut is what a record says whose number has opted out.
func optedOut(d *message.Draft) *Refusal {
	if d.Keyword != "" {
		return refuse(codeOptedOut, "To number: it has opted out, of everything or of the campaign's keyword.")
	}
	return refuse(codeOptedOut, "To number: it has opted out (it answered STOP, or its opt-in was ended). It can be texted again after it has sent START.")
}

func late(limit time.Duration) *Refusal {
	return refuse(0, "Its time passed more than %s ago while it could not be sent (outbox.late_limit). Set a new time and Status to Send.", hours(limit))
}

// hours is a duration without the zeros behind: 12h, 90m.
func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "0s")
}

var contentSID = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)

// checked is what a draft asks to be sent, without a sender, or why it is not.
// Whether a number is a landline only Twilio knows.
func checked(d *message.Draft, country string) (message.Outgoing, *Refusal) {
	to, err := phone.Parse(d.To, country)
	if err != nil {
		return message.Outgoing{}, refuse(21211, "To number: %s. Correct it and set Status to Send again.", err)
	}
	o := message.Outgoing{To: to}
	for _, step := range []func(*message.Outgoing, *message.Draft) *Refusal{takeBody, takeMedia, takeContent} {
		if f := step(&o, d); f != nil {
			return o, f
		}
	}
	if o.Body == "" && len(o.Media) == 0 && o.Content == "" {
		return o, refuse(21602, "Body: it is empty, and there is neither a media URL nor a content SID. Write something and set Status to Send again.")
	}
	return o, nil
}

func takeBody(o *message.Outgoing, d *message.Draft) *Refusal {
	if strings.TrimSpace(d.Body) == "" || d.Content != "" { // a template brings its own text
		return nil
	}
	if n := len(utf16.Encode([]rune(d.Body))); n > maxBody {
		return refuse(21617, "Body: it has %d characters, and Twilio takes %d. Shorten it and set Status to Send again.", n, maxBody)
	}
	o.Body = d.Body
	return nil
}

func takeMedia(o *message.Outgoing, d *message.Draft) *Refusal {
	o.Media = strings.Fields(d.Media)
	if len(o.Media) > maxMedia {
		return refuse(21623, "Media URL: there are %d, and Twilio takes %d.", len(o.Media), maxMedia)
	}
	for _, m := range o.Media {
		if u, err := url.Parse(m); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return refuse(21620, "Media URL: it must be a whole address that begins with https://, and that Twilio can read without logging in.")
		}
	}
	return nil
}

func takeContent(o *message.Outgoing, d *message.Draft) *Refusal {
	content, values := strings.TrimSpace(d.Content), strings.TrimSpace(d.Values)
	if content != "" && !contentSID.MatchString(content) {
		return refuse(21655, "Content SID: it must be HX and 32 hexadecimal digits, as the Twilio console shows it.")
	}
	if values != "" {
		if content == "" {
			return refuse(21654, "Content variables: there are some, but no content SID to fill them into.")
		}
		var object map[string]any
		if json.Unmarshal([]byte(values), &object) != nil || object == nil {
			return refuse(21656, `Content variables: they must be a JSON object, for example {"1": "Ada"}.`)
		}
	}
	o.Content, o.Values = content, values
	return nil
}
