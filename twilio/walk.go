package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

var opList = operation{name: "twilio list messages", label: "list_messages"}

const (
	// maxPage is the most messages Twilio puts on a page.
	maxPage = 1000
	// maxRestarts is how often one walk begins again after its page token has
	// become invalid.
	maxRestarts = 3
	// maxEmpty is how many empty pages with a next link are followed in a row.
	maxEmpty = 100
)

var (
	errLoop    = errors.New("the list's next link leads back to a page that was read")
	errEndless = errors.New("the list goes on with empty pages")
	errHost    = errors.New("the list's next link leads to another host")
)

// Walk reads the list, as mirror.Source says. Each page is read whole before
// any of it is handed over, and a page that fails is asked for again, so no page
// comes in pieces. When Twilio no longer takes the token of the next page, the
// walk begins again at the first: pages come twice then. A PageSize outside 1
// to 1,000 means 1,000. The package comment says what happens to rows that
// cannot be read.
func (a *Account) Walk(ctx context.Context, w mirror.Window, page func([]message.Message) (more bool, err error)) error {
	return a.walk(ctx, a.firstPage(w), page)
}

func (a *Account) walk(ctx context.Context, first string, page func([]message.Message) (more bool, err error)) error {
	walk := &walk{account: a, page: page, reader: newPageReader()}
	for {
		expired, err := walk.run(ctx, first)
		switch {
		case err == nil:
			return walk.unreadable()
		case !expired:
			return err
		case walk.restarts < maxRestarts:
			walk.restarts++
		default:
			fault.Of(err).Class = fault.Transient // the next walk gets new tokens
			return err
		}
	}
}

// firstPage is the list's address. Without a day there is no filter: a filter
// may hide messages whose date_sent is null.
func (a *Account) firstPage(w mirror.Window) string {
	if w.PageSize < 1 || w.PageSize > maxPage {
		w.PageSize = maxPage
	}
	query := url.Values{"PageSize": {strconv.Itoa(w.PageSize)}}
	if !w.Day.IsZero() {
		query.Set("DateSent", w.Day.UTC().Format(time.DateOnly)) // equality is the whole UTC day
	}
	return a.listed(query)
}

func (a *Account) listed(query url.Values) string {
	return "/2010-04-01/Accounts/" + a.sid + "/Messages.json?" + query.Encode()
}

// walk is one way through the list.
type walk struct {
	account  *Account
	page     func([]message.Message) (bool, error)
	reader   *pageReader
	restarts int
	pages    int    // read so far
	bad      int    // rows that could not be read
	firstBad string // place and fault of the first
}

// run reads from link to the end or until page has enough. expired says that
// the error is an invalid page token.
func (w *walk) run(ctx context.Context, link string) (expired bool, err error) {
	followed := map[string]bool{link: true}
	for first, empty := true, 0; ; first = false {
		next, err := w.read(ctx, link)
		if err != nil {
			return !first && fault.CodeOf(err) == strconv.Itoa(codePageToken), err
		}
		more, err := w.page(w.reader.rows)
		if err != nil || !more || next == "" {
			return false, err
		}
		empty++
		if len(w.reader.rows) > 0 || w.reader.bad > 0 {
			empty = 0
		}
		switch {
		case followed[next]:
			return false, w.garbled(errLoop)
		case empty >= maxEmpty:
			return false, w.garbled(errEndless)
		}
		followed[next], link = true, next
	}
}

// read reads the page at link, whole, and answers the link to the next.
func (w *walk) read(ctx context.Context, link string) (next string, err error) {
	err = w.account.repeat(ctx, opList, func(c *call) error {
		resp, err := openapi.NewApiServiceWithClient(c).RequestHandler().Get(apiURL+link, nil, nil, "") //nolint:bodyclose // attempt closes it
		if err != nil {
			return asMissing(err)
		}
		if err := w.reader.read(resp.Body); err != nil {
			return err
		}
		next, err = c.follow(w.reader.next)
		return err
	})
	if err != nil {
		return "", err
	}
	w.pages++
	if w.reader.bad > 0 {
		w.account.metrics.bad.Add(float64(w.reader.bad))
		if w.bad == 0 {
			w.firstBad = fmt.Sprintf("page %d, row %d: %v", w.pages, w.reader.firstAt, w.reader.first)
		}
		w.bad += w.reader.bad
	}
	return next, nil
}

// CodeUnreadableRow says that a list was read to its end but for rows that nobody
// can read.
const CodeUnreadableRow = "UNREADABLE_ROW"

// unreadable is the fault of a walk that had to leave rows out.
func (w *walk) unreadable() error {
	if w.bad == 0 {
		return nil
	}
	text := w.firstBad
	if w.bad > 1 {
		text += fmt.Sprintf(" (and %d more rows)", w.bad-1)
	}
	f := fault.New(fault.Transient, opList.name, fmt.Errorf("%w: %s", errGarbage, text))
	f.Code = CodeUnreadableRow
	f.Hint = "All other messages were read. If it stays, report the row to Twilio's support, or check what stands between here and Twilio."
	return f
}

func (w *walk) garbled(err error) error {
	f := fault.New(fault.Transient, opList.name, fmt.Errorf("%w: page %d: %w", errGarbage, w.pages, err))
	f.Hint = hintBase
	return f
}

// asMissing says of a list that is not there that the set-up is wrong: the list
// of an account's messages always exists.
func asMissing(err error) error {
	if f := fault.Of(err); f != nil && f.Status == 404 && f.Code == "20404" {
		f.Class, f.Hint = fault.Auth, "Check twilio.account_sid: these credentials know no such account."
	}
	return err
}

// follow makes a link to the next page out of next_page_uri, which is relative
// to the host that answered. It is taken as it is, token and all; but it may not
// lead to another host, because the credentials go with it.
func (c *call) follow(next string) (string, error) {
	if next == "" {
		return "", nil
	}
	u, err := c.url.Parse(next)
	if err != nil || u.Scheme != c.url.Scheme || u.Host != c.url.Host || u.User != nil {
		f := fault.New(fault.Transient, c.op.name, fmt.Errorf("%w: %w", errGarbage, errHost))
		f.Hint = hintBase
		return "", f
	}
	path := u.EscapedPath()
	if c.account.base != nil {
		path = strings.TrimPrefix(path, c.account.base.EscapedPath())
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, nil
}
