package campaign

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/phone"
)

const (
	// maxBody is how long a text may be, in UTF-16 units.
	// https://www.twilio.com/docs/api/errors/21617
	maxBody = 1600
	// maxMedia is how many files a message carries.
	// https://www.twilio.com/docs/api/errors/21623
	maxMedia = 10
	// firstPause and lastPause bound how long what the org does not answer waits.
	firstPause, lastPause = 2 * time.Second, 5 * time.Minute
)

// problem is why a campaign cannot be sent, for its author.
type problem string

func problemf(format string, args ...any) problem { return problem(fmt.Sprintf(format, args...)) }

// plan is what a campaign's record asks for, checked.
type plan struct {
	body   *Body
	sender string
}

// start begins a campaign that is due. Its record is read once more, because it may
// have been changed since the poll.
func (e *Engine) start(ctx context.Context, d *desk, r *Run) (time.Duration, error) {
	now := time.Now()
	if r.Campaign.SendAt.After(now) {
		return e.untilItsTime(ctx, r)
	}
	changed, err := e.reread(ctx, r)
	switch {
	case err != nil && fault.Of(err) == nil:
		return 0, err
	case err != nil:
		return e.putOff(ctx, r, err)
	case changed:
		return 0, nil
	}
	if now.Sub(cmp.Or(r.Campaign.SendAt, r.Campaign.Modified)) > e.o.LateLimit {
		return 0, e.fail(ctx, r, problemf("Send At: its time passed more than %s ago, which is too late to begin (campaigns.late_limit). Set a new time and Status to Send.", hours(e.o.LateLimit)))
	}
	if r.Forgotten {
		return 0, e.fail(ctx, r, "Status: it was over so long ago that it is no longer known who was sent to, and they would be texted twice. Clone the record and send that.")
	}
	p, wrong, err := e.check(ctx, &r.Campaign)
	if wrong != "" {
		return 0, e.fail(ctx, r, wrong)
	}
	var audience Audience
	if err == nil {
		audience, err = e.Audiences.Prepare(ctx, r.Campaign, p.body.Fields())
	}
	if err != nil {
		return e.unprepared(ctx, r, err)
	}
	e.reading.Over()
	// Whoever was gathered before the campaign began anew is gathered anew.
	if err := e.Recipients.Clear(ctx, r.N, false); err != nil {
		return 0, err
	}
	d.done.Store(false)
	_, err = e.revise(ctx, r, onlyIf(*r, func(r *Run) {
		r.Status, r.Started, r.Due, r.Tries, r.Untold = Sending, now, now, 0, true
		r.Audience, r.Sender = audience, p.sender
	}))
	return 0, err
}

// onlyIf changes a run that is still where it was.
func onlyIf(was Run, change func(r *Run)) func(r *Run) bool {
	return func(r *Run) bool {
		if !r.same(&was) {
			return false
		}
		change(r)
		return true
	}
}

// untilItsTime lets a campaign rest that is for later, once its record says so.
func (e *Engine) untilItsTime(ctx context.Context, r *Run) (time.Duration, error) {
	if r.Untold {
		return min(time.Until(r.Campaign.SendAt), turn), nil
	}
	_, err := e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Due = r.Campaign.SendAt }))
	return 0, err
}

// reread merges a record as it is now. An error that is not classed is the store's.
func (e *Engine) reread(ctx context.Context, r *Run) (changed bool, err error) {
	now, err := e.Org.Read(ctx, []string{r.Campaign.ID})
	if err == nil {
		err = counted(len(now), 1)
	}
	if err != nil {
		return false, classed(err)
	}
	if now[0].Modified.Before(r.Campaign.Modified) { // the time of one that is gone is not known
		now[0].Modified = r.Campaign.Modified
	}
	n, err := e.Runs.Take(ctx, now, time.Now())
	return n > 0, err
}

// classed is an error of the org's, which is one that passes where nobody knows
// better.
func classed(err error) error {
	if fault.Of(err) == nil {
		return fault.New(fault.Transient, "salesforce campaigns", err)
	}
	return err
}

// unprepared is for a campaign whose audience or sender could not be found out.
func (e *Engine) unprepared(ctx context.Context, r *Run, err error) (time.Duration, error) {
	if fault.ClassOf(err) == fault.Permanent {
		return 0, e.fail(ctx, r, problem(inWords(err)))
	}
	return e.putOff(ctx, r, err)
}

// putOff leaves a run alone for a while because the org does not answer.
func (e *Engine) putOff(ctx context.Context, r *Run, err error) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	e.reading.Had(ctx, classed(err))
	pause := fault.RetryIn(r.Tries, firstPause, lastPause, fault.After(err))
	_, err = e.revise(ctx, r, onlyIf(*r, func(r *Run) {
		r.Tries++
		r.Due = time.Now().Add(pause)
	}))
	return 0, err
}

// fail ends a campaign before anybody is sent to. Whoever was gathered is dropped only
// afterwards (sweep): a campaign that goes on must find all of them.
func (e *Engine) fail(ctx context.Context, r *Run, why problem) error {
	ok, err := e.revise(ctx, r, onlyIf(*r, func(r *Run) {
		r.stop(Failed, time.Now())
		r.Problem = string(why)
	}))
	if ok {
		e.ended(r)
	}
	return err
}

// sweep drops those whom a campaign has gathered that failed.
func (e *Engine) sweep(ctx context.Context, _ *desk, r *Run) (time.Duration, error) {
	return idle, e.Recipients.Clear(ctx, r.N, false)
}

// ended tells that a run is over.
func (e *Engine) ended(r *Run) {
	e.metrics.ended.WithLabelValues(string(r.Status)).Inc()
	e.o.Log.Info("campaign over", zap.String("record", r.Campaign.ID), zap.String("status", string(r.Status)),
		zap.Int("accepted", r.Counts.Accepted), zap.Int("left_out", r.Counts.Skipped()))
}

// check reads what a record asks for. An error is Twilio's.
func (e *Engine) check(ctx context.Context, c *Campaign) (plan, problem, error) {
	if wrong := checkAudience(c); wrong != "" {
		return plan{}, wrong, nil
	}
	body, err := ParseBody(c.Body)
	if err != nil {
		return plan{}, problemf("Body: %s.", err), nil
	}
	if wrong := checkText(c, body); wrong != "" {
		return plan{}, wrong, nil
	}
	sender := readSender(cmp.Or(strings.TrimSpace(c.Sender), e.o.Sender), e.o.Country)
	if sender == "" {
		return plan{}, "Sender: none is given, and there is no default. Fill it in, or ask the administrator to set twilio.sender.", nil
	}
	known, err := e.o.Known(ctx, sender)
	if err == nil && !known {
		return plan{}, problemf("Sender: the Twilio account has no number or Messaging Service %s. Correct it, or leave it empty for the default sender.", sender), nil
	}
	return plan{body, sender}, "", err
}

func checkAudience(c *Campaign) problem {
	named := 0
	for _, audience := range []string{c.Members, c.ListView, c.Query} {
		if strings.TrimSpace(audience) != "" {
			named++
		}
	}
	switch named {
	case 0:
		return "Audience: none is named. Fill in one of Campaign, List View Id and Audience Query."
	case 1:
		return ""
	default:
		return problemf("Audience: %d are named. Leave all but one of Campaign, List View Id and Audience Query empty.", named)
	}
}

func checkText(c *Campaign, body *Body) problem {
	media := strings.Fields(c.Media)
	switch {
	case strings.TrimSpace(c.Body) == "" && len(media) == 0:
		return "Body: it is empty, and there is no media URL. Write something and set Status to Send again."
	case len(body.Fields()) == 0 && tooLong(body.Fill(nothing)):
		return problemf("Body: it has more than %d characters, which is what Twilio takes. Shorten it and set Status to Send again.", maxBody)
	case len(media) > maxMedia:
		return problemf("Media URL: there are %d, and Twilio takes %d.", len(media), maxMedia)
	}
	for _, m := range media {
		if u, err := url.Parse(m); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "Media URL: it must be a whole address that begins with https://, and that Twilio can read without logging in."
		}
	}
	return ""
}

// nothing is a value for every field.
func nothing(Field) string { return "" }

func tooLong(text string) bool {
	return len(text) > maxBody && len(utf16.Encode([]rune(text))) > maxBody
}

// readSender is a sender as the outbox knows it.
func readSender(text, country string) string {
	if n, err := phone.Parse(text, country); err == nil {
		return string(n)
	}
	return text
}

// hours is a duration without the zeros behind: 12h, 90m.
func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "0s")
}
