package records

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// asks are the statuses by which a record says what is to be done with it.
var asks = []message.Ask{message.AskSend, message.AskDraft, message.AskCancel}

// DraftsPart is the name of the part of drafts.
const DraftsPart = "drafts"

// DraftsPart is the part that reads records which ask for something and have no
// SID: those that have changed, deleted ones as well, in the order in which they
// changed. take gets what there is of them, perhaps again and again.
func (s *Messages) DraftsPart(take func(context.Context, []message.Draft) error) Part {
	var fields *draftColumns // as the org has them at this poll
	return Part{
		Name: DraftsPart, Deleted: true, Changes: true, Refused: s.planner.doubt,
		Prepare: func(ctx context.Context) error {
			p, err := s.planner.current(ctx)
			if err == nil {
				fields = p.draftColumns()
			}
			return err
		},
		Query: func(time.Time) soql.Query {
			q := soql.Query{From: s.names.Object}
			if fields != nil {
				q.Fields = append([]string{"IsDeleted"}, fields.names()...)
				q.Where = []string{soql.In(fields.status, asks), fields.sid + " = null"}
			}
			return q
		},
		Take: func(ctx context.Context, rows []map[string]any) error {
			if len(rows) == 0 {
				return nil
			}
			drafts := make([]message.Draft, len(rows))
			for i, row := range rows {
				var err error
				if drafts[i], err = fields.read(row); err != nil {
					return err
				}
			}
			return take(ctx, drafts)
		},
	}
}

// ReadDrafts reads at most 200 records by their ids, as they are now, in the ids'
// order. One that is gone is Deleted; one that asks for nothing, because it has a
// SID or another status, has no Ask.
func (s *Messages) ReadDrafts(ctx context.Context, ids []string) ([]message.Draft, error) {
	const op = "salesforce query"
	switch {
	case len(ids) == 0:
		return nil, nil
	case len(ids) > salesforce.MaxCollection:
		return nil, fault.New(fault.Permanent, op, fmt.Errorf("%d drafts at once, %d are allowed", len(ids), salesforce.MaxCollection))
	}
	p, err := s.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	fields := p.draftColumns()
	there := make(map[string]message.Draft, len(ids))
	var unreadable error
	q := soql.Query{Fields: append([]string{"Id", "SystemModstamp"}, fields.names()...), From: p.object, Where: []string{soql.In("Id", ids)}}
	err = s.each(ctx, q, func(row map[string]any) {
		d, err := fields.read(row)
		if err != nil {
			unreadable = err
		}
		there[d.ID] = d
	})
	if err == nil {
		err = unreadable
	}
	if err != nil {
		s.planner.doubt(err)
		return nil, err
	}
	drafts := make([]message.Draft, len(ids))
	for i, id := range ids {
		d, found := there[id]
		if !found {
			d = message.Draft{ID: id, Deleted: true}
		}
		drafts[i] = d
	}
	return drafts, nil
}

// draftColumns are the names of what is read of a draft; those that the org lacks
// are empty.
type draftColumns struct {
	sid, status, to, from, service, body    string
	sendAt, media, content, values, ownerID string
}

func (p *plan) draftColumns() *draftColumns {
	return &draftColumns{
		sid: p.names["Message_SID__c"], status: p.names["Status__c"], to: p.names["To_Number__c"], from: p.names["From_Number__c"],
		service: p.names["Messaging_Service_Sid__c"], body: p.names["Body__c"],
		sendAt: p.draft[sendAt], media: p.draft[mediaURL], content: p.draft[contentSID], values: p.draft[contentValues],
		ownerID: p.draft[ownerField],
	}
}

func (c *draftColumns) names() (names []string) {
	for _, name := range []string{c.sid, c.status, c.to, c.from, c.service, c.body, c.sendAt, c.media, c.content, c.values, c.ownerID} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// read makes a Draft of a record. A time that cannot be read is a fault: such a
// record must not count as one that is to be sent at once.
func (c *draftColumns) read(row map[string]any) (message.Draft, error) {
	modified, known := timeOf(row, "SystemModstamp")
	at, timed := timeOf(row, c.sendAt)
	if !known || !timed && row[c.sendAt] != nil {
		return message.Draft{}, &fault.Error{
			Class: fault.Transient, Op: "salesforce query", Code: salesforce.CodeUnreadable,
			Err: fmt.Errorf("a record of %s has a time that cannot be read", textOf(row, "Id")),
		}
	}
	d := message.Draft{
		ID: textOf(row, "Id"), Modified: modified.UTC(), Deleted: row["IsDeleted"] == true, Ask: askOf(textOf(row, c.status)),
		To: textOf(row, c.to), Sender: textOf(row, c.from), Body: textOf(row, c.body), Media: textOf(row, c.media),
		Content: textOf(row, c.content), Values: textOf(row, c.values), Owner: textOf(row, c.ownerID),
	}
	if d.Sender == "" {
		d.Sender = textOf(row, c.service)
	}
	if timed {
		d.SendAt = at.UTC()
	}
	switch {
	case textOf(row, c.sid) != "":
		d.Ask = ""
	case textOf(row, c.status) == message.Uncertain:
		d.Ask = message.AskUncertain
	}
	return d, nil
}

// askOf reads a status without regard to case, as SOQL compares it: "send" that a
// Flow has written is found by the poll, and its author waits for it.
func askOf(status string) message.Ask {
	for _, ask := range asks {
		if strings.EqualFold(status, string(ask)) {
			return ask
		}
	}
	return ""
}
