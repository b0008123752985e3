package twiliotest

import (
	"net/http"
	"strings"
	"time"
)

// opened is when the account and its numbers came to be.
var opened = time.Date(2020, time.January, 15, 12, 0, 0, 0, time.UTC).UnixNano()

var accountLinks = []string{
	"balance Balance", "incoming_phone_numbers IncomingPhoneNumbers", "messages Messages",
}

// fetchAccount shows the auth token in clear, as Twilio does. With what it
// refuses a standard key is not documented.
func (s *Server) fetchAccount(r *http.Request, t target) reply {
	if user, _, _ := r.BasicAuth(); s.opts.StandardKey && same(user, s.APIKeySID) {
		return unauthorized()
	}
	e := s.encoder(1024)
	base := corePrefix + s.AccountSID
	e.text(`{"sid":`, s.AccountSID)
	e.text(`,"owner_account_sid":`, s.AccountSID)
	e.text(`,"auth_token":`, s.AuthToken)
	kind := "Full"
	if s.opts.Trial {
		kind = "Trial"
	}
	e.raw(`,"friendly_name":"Emulated account"`)
	e.text(`,"status":`, s.opts.Status)
	e.text(`,"type":`, kind)
	e.date(`,"date_created":`, opened)
	e.date(`,"date_updated":`, opened)
	e.text(`,"uri":`, t.path)
	e.raw(`,"subresource_uris":{`)
	for i, link := range accountLinks {
		if i > 0 {
			e.raw(",")
		}
		name, file, _ := strings.Cut(link, " ")
		e.text(`"`+name+`":`, base+"/"+file+".json")
	}
	e.raw("}}")
	return jsonReply(http.StatusOK, e.b)
}

func (s *Server) fetchBalance(*http.Request, target) reply {
	e := s.encoder(256)
	e.text(`{"account_sid":`, s.AccountSID)
	e.text(`,"balance":`, s.opts.Balance)
	e.raw(`,"currency":"USD"}`)
	return jsonReply(http.StatusOK, e.b)
}
