package twilio

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/twiliosf/twiliosf/sync/message"
)

// sentPage is how many messages to one number are read at a time.
const sentPage = 100

// Outgoing lists what the account has sent to a number, or to anybody, since a
// time, newest first, and calls page until that answers false. Creates that
// Twilio refused are among it, as failed messages. No date filters it: a filter
// may hide messages whose date_sent is null, such as one that was sent a moment
// ago. Like Walk it fails at the end when there were rows that it could not read;
// the slice is valid only during the call.
func (a *Account) Outgoing(ctx context.Context, q message.SentQuery, page func([]message.Message) (more bool, err error)) error {
	query := url.Values{"PageSize": {strconv.Itoa(maxPage)}}
	if q.To != "" {
		query = url.Values{"PageSize": {strconv.Itoa(sentPage)}, "To": {string(q.To)}}
	}
	return a.walk(ctx, a.listed(query), func(rows []message.Message) (bool, error) {
		over := reaches(rows, q)
		rows = slices.DeleteFunc(rows, func(m message.Message) bool {
			return m.Direction == message.Inbound || m.At().Before(q.Since)
		})
		more, err := page(rows)
		return more && !over, err
	})
}

// reaches reports that nothing older is wanted. Rows without a date_sent do not
// count: they may stand above all others, whatever their age.
func reaches(rows []message.Message, q message.SentQuery) bool {
	sent := 0
	for i := range rows {
		if !rows[i].At().Before(q.Since) {
			return false
		}
		if !rows[i].Sent.IsZero() {
			sent++
		}
	}
	return sent > 0
}
