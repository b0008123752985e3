package campaign

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

const (
	// samples are so many texts of a preview.
	samples = 5
	// previewFor is after what time a preview is cleared away whose maker is gone.
	previewFor = time.Hour
)

// ErrPreviewed says that a preview of the record is being made by another.
var ErrPreviewed = errors.New("a preview of this campaign is being made already")

// Previewed is what a campaign would do now.
type Previewed struct {
	Record   string         `json:"record"`
	Name     string         `json:"name,omitzero"`
	Sender   string         `json:"sender,omitzero"` // masked
	Audience int            `json:"audience"`        // everybody
	Sent     int            `json:"sent"`            // how many of them would be sent to
	LeftOut  map[Reason]int `json:"left_out"`
	Estimate Estimate       `json:"estimate"`
	Samples  []Sample       `json:"samples"`
	// Problems are why it could not be sent, or what to look at before it is.
	Problems []string `json:"problems"`
}

// Sample is one text of a campaign.
type Sample struct {
	To   string `json:"to"` // masked
	Text string `json:"text"`
}

// Preview reads a campaign's record and its audience, and says what would be sent to
// whom. Nothing is sent, nothing is written to the org, and nothing is kept.
func (e *Engine) Preview(ctx context.Context, record string) (Previewed, error) {
	if _, busy := e.previewing.LoadOrStore(record, true); busy {
		return Previewed{}, ErrPreviewed
	}
	defer e.previewing.Delete(record)
	read, err := e.Org.Read(ctx, []string{record})
	if err == nil {
		err = counted(len(read), 1)
	}
	switch {
	case err != nil:
		return Previewed{}, err
	case read[0].Deleted:
		return Previewed{}, ErrGone
	}
	shown := Previewed{Record: record, Name: read[0].Name, LeftOut: map[Reason]int{}, Samples: []Sample{}, Problems: []string{}}
	r, wrong, err := e.rehearse(ctx, read[0])
	if fault.ClassOf(err) == fault.Permanent {
		wrong, err = problem(inWords(err)), nil
	}
	if wrong != "" || err != nil {
		shown.Problems = append(shown.Problems, string(wrong))
		return shown, err
	}
	defer func() {
		late, release := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer release()
		if err := e.close(late, r, Completed); err != nil {
			e.storeTrouble(late, err) // what is left is cleared away in an hour
		}
	}()
	err = e.show(ctx, r, &shown)
	return shown, err
}

// rehearse makes a run of a record's preview.
func (e *Engine) rehearse(ctx context.Context, c Campaign) (*Run, problem, error) {
	p, wrong, err := e.check(ctx, &c)
	if wrong != "" || err != nil {
		return nil, wrong, err
	}
	audience, err := e.Audiences.Prepare(ctx, c, p.body.Fields())
	if err != nil {
		return nil, "", classed(err)
	}
	was, there, err := e.Books.Run(ctx, c.ID, ToPreview)
	if err == nil && there {
		err = e.Recipients.Clear(ctx, was.N, true)
	}
	if err != nil {
		return nil, "", err
	}
	now := time.Now()
	r := &Run{
		N: was.N, Version: was.Version, Kind: ToPreview, Campaign: c, Status: Sending, Due: now.Add(previewFor), Started: now,
		Audience: audience, Sender: p.sender,
	}
	ok, err := e.Runs.Revise(ctx, r)
	if err == nil && !ok {
		err = ErrPreviewed
	}
	return r, "", err
}

// show gathers the audience of a preview and says what it has found.
func (e *Engine) show(ctx context.Context, r *Run, into *Previewed) error {
	more, err := e.read(ctx, r, into.sample(r))
	switch {
	case fault.ClassOf(err) == fault.Permanent:
		into.Problems = append(into.Problems, inWords(err))
		return nil
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case more:
		return ErrPreviewed
	}
	counts, err := e.Results.Count(ctx, r.N)
	if err != nil {
		return err
	}
	into.Sender = maskSender(r.Sender)
	into.Audience, into.Sent, into.LeftOut = counts.Total(), counts.Waiting, counts.LeftOut
	into.Estimate = r.Estimate.of(counts.Waiting)
	into.Estimate.Duration = Lasts(counts.Waiting, e.pace(r))
	counts.LeftOut = into.LeftOut
	if over := (&Run{Counts: counts}); counts.Waiting == 0 {
		over.complete(time.Now())
		into.Problems = append(into.Problems, over.Problem)
	}
	if r.Problem != "" {
		into.Problems = append(into.Problems, r.Problem)
	}
	return nil
}

// sample keeps the first texts of pages.
func (p *Previewed) sample(r *Run) func([]Recipient) {
	seen := map[message.Number]bool{}
	return func(page []Recipient) {
		for i := range page {
			to := &page[i]
			if len(p.Samples) == samples {
				return
			}
			if to.Reason != "" || seen[to.Number] {
				continue
			}
			seen[to.Number] = true
			p.Samples = append(p.Samples, Sample{phone.Mask(to.Number), r.Draft(to, time.Time{}).Body})
		}
	}
}

// of is an estimate that was added up before those were found who share a number,
// brought to how many recipients there are.
func (e Estimate) of(recipients int) Estimate {
	if e.Recipients == 0 || recipients == e.Recipients {
		return e
	}
	share := float64(recipients) / float64(e.Recipients)
	scaled := func(n int) int { return int(math.Round(float64(n) * share)) }
	e.Segments, e.GSM7, e.UCS2, e.SecondSegment = scaled(e.Segments), scaled(e.GSM7), scaled(e.UCS2), scaled(e.SecondSegment)
	e.Recipients, e.Cost = recipients, e.Cost*share
	return e
}
