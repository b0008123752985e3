package records

import (
	"context"
	"slices"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Record implements campaign.Org. The records are found by their keys, and one that
// has a message after all gets its SID; a record that the mirror has made of that
// message is merged into it. A link that the org does not take is left out.
func (c *Campaigns) Record(ctx context.Context, all []campaign.Unsent) ([]error, error) {
	s := c.messages
	p, err := s.planner.current(ctx)
	switch {
	case err != nil || len(all) == 0:
		return nil, err
	case p.draft[requestKey] == "":
		return nil, lackingField(p.object, s.names.RequestKey)
	}
	outcomes := make([]error, len(all))
	places := make([]int, len(all))
	for i := range places {
		places[i] = i
	}
	k := &keying{Campaigns: c, plan: p, all: all, outcomes: outcomes}
	for _, linked := range []bool{true, false} {
		if err := k.write(ctx, places, linked); err != nil {
			return nil, err
		}
		places = slices.DeleteFunc(places, func(at int) bool {
			f := fault.Of(outcomes[at])
			return f == nil || !mayBeLinks(f) || all[at].Person.ID == "" && all[at].Campaign == ""
		})
	}
	k.sids(ctx)
	return outcomes, nil
}

// keying is one Record under way.
type keying struct {
	*Campaigns
	plan     *plan
	all      []campaign.Unsent
	outcomes []error
}

// write upserts the records at places by their keys. What goes in mass and is not
// taken there is written once more by calls, which say why.
func (k *keying) write(ctx context.Context, places []int, linked bool) (err error) {
	p, key := k.plan, k.plan.draft[requestKey]
	w := &write{op: "salesforce upsert", object: p.object, raced: raced, doubt: k.messages.planner.doubt, splits: mostSplits}
	w.send = func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
		return k.messages.org.UpsertCollection(ctx, p.object, key, records)
	}
	if k.mass != nil && len(places) >= k.massFrom {
		if places, err = k.inMass(ctx, places, linked); err != nil {
			return err
		}
	}
	return inParts(places, salesforce.MaxCollection, k.outcomes, func(some []int) ([]error, error) {
		rows := make([]row, len(some))
		for i, at := range some {
			rows[i].record = p.unsent(&k.all[at], linked)
		}
		return w.all(ctx, rows)
	})
}

// inMass answers which places are left.
func (k *keying) inMass(ctx context.Context, places []int, linked bool) (left []int, err error) {
	rows := make([][]byte, len(places))
	for i, at := range places {
		rows[i] = k.plan.unsent(&k.all[at], linked)
	}
	results, err := k.mass.UpsertMany(ctx, k.plan.object, k.plan.draft[requestKey], rows)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		if k.outcomes[at] = nil; results[i].Err != nil {
			left = append(left, at)
		}
	}
	return left, nil
}

// inParts does what is at places in parts. When a part is not done, it and those after
// it have that as their outcome; if it is the first one of all, it is the error of all.
func inParts(places []int, size int, outcomes []error, do func(some []int) ([]error, error)) error {
	for from := 0; from < len(places); from += size {
		some := places[from:min(from+size, len(places))]
		got, err := do(some)
		switch {
		case err != nil && from == 0 && len(places) == len(outcomes):
			return err
		case err != nil:
			for _, at := range places[from:] {
				outcomes[at] = err
			}
			return nil
		}
		for i, at := range some {
			outcomes[at] = got[i]
		}
	}
	return nil
}

// unsent makes the record of somebody who got no message.
func (p *plan) unsent(u *campaign.Unsent, linked bool) []byte {
	m := &message.Message{
		Status: message.Status(u.Status), Direction: message.OutboundAPI, From: u.From, To: u.To, ServiceSID: u.Service, Body: u.Body,
		ErrorCode: u.ErrorCode, ErrorMessage: u.ErrorMessage,
	}
	record := append(make([]byte, 0, 512), p.head...)
	record = appendField(record, p.draft[requestKey], u.Key)
	for i := range p.fields {
		f := &p.fields[i]
		some := false
		switch f.standard {
		case "To_Number__c", "Their_Number__c":
			some = u.To != ""
		case "From_Number__c":
			some = u.From != ""
		case "Messaging_Service_Sid__c":
			some = u.Service != ""
		case "Status__c", "Direction__c", "Error_Code__c", "Error_Message__c", "Body__c":
			some = true
		}
		if some {
			record = f.write(append(record, f.prefix...), m)
		}
	}
	if linked {
		var people []message.Link
		if u.Person.ID != "" {
			people = []message.Link{u.Person}
		}
		record = p.made.appendLinks(record, people, u.Campaign)
	}
	return append(p.rejected(record, u.RejectedSID), '}')
}

// sids gives records that were found by their keys their SIDs.
func (k *keying) sids(ctx context.Context) {
	places := map[string]int{}
	var keys []string
	for i := range k.all {
		if k.all[i].SID != "" && k.outcomes[i] == nil {
			places[k.all[i].Key] = i
			keys = append(keys, k.all[i].Key)
		}
	}
	for some := range slices.Chunk(keys, salesforce.MaxCollection) {
		rows, at, err := k.found(ctx, some, places)
		var got []error
		if err == nil {
			got, err = k.messages.byID(ctx, k.plan, rows)
		}
		if err != nil {
			for _, key := range some {
				k.outcomes[places[key]] = err
			}
			continue
		}
		for i, place := range at {
			k.outcomes[place] = got[i]
		}
	}
}

// found makes the rows of records by their keys, and tells their places.
func (k *keying) found(ctx context.Context, keys []string, places map[string]int) (rows []row, at []int, err error) {
	p, key := k.plan, k.plan.draft[requestKey]
	q := soql.Query{Fields: []string{"Id", key}, From: p.object, Where: []string{soql.In(key, keys)}}
	err = k.messages.each(ctx, q, func(record map[string]any) {
		i, ok := places[textOf(record, key)]
		if !ok {
			return
		}
		id, sid := textOf(record, "Id"), k.all[i].SID
		written := p.begin(id, &message.Message{SID: sid}, func(standard string) bool { return standard == "Message_SID__c" })
		rows, at = append(rows, row{record: append(written, '}'), id: id, sid: sid}), append(at, i)
	})
	return rows, at, err
}
