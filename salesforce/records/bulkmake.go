package records

import (
	"context"
	"errors"
	"strconv"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Make implements campaign.Maker. A record that was made and then deleted is not made
// again; and two who make it at once make one, because the key is unique.
func (c *Campaigns) Make(ctx context.Context, key string, what campaign.Campaign) error {
	p, err := c.shape(ctx)
	switch {
	case err != nil:
		return err
	case !p.has(requestKey):
		return lackingField(bulkObject, requestKey)
	}
	if made, err := c.made(ctx, key); made || err != nil {
		return err
	}
	results, err := c.org.InsertCollection(ctx, [][]byte{asked(p, key, what)})
	if fault.ClassOf(err) == fault.Uncertain {
		return fault.New(fault.Transient, "salesforce insert", err) // the next attempt finds out
	}
	if err != nil {
		c.bulk.doubt(err)
		return err
	}
	f := results[0].Err
	if f == nil {
		return nil
	}
	if f.Code == salesforce.CodeDuplicateValue {
		if made, err := c.made(ctx, key); made || err != nil {
			return err
		}
	}
	c.bulk.doubt(f)
	return worded(bulkObject, f)
}

// made tells whether there is a record with a key, or was.
func (c *Campaigns) made(ctx context.Context, key string) (bool, error) {
	text, err := soql.Query{Fields: []string{"Id"}, From: bulkObject, Where: []string{requestKey + " = " + soql.Quote(key)}, Limit: 1}.Build()
	if err != nil {
		return false, err
	}
	found := false
	outcomes, err := c.org.Queries(ctx, []salesforce.CompositeQuery{{SOQL: text, All: true}}, func(int, map[string]any) error {
		found = true
		return nil
	})
	return found, errors.Join(append(outcomes, err)...)
}

// asked is a new record that asks to be sent.
func asked(p *plan, key string, c campaign.Campaign) []byte {
	dst := p.record(make([]byte, 0, 512))
	for _, f := range []struct{ field, text string }{
		{requestKey, key}, {bulkStatus, string(campaign.Send)}, {bulkCampaign, c.Members}, {bulkListView, c.ListView}, {bulkQuery, c.Query},
		{bulkBody, c.Body}, {mediaURL, c.Media}, {bulkSender, c.Sender},
	} {
		if f.text != "" && p.has(f.field) {
			dst = appendField(dst, f.field, f.text)
		}
	}
	if !c.SendAt.IsZero() {
		dst = with(dst, sendAt, func(dst []byte) []byte { return appendInstant(dst, c.SendAt, datetimeForm) })
	}
	if c.Rate > 0 {
		dst = with(dst, bulkRate, func(dst []byte) []byte { return strconv.AppendFloat(dst, c.Rate, 'f', -1, 64) })
	}
	return append(dst, '}')
}

// lackingField is the fault that an org lacks a field that something cannot do
// without.
func lackingField(object, name string) *fault.Error {
	wrong := schemaProblems{}
	wrong.add(name, "is missing or hidden")
	return wrong.fault(object)
}
