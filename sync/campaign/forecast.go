package campaign

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// failedFor is how long a Campaign whose deliverability could not be found out is left
// alone, though it asks still.
const failedFor = time.Hour

// Forecasting is a Campaign that asks for its deliverability.
type Forecasting struct {
	ID      string
	Keyword string // the id of its opt-in keyword, "" for none
}

// TakeForecasts takes note of Campaigns that ask for their deliverability. It is
// durable when TakeForecasts returns nil, and may be repeated.
func (e *Engine) TakeForecasts(ctx context.Context, all []Forecasting) error {
	if e.Forecasts == nil {
		return nil
	}
	for _, f := range all {
		if err := e.takeForecast(ctx, f); err != nil {
			return err
		}
	}
	if len(all) > 0 {
		e.wake.Ring()
	}
	return nil
}

func (e *Engine) takeForecast(ctx context.Context, f Forecasting) error {
	was, there, err := e.Books.Run(ctx, f.ID, ToForecast)
	if err != nil {
		return err
	}
	now := time.Now()
	switch {
	case !there:
	case !was.Status.Over() && was.Campaign.Keyword == f.Keyword:
		return nil
	case was.Status == Failed && now.Sub(was.Ended) < failedFor:
		return nil
	}
	_, err = e.Runs.Revise(ctx, &Run{
		N: was.N, Version: was.Version, Kind: ToForecast, Status: Scheduled, Due: now,
		Campaign: Campaign{ID: f.ID, Members: f.ID, Keyword: f.Keyword, Status: Send},
	})
	return err // where somebody was faster, it is taken note of
}

// forecast finds a Campaign's deliverability out and writes it.
func (e *Engine) forecast(ctx context.Context, _ *desk, r *Run) (time.Duration, error) {
	err := e.forecastOne(ctx, r)
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err == nil:
		return 0, nil
	case fault.Of(err) == nil && !errors.Is(err, ErrGone):
		return 0, err
	case fault.ClassOf(err) != fault.Permanent && !errors.Is(err, ErrGone):
		return e.putOff(ctx, r, err)
	}
	outcome := "gone"
	if !errors.Is(err, ErrGone) {
		outcome = "refused"
		e.Health.Raise(refused(condForecast, "the deliverability of a Campaign, or will not let its members be read", err))
	}
	e.metrics.written.WithLabelValues("forecast", outcome).Inc()
	return 0, e.close(ctx, r, Failed)
}

// forecastOne goes on with a forecast. Each step is in the ledger before the next, so
// that it can be stopped anywhere.
func (e *Engine) forecastOne(ctx context.Context, r *Run) error {
	if r.Status == Scheduled {
		audience, err := e.Audiences.Prepare(ctx, r.Campaign, nil)
		if err != nil {
			return classed(err)
		}
		if err := e.Recipients.Clear(ctx, r.N, true); err != nil {
			return err
		}
		if ok, err := e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Status, r.Started, r.Audience = Sending, time.Now(), audience })); !ok {
			return err
		}
	}
	if more, err := e.read(ctx, r, nil); more || err != nil {
		return err
	}
	if r.Counted.IsZero() {
		counts, err := e.Results.Count(ctx, r.N)
		if err != nil {
			return err
		}
		if ok, err := e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Counts, r.Counted = counts, time.Now() })); !ok {
			return err
		}
	}
	if err := e.Forecasts.Forecast(ctx, r.Campaign.ID, r.Counts.forecast()); err != nil {
		return classed(err)
	}
	e.org.Over()
	e.Health.Clear(condForecast)
	e.metrics.written.WithLabelValues("forecast", "written").Inc()
	return e.close(ctx, r, Completed)
}

// forecast is what counts say about who can be reached. Those who share a number with
// another are in the total only.
func (c Counts) forecast() Forecast {
	f := Forecast{
		Deliverable: c.Last["delivered"], Undelivered: c.Last["undelivered"], Failed: c.Last["failed"],
		Blocked: c.Last[lastBlocked] + c.LeftOut[Blocked], NoMobile: c.LeftOut[NoNumber] + c.LeftOut[BadNumber],
		NotOptedIn: c.LeftOut[NotOptedIn] + c.LeftOut[OptedOut], Total: c.Total(),
	}
	for last, n := range c.Last {
		switch last {
		case "delivered", "undelivered", "failed", lastBlocked:
		default:
			f.Unknown += n
		}
	}
	return f
}

// close ends a run that is not for sending, and drops whom it has gathered.
func (e *Engine) close(ctx context.Context, r *Run, s Status) error {
	if r.Export != "" {
		if err := e.Audiences.Finish(ctx, r.Export); err != nil { // it expires by itself
			e.o.Log.Info("an export was not given up", zap.String("record", r.Campaign.ID), zap.Error(err))
		}
	}
	if err := e.Recipients.Clear(ctx, r.N, true); err != nil {
		return err
	}
	_, err := e.revise(ctx, r, onlyIf(*r, func(r *Run) { r.Status, r.Ended, r.Due, r.Export = s, time.Now(), Never, "" }))
	return err
}

// clear ends a run that nobody works on any more.
func (e *Engine) clear(ctx context.Context, _ *desk, r *Run) (time.Duration, error) {
	if _, busy := e.previewing.Load(r.Campaign.ID); busy && r.Kind == ToPreview {
		return turn, nil
	}
	return 0, e.close(ctx, r, Canceled)
}
