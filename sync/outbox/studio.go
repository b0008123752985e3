package outbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	// flowEvery is how often the status of a flow is asked for in its first hour,
	// flowLater after that, until followFor has passed.
	flowEvery, flowLater = time.Minute, 15 * time.Minute
	followFor            = 24 * time.Hour
)

// TakeRequests is Take for requests of flows.
func (o *Outbox) TakeRequests(ctx context.Context, all []message.StudioRequest) error {
	if len(all) == 0 || o.Requests == nil {
		return nil
	}
	n, err := o.Requests.TakeRequests(ctx, all, time.Now())
	if n > 0 {
		o.flows.Ring()
	}
	return err
}

// flowTurn starts, follows and writes back what is due. A stop begins nothing new:
// work, which outlives it, is for the call under way.
func (o *Outbox) flowTurn(ctx, work context.Context) (time.Duration, error) {
	batch, err := o.Requests.DueRequests(ctx, time.Now(), BatchSize)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return until(o.Requests.NextRequest(ctx))
	}
	var write []Request
	for i := range batch {
		r := batch[i]
		switch {
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		case r.Unwritten:
			write = append(write, r)
		case r.State == Starting: // by a process that was killed, or whose store refused
			_, err = o.Requests.ReviseRequests(ctx, []Request{Lost(r, time.Now())})
		case r.State == Asked:
			err = o.startFlow(work, r)
		case r.State == Running:
			err = o.followFlow(work, r)
		default:
			r.Due = time.Time{}
			_, err = o.Requests.ReviseRequests(ctx, []Request{r})
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, o.writeFlows(work, write)
}

// startFlow starts one: intent, call, outcome. There is no list to look one up in
// by what was asked, so what is uncertain stays so, for a human.
func (o *Outbox) startFlow(ctx context.Context, r Request) error {
	now := time.Now()
	to, from, f := checkedRequest(&r.Request, o.o.Country)
	if f != nil {
		r.end(flowFailed, f.Text, now)
		o.metrics.flows.WithLabelValues("refused").Inc()
		_, err := o.Requests.ReviseRequests(ctx, []Request{r})
		return err
	}
	r.State = Starting
	if n, err := o.Requests.ReviseRequests(ctx, []Request{r}); err != nil || n == 0 {
		return err
	}
	r.Version++
	sid, status, err := o.Studio.Execute(ctx, strings.TrimSpace(r.Request.Flow), to, from, strings.TrimSpace(r.Request.Parameters))
	if err == nil && sid == "" {
		err = fault.New(fault.Uncertain, "twilio start flow", errNoSID)
	}
	o.flowStarted(&r, sid, status, err)
	// Where the store never takes it, the intent stands: it is uncertain.
	return o.insist(ctx, func() error {
		_, err := o.Requests.ReviseRequests(context.WithoutCancel(ctx), []Request{r})
		return err
	})
}

func (o *Outbox) flowStarted(r *Request, sid, status string, err error) {
	now := time.Now()
	class := fault.ClassOf(err)
	if err != nil && fault.Of(err) == nil {
		class = fault.Uncertain
	}
	switch class {
	case 0:
		o.answered()
		o.metrics.flows.WithLabelValues("started").Inc()
		r.State, r.Started, r.Due, r.Unwritten = Running, now, now, true
		r.Result = message.StudioResult{ID: r.Request.ID, Execution: sid, Status: status}
		if status == "" {
			r.Result.Status = flowActive
		}
		if r.Result.Status == flowEnded {
			r.State = Over
		}
	case fault.Permanent:
		o.refused(0, err)
		o.metrics.flows.WithLabelValues("refused").Inc()
		r.end(flowFailed, refusedByTwilio(err).ErrorMessage, now)
	case fault.Uncertain:
		o.metrics.flows.WithLabelValues("uncertain").Inc()
		*r = Lost(*r, now)
	default:
		o.twilio.Had(context.Background(), err)
		r.State = Asked
		r.Due = now.Add(max(time.Second<<min(r.Tries, 6), fault.After(err)))
		r.Tries++
	}
}

// followFlow asks how one is getting on.
func (o *Outbox) followFlow(ctx context.Context, r Request) error {
	now := time.Now()
	status, err := o.Studio.Execution(ctx, strings.TrimSpace(r.Request.Flow), r.Result.Execution)
	switch {
	case fault.ClassOf(err) == fault.Permanent: // Twilio no longer has it
		r.State, r.Due = Over, time.Time{}
	case err != nil:
		o.listing.Had(ctx, err)
		r.Due = now.Add(max(flowEvery, fault.After(err)))
	default:
		o.listing.Over()
		if status != "" && status != r.Result.Status {
			r.Result.Status, r.Unwritten = status, true
		}
		r.Due = now
		if status == flowEnded || now.Sub(r.Started) > followFor {
			r.State = Over
		}
		if !r.Unwritten {
			r.Due = r.follow(now)
		}
	}
	_, err = o.Requests.ReviseRequests(ctx, []Request{r})
	return err
}

// follow is when a flow is asked about next, zero for never.
func (r *Request) follow(now time.Time) time.Time {
	switch {
	case r.State != Running:
		return time.Time{}
	case now.Sub(r.Started) < time.Hour:
		return now.Add(flowEvery)
	default:
		return now.Add(flowLater)
	}
}

func (o *Outbox) writeFlows(ctx context.Context, batch []Request) error {
	if len(batch) == 0 {
		return nil
	}
	results := make([]message.StudioResult, len(batch))
	for i := range batch {
		results[i] = batch[i].Result
	}
	outcomes, err := o.Org.WriteStudio(ctx, results)
	if err != nil {
		o.org.Had(ctx, err)
		outcomes = make([]error, len(batch))
		for i := range outcomes {
			outcomes[i] = err
		}
	} else {
		o.org.Over()
	}
	now := time.Now()
	var refusal error
	for i := range batch {
		r := &batch[i]
		r.Refused = false
		switch err := outcomes[i]; {
		case err == nil, errors.Is(err, ErrGone):
			r.Unwritten, r.Tries, r.Unshown = false, 0, err != nil
			r.Due = r.follow(now)
		case fault.ClassOf(err) == fault.Permanent:
			refusal, r.Refused = err, true
			r.Due = now.Add(refusedAgain)
		default:
			r.Due = now.Add(max(time.Second<<min(r.Tries, 6), fault.After(err)))
			r.Tries++
		}
	}
	if _, err = o.Requests.ReviseRequests(ctx, batch); err != nil {
		return err
	}
	return o.tellRefusals(ctx, refusal)
}
