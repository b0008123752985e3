package mirrortest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// Org is a mirror.Sink in memory. Its zero value is ready.
type Org struct {
	// Latency is how long a call takes; in a synctest bubble it costs nothing.
	Latency time.Duration
	// Refuse, if set, decides about one record: nil takes it.
	Refuse func(message.Message) error
	// Fail, if set, decides about a whole batch. taken reports whether its
	// records are stored all the same: the answer was lost, not the request.
	Fail func(n int) (err error, taken bool)

	mu      sync.Mutex
	records map[message.SID]message.Message
	writes  map[message.SID]int
	links   map[message.SID][]message.Links
	bulks   map[message.SID]string
	drafts  map[string]Draft
	flying  map[message.SID]bool
	overlap int
	calls   int
	asked   int
}

var _ mirror.Sink = (*Org)(nil)

// Upsert implements mirror.Sink.
func (o *Org) Upsert(ctx context.Context, all []mirror.Record) ([]error, error) {
	batch := make([]message.Message, len(all))
	for i := range all {
		batch[i] = *all[i].Message
	}
	o.begin(batch)
	defer o.end(batch)
	if o.Latency > 0 {
		t := time.NewTimer(o.Latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if o.Fail != nil {
		if err, taken := o.Fail(len(batch)); err != nil {
			if taken {
				o.store(all)
			}
			return nil, err
		}
	}
	return o.store(all), nil
}

// Held implements mirror.Sink.
func (o *Org) Held(_ context.Context, sids []message.SID) (map[message.SID]bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked += len(sids)
	there := map[message.SID]bool{}
	for _, sid := range sids {
		if _, ok := o.records[sid]; ok {
			there[sid] = true
		}
	}
	return there, nil
}

// Empty implements mirror.Sink.
func (o *Org) Empty(context.Context) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.records) == 0, nil
}

func (o *Org) begin(batch []message.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.flying == nil {
		o.records, o.writes, o.flying = map[message.SID]message.Message{}, map[message.SID]int{}, map[message.SID]bool{}
		o.links, o.bulks = map[message.SID][]message.Links{}, map[message.SID]string{}
	}
	for _, m := range batch {
		if o.flying[m.SID] {
			o.overlap++
		}
		o.flying[m.SID] = true
	}
}

func (o *Org) end(batch []message.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range batch {
		delete(o.flying, m.SID)
	}
}

func (o *Org) store(batch []mirror.Record) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	outcomes := make([]error, len(batch))
	latest := map[string]time.Time{} // when what is rejected of a draft was made
	for i, r := range batch {
		m := *r.Message
		if o.Refuse != nil {
			if outcomes[i] = o.Refuse(m); outcomes[i] != nil {
				continue
			}
		}
		id := r.ID
		if id == "" {
			id = o.draftOf(m.SID)
		}
		d, there := o.drafts[id]
		switch {
		case r.Rejected && r.ID == "":
			outcomes[i] = fault.New(fault.Permanent, "upsert", errors.New("a rejected message without a record"))
		case there && r.Rejected:
			if last, known := latest[id]; !known || !m.Created.Before(last) {
				d.Rejected, latest[id] = m.SID, m.Created
			}
			o.drafts[id] = d
		case there:
			d.SID, d.Status = m.SID, m.Status
			o.drafts[id] = d
		}
		if r.Rejected {
			continue
		}
		o.records[m.SID] = m
		o.writes[m.SID]++
		if r.Links != nil {
			o.links[m.SID] = append(o.links[m.SID], *r.Links)
			o.bulks[m.SID] = r.Bulk
		}
	}
	return outcomes
}

// Draft is a record that asked to be sent.
type Draft struct {
	SID      message.SID // of the message that it has become
	Rejected message.SID // of the send that Twilio refused, the latest
	Status   message.Status
}

// PutDraft makes a record without a SID.
func (o *Org) PutDraft(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.drafts == nil {
		o.drafts = map[string]Draft{}
	}
	o.drafts[id] = Draft{Status: "Send"}
}

// DeleteDraft deletes that record, whatever it has become.
func (o *Org) DeleteDraft(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.records, o.drafts[id].SID)
	delete(o.drafts, id)
}

// draftOf is the id of the draft that has become a message, if one has.
func (o *Org) draftOf(sid message.SID) string {
	for id, d := range o.drafts {
		if d.SID == sid {
			return id
		}
	}
	return ""
}

// Draft is the record of an id; false when there is none.
func (o *Org) Draft(id string) (Draft, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, ok := o.drafts[id]
	return d, ok
}

// All is what the org holds of messages, one record each.
func (o *Org) All() map[message.SID]message.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[message.SID]message.Message, len(o.records))
	maps.Copy(all, o.records)
	return all
}

// Writes counts how often a record was written.
func (o *Org) Writes(sid message.SID) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes[sid]
}

// Overlaps counts writes of a SID that began while another one of it was in
// flight. There must never be one.
func (o *Org) Overlaps() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overlap
}

// Calls counts batches.
func (o *Org) Calls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

// Links are the links that a record was given, each time that it was given any.
func (o *Org) Links(sid message.SID) []message.Links {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.links[sid])
}

// Bulk is the campaign's record that a record was given when it was made.
func (o *Org) Bulk(sid message.SID) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bulks[sid]
}

// Asked counts the SIDs that Held was asked for.
func (o *Org) Asked() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}
