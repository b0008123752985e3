package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// MediaNames are the API names of the media object and its fields. An empty one
// takes the name that deploy/salesforce ships.
type MediaNames struct {
	Object  string // TwilioSF_Media__c
	SID     string // Media_SID__c: external id, unique
	Message string // Message__c: master-detail, or a lookup, to Parent
	Type    string // Content_Type__c, optional
	URL     string // Url__c, optional
	File    string // File_Id__c, optional: the file in Salesforce
	// Parent and Key are the message object and its field of the Message SID.
	Parent string
	Key    string
}

func (n MediaNames) withDefaults() MediaNames {
	for _, d := range []struct {
		name     *string
		standard string
	}{
		{&n.Object, "TwilioSF_Media__c"}, {&n.SID, "Media_SID__c"}, {&n.Message, "Message__c"}, {&n.Type, "Content_Type__c"},
		{&n.URL, "Url__c"}, {&n.File, "File_Id__c"}, {&n.Parent, standardObject}, {&n.Key, "Message_SID__c"},
	} {
		if *d.name == "" {
			*d.name = d.standard
		}
	}
	return n
}

// MediaSource is the Twilio account as the media's writer reads it.
type MediaSource interface {
	// Media lists a message's media. A message that Twilio has no more has none,
	// which is nil; an empty list of another may be too early.
	Media(ctx context.Context, sid message.SID) ([]message.Media, error)
	// Content hands the bytes of a medium to into, from the beginning each time it
	// has to try again; mirror.ErrGone when Twilio has it no more.
	Content(ctx context.Context, sid message.SID, medium string, into func(contentType string, r io.Reader) error) error
}

// MediaOrg is what the media's writer needs of an org.
type MediaOrg interface {
	Org
	Updater
	Query(ctx context.Context, soql string, row func(map[string]any) error) error
	Do(ctx context.Context, c salesforce.Call) ([]byte, error)
}

// MediaOptions say how media are kept.
type MediaOptions struct {
	Names MediaNames
	// Files saves each medium to Salesforce Files as well.
	Files bool
}

// Media makes one child record per medium of a message, and saves its bytes as a
// file where that is wanted.
type Media struct {
	org     MediaOrg
	source  MediaSource
	names   MediaNames
	files   bool
	planner *planner
}

var (
	_ followup.Doer    = (*Media)(nil)
	_ followup.Limiter = (*Media)(nil)
	_ MediaOrg         = (*salesforce.Org)(nil)
)

// NewMedia calls nobody.
func NewMedia(org MediaOrg, source MediaSource, o MediaOptions) (*Media, error) {
	n := o.Names.withDefaults()
	var faults []error
	for _, name := range []string{n.Object, n.SID, n.Message, n.Type, n.URL, n.File, n.Parent, n.Key} {
		if !apiName.MatchString(name) {
			faults = append(faults, fmt.Errorf("records: the media's name %q is no API name", name))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	ids := append([]string{"reference"}, textTypes...)
	return &Media{org: org, source: source, names: n, files: o.Files, planner: plannerOf(org, n.Object, shapeOf(n.Object, true, []wanted{
		{name: n.SID, types: textTypes, required: true, key: true},
		{name: n.Message, types: []string{"reference"}, to: n.Parent, required: true, once: true},
		{name: n.Type, types: textTypes},
		{name: n.URL, types: textTypes},
		{name: n.File, types: ids},
	}))}, nil
}

const (
	// mediaLimit is how many messages one turn takes, whose media are asked for one
	// by one.
	mediaLimit = 50
	// filesLimit is the same where each medium is carried over.
	filesLimit = 10
)

// Limit implements followup.Limiter.
func (m *Media) Limit() int {
	if m.files {
		return filesLimit
	}
	return mediaLimit
}

// attached is one medium on its way.
type attached struct {
	message.Media
	sid message.SID // of its message
	of  int         // the follow-up it belongs to
}

// Do implements followup.Doer. A child names its message by the Message SID, and
// is written by its own, so that it may be written again and stays one record.
func (m *Media) Do(ctx context.Context, batch []message.FollowUp) ([]error, error) {
	plan, err := m.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(batch))
	children, err := m.gather(ctx, batch, outcomes)
	if err != nil {
		return nil, err
	}
	results, err := m.write(ctx, plan, children)
	if err != nil {
		return nil, err
	}
	var saved []attached
	for i, err := range results {
		if err == nil {
			saved = append(saved, children[i])
			continue
		}
		at := children[i].of
		outcomes[at] = worse(outcomes[at], parentMissing(err))
	}
	if m.files {
		err = m.save(ctx, plan, saved, outcomes)
	}
	return outcomes, err
}

// gather lists the media of each message, those that nobody knows by asking
// Twilio. What concerns the account ends the batch.
func (m *Media) gather(ctx context.Context, batch []message.FollowUp, outcomes []error) ([]attached, error) {
	var all []attached
	seen := map[string]bool{} // a row must not come twice in a call
	for i := range batch {
		sid, media := message.SID(batch[i].Key), batch[i].Media
		if media == nil || slices.ContainsFunc(media, func(medium message.Media) bool { return medium.SID == "" }) {
			var err error
			media, err = m.source.Media(ctx, sid)
			switch class := fault.ClassOf(err); {
			case class == fault.Auth, class == fault.Throttled, fault.Stopped(ctx, err):
				return nil, err
			case err != nil:
				outcomes[i] = err
				continue
			case media != nil && len(media) == 0:
				outcomes[i] = fault.New(fault.Transient, "twilio list media", followup.ErrNothingYet)
				continue
			}
		}
		for _, medium := range media {
			if !seen[medium.SID] {
				seen[medium.SID] = true
				all = append(all, attached{Media: medium, sid: sid, of: i})
			}
		}
	}
	return all, nil
}

// write upserts the children. Where a record keeps its parent for ever (a
// master-detail that does not allow reparenting), one that is there already
// refuses to be told its parent again, and is written without.
func (m *Media) write(ctx context.Context, p *plan, children []attached) ([]error, error) {
	rows := make([][]byte, len(children))
	for i := range children {
		rows[i] = m.child(p, &children[i], true)
	}
	results, err := upsertAll(ctx, m.org, p, m.planner.doubt, rows)
	if err != nil || p.columns[m.names.Message].Updateable {
		return results, err
	}
	var again []int
	var orphans [][]byte
	for i := range results {
		if fault.CodeOf(results[i]) == salesforce.CodeReadOnlyField {
			again = append(again, i)
			orphans = append(orphans, m.child(p, &children[i], false))
		}
	}
	some, err := upsertAll(ctx, m.org, p, m.planner.doubt, orphans)
	for n, i := range again {
		if err == nil {
			results[i] = some[n]
		}
	}
	return results, err
}

func (m *Media) child(p *plan, a *attached, withParent bool) []byte {
	dst := p.record(nil)
	dst = p.withText(dst, m.names.SID, a.SID)
	dst = p.withText(dst, m.names.Type, a.ContentType)
	dst = p.withText(dst, m.names.URL, a.URL)
	if !withParent {
		return append(dst, '}')
	}
	dst = with(dst, p.columns[m.names.Message].RelationshipName, func(dst []byte) []byte {
		dst = append(append(append(dst, `{"`...), m.names.Key...), `":`...)
		return append(appendString(dst, string(a.sid)), '}')
	})
	return append(dst, '}')
}

// parentMissing tells a message that is not in the org from a field that is not:
// Salesforce has one code for both, and the wire has told them apart by class.
func parentMissing(err error) error {
	f := fault.Of(err)
	if f == nil || f.Class != fault.Permanent || f.Code != salesforce.CodeInvalidField && f.Code != "INVALID_CROSS_REFERENCE_KEY" {
		return err
	}
	late := *f
	late.Class, late.Hint, late.Err = fault.Transient, "", followup.ErrNoParent
	return &late
}

// upsertAll writes any number of rows, as many in a call as Salesforce takes.
func upsertAll(ctx context.Context, org Org, p *plan, doubt func(error), rows [][]byte) ([]error, error) {
	outcomes := make([]error, 0, len(rows))
	for from := 0; from < len(rows); from += mirror.BatchSize {
		w := &write{
			op: "salesforce upsert", object: p.object, raced: raced, doubt: doubt, splits: mostSplits,
			send: func(ctx context.Context, records [][]byte) ([]salesforce.RowResult, error) {
				return org.UpsertCollection(ctx, p.object, p.key, records)
			},
		}
		var batch []row
		for _, r := range rows[from:min(from+mirror.BatchSize, len(rows))] {
			batch = append(batch, row{record: r})
		}
		some, err := w.all(ctx, batch)
		if err != nil {
			return nil, aboutTheCall(err)
		}
		outcomes = append(outcomes, some...)
	}
	return outcomes, nil
}

// aboutTheCall keeps a refusal that is about the call and not about its records
// from being taken as a verdict on them.
func aboutTheCall(err error) error {
	f := fault.Of(err)
	if f == nil || f.Class != fault.Permanent {
		return err
	}
	again := *f
	again.Class = fault.Transient
	return &again
}

// worse is the one of two outcomes that counts for both: what may pass is worth
// another attempt, which settles the other too.
func worse(a, b error) error {
	if a == nil || b != nil && fault.ClassOf(a) == fault.Permanent {
		return b
	}
	return a
}
