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
	for _, linked := range []bool{true, false} {
		if err := c.keyed(ctx, p, all, places, linked, outcomes); err != nil {
			return nil, err
		}
		places = slices.DeleteFunc(places, func(at int) bool {
			f := fault.Of(outcomes[at])
			return f == nil || !mayBeLinks(f) || all[at].Person.ID == "" && all[at].Campaign == ""
		})
	}
	return outcomes, s.sidsByKey(ctx, p, all, outcomes)
}

// keyed upserts the records at places by their keys.
func (c *Campaigns) keyed(ctx context.Context, p *plan, all []campaign.Unsent, places []int, linked bool, outcomes []error) error {
	key := p.draft[requestKey]
	w := &write{op: "salesforce upsert", object: p.object, raced: raced, doubt: c.messages.planner.doubt, splits: mostSplits}
	size := salesforce.MaxCollection
	w.send = func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
		if len(records) > salesforce.MaxCollection {
			return c.mass.UpsertMany(ctx, p.object, key, records)
		}
		return c.messages.org.UpsertCollection(ctx, p.object, key, records)
	}
	if c.mass != nil && len(places) >= c.massFrom {
		size = len(places)
	}
	return inParts(places, size, outcomes, func(some []int) ([]error, error) {
		rows := make([]row, len(some))
		for i, at := range some {
			rows[i].record = p.unsent(&all[at], linked)
		}
		return w.all(ctx, rows)
	})
}

// inParts does what is at places in parts. When a part is not done, it and those after
// it have that as their outcome; if it is the first one, it is the error of all.
func inParts(places []int, size int, outcomes []error, do func(some []int) ([]error, error)) error {
	for from := 0; from < len(places); from += size {
		some := places[from:min(from+size, len(places))]
		got, err := do(some)
		switch {
		case err != nil && from == 0:
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

// sidsByKey gives records that were found by their keys their SIDs.
func (s *Messages) sidsByKey(ctx context.Context, p *plan, all []campaign.Unsent, outcomes []error) error {
	places := map[string]int{}
	var keys []string
	for i := range all {
		if all[i].SID != "" && outcomes[i] == nil {
			places[all[i].Key] = i
			keys = append(keys, all[i].Key)
		}
	}
	for some := range slices.Chunk(keys, salesforce.MaxCollection) {
		key := p.draft[requestKey]
		var rows []row
		var at []int
		err := s.each(ctx, soql.Query{Fields: []string{"Id", key}, From: p.object, Where: []string{soql.In(key, some)}}, func(record map[string]any) {
			i, ok := places[textOf(record, key)]
			if !ok {
				return
			}
			id := textOf(record, "Id")
			m := &message.Message{SID: all[i].SID}
			written := p.begin(id, m, func(standard string) bool { return standard == "Message_SID__c" })
			rows, at = append(rows, row{record: append(written, '}'), id: id, sid: all[i].SID}), append(at, i)
		})
		var got []error
		if err == nil {
			got, err = s.byID(ctx, p, rows)
		}
		if err != nil {
			for _, key := range keys {
				outcomes[places[key]] = err
			}
			return nil //nolint:nilerr // it is the outcome of those it concerns
		}
		for i, place := range at {
			outcomes[place] = got[i]
		}
	}
	return nil
}
