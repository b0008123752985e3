package campaign

import "time"

// Meet merges what was read of a record into its run, nil for none. changed is
// false when it is no news. withdrawn says that what is handed over is to be given
// back, in the same transaction: the run no longer sends.
//
// Draft and Canceled stop what is under way as well: we write neither on the record
// of one that goes on, and nobody expects texts after them.
//
// A record that is set to Send again begins anew, with those who were not sent to:
// whoever was, or may have been, stays as they are.
func Meet(was *Run, c Campaign, now time.Time) (r Run, changed, withdrawn bool) {
	if was == nil {
		return first(c, now)
	}
	r = *was
	switch {
	case c.Modified.Before(r.Campaign.Modified):
		return r, false, false
	case r.Status.Over():
		return again(r, c, now)
	case c.Deleted || c.Command == Cancel || c.Status == Draft || c.Status == Canceled:
		return cancel(r, c, now)
	case c.Command != "":
		return command(r, c, now)
	case r.Status != Scheduled: // nothing but its rate is changed once it has begun
		changed = c.Rate != r.Campaign.Rate
		if changed {
			r.Campaign.Rate, r.Due = c.Rate, now
		}
		return r, changed, false
	case (c.Status == Send || c.Status == Scheduled) && !r.Campaign.asks(c):
		return begin(r, c, now), true, false
	}
	return r, false, false
}

// first is the run of a record that had none.
func first(c Campaign, now time.Time) (r Run, changed, withdrawn bool) {
	if c.Status != Send || c.Deleted {
		return Run{}, false, false
	}
	return begin(Run{Kind: ToSend}, c, now), true, false
}

// again is a run that is over and whose record may ask once more. Until the record
// shows the end, it may still say what it said at first.
func again(r Run, c Campaign, now time.Time) (next Run, changed, withdrawn bool) {
	if c.Status != Send || c.Deleted || r.Untold || !c.Modified.After(r.Campaign.Modified) {
		return r, false, false
	}
	return begin(r, c, now), true, false
}

// command is a run whose record, or an operator, says what to do with it.
func command(r Run, c Campaign, now time.Time) (next Run, changed, withdrawn bool) {
	obeyed := r.heeds(c)
	switch {
	case c.Command == Pause && r.Status != Paused && !obeyed:
		r.Campaign.Modified = c.Modified
		r.heed(c)
		r.Status, r.Due, r.Untold = Paused, now, true
		return r, true, true
	case c.Command == Resume && r.Status == Paused && !obeyed:
		r.Campaign.Modified = c.Modified
		r.heed(c)
		r.Status, r.Due, r.Untold = r.resumed(), now, true
		return r, true, false
	}
	// It is obeyed already, and the record is told so again.
	changed = !r.Untold || !c.Operator && !obeyed
	if !obeyed {
		r.heed(c)
	}
	r.Untold, r.Due = true, now
	return r, changed, false
}

// cancel is a run that sends no more.
func cancel(r Run, c Campaign, now time.Time) (next Run, changed, withdrawn bool) {
	r.Campaign.Modified, r.Campaign.Deleted = c.Modified, c.Deleted
	r.heed(c)
	r.stop(Canceled, now)
	return r, true, true
}

// heeds says whether a record's command is obeyed already: an operator may have said
// another thing since. A Resume that is still to be cleared counts as the one before
// even when the record has changed; a Pause is obeyed once more in doubt.
func (r *Run) heeds(c Campaign) bool {
	h := r.Heeded
	return !c.Operator && c.Command == h.Command && (!c.Modified.After(h.At) || c.Command == Resume && !h.Cleared)
}

func (r *Run) heed(c Campaign) {
	if c.Command != "" && !c.Operator {
		r.Heeded = Heeded{Command: c.Command, At: c.Modified}
	}
}

// asks says whether two readings of a record ask for the same.
func (c Campaign) asks(other Campaign) bool {
	other.Modified, other.Status, other.Command, other.Operator = c.Modified, c.Status, c.Command, c.Operator
	if c.SendAt.Equal(other.SendAt) { // in whatever zone it is written
		other.SendAt = c.SendAt
	}
	return c == other
}

// begin is a run of a campaign from its beginning. It is due at once, whenever it
// is to be sent: its record is to say that it is scheduled.
func begin(r Run, c Campaign, now time.Time) Run {
	return Run{N: r.N, Version: r.Version, Kind: r.Kind, Forgotten: r.Forgotten, Campaign: c, Status: Scheduled, Due: now, Untold: true}
}

// resumed is the status after a pause.
func (r *Run) resumed() Status {
	if r.Started.IsZero() {
		return Scheduled
	}
	return Sending
}

// stop brings a run to its last status.
func (r *Run) stop(s Status, now time.Time) {
	r.Status, r.Ended, r.Due, r.Untold = s, now, now, true
}
