package records

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

const (
	// maxFile is the largest medium that becomes a file, in bytes. Twilio's own
	// largest are 16 MB; Salesforce takes 37.5 MB of base64 in JSON.
	// https://www.twilio.com/docs/messaging/guides/accepted-mime-types
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm
	maxFile = 20 << 20
	// mayStillLand is how long a call whose outcome is unknown may go on inside
	// Salesforce; after that a look tells whether the file is there.
	// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
	mayStillLand = 10 * time.Minute

	fileObject = "ContentVersion"
	opFile     = "salesforce insert file"

	// CodeTooLarge is the code of a medium that is too large for a file.
	CodeTooLarge = "TOO_LARGE"
	hintTooLarge = "Media above 20 MB stay at Twilio; their records link to them."
)

// kept is a child record as the org has it.
type kept struct {
	id      string
	message string // the record it belongs to
	file    string // the document, "" for none that is noted
}

// save makes a file of each medium that has none. A file is titled with the
// Media SID and linked to the message's record, where it is looked for first: a
// crash between its insert and the note of it makes no second one (P2).
func (m *Media) save(ctx context.Context, p *plan, media []attached, outcomes []error) error {
	children, err := m.children(ctx, p, media)
	if err != nil {
		return err
	}
	var pending []attached
	places := map[string]bool{}
	for _, a := range media {
		if c, there := children[a.SID]; there && c.file == "" {
			pending = append(pending, a)
			places[c.message] = true
		}
	}
	if len(pending) == 0 {
		return nil
	}
	files, err := m.filesAt(ctx, places)
	if err != nil {
		return err
	}
	carried, err := m.carryAll(ctx, pending, children, files, outcomes)
	if err != nil {
		return err
	}
	if carried && p.has(m.names.File) {
		files, err = m.filesAt(ctx, places)
	}
	if err == nil {
		err = m.note(ctx, p, pending, children, files)
	}
	if fault.Stopped(ctx, err) {
		return err
	}
	// The batch does not fail for it: of a file that may still land, that would be forgotten.
	for _, a := range pending {
		outcomes[a.of] = worse(outcomes[a.of], err)
	}
	return nil
}

// children finds the records of media.
func (m *Media) children(ctx context.Context, p *plan, media []attached) (map[string]kept, error) {
	sids := make([]string, len(media))
	for i := range media {
		sids[i] = media[i].SID
	}
	fields := []string{"Id", m.names.SID, m.names.Message}
	if p.has(m.names.File) {
		fields = append(fields, m.names.File)
	}
	found := map[string]kept{}
	err := m.query(ctx, soql.Query{Fields: fields, From: m.names.Object, Where: []string{soql.In(m.names.SID, sids)}}, func(row map[string]any) {
		found[textOf(row, p.columns[m.names.SID].Name)] = kept{
			id: textOf(row, "Id"), message: textOf(row, p.columns[m.names.Message].Name), file: textOf(row, p.columns[m.names.File].Name),
		}
	})
	return found, err
}

// filesAt finds the files linked to records, by their titles.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
func (m *Media) filesAt(ctx context.Context, places map[string]bool) (map[string]string, error) {
	var ids []string
	for id := range places {
		ids = append(ids, id)
	}
	found := map[string]string{}
	err := m.query(ctx, soql.Query{
		Fields: []string{"ContentDocumentId", "ContentDocument.Title"}, From: "ContentDocumentLink", Where: []string{soql.In("LinkedEntityId", ids)},
	}, func(row map[string]any) {
		document, _ := row["ContentDocument"].(map[string]any) //nolint:errcheck // nil where it is hidden
		found[textOf(document, "Title")] = textOf(row, "ContentDocumentId")
	})
	return found, err
}

func (m *Media) query(ctx context.Context, q soql.Query, row func(map[string]any)) error {
	if len(q.Where) == 0 {
		return nil
	}
	text, err := q.Build()
	if err != nil {
		return fault.New(fault.Auth, "salesforce query", err)
	}
	return m.org.Query(ctx, text, func(r map[string]any) error {
		row(r)
		return nil
	})
}

// carryAll carries the media over that are no files yet, one after another, so
// that one is in memory at a time. What concerns the account or the org stops it;
// what has been carried by then is noted.
func (m *Media) carryAll(ctx context.Context, pending []attached, children map[string]kept, files map[string]string, outcomes []error) (carried bool, err error) {
	var stopped error
	for _, a := range pending {
		if files[a.SID] != "" {
			continue
		}
		if stopped == nil {
			err := m.carry(ctx, a, children[a.SID].message)
			switch class := fault.ClassOf(err); {
			case fault.Stopped(ctx, err):
				return carried, err
			case err == nil:
				carried = true
				continue
			case class == fault.Auth, class == fault.Throttled:
				stopped = err
			}
			outcomes[a.of] = worse(outcomes[a.of], err)
			continue
		}
		outcomes[a.of] = worse(outcomes[a.of], stopped)
	}
	return carried, nil
}

// carry makes a file of one medium. One that Twilio has no more needs none.
func (m *Media) carry(ctx context.Context, a attached, place string) error {
	body, err := m.body(ctx, a, place)
	if err != nil {
		if errors.Is(err, mirror.ErrGone) {
			return nil
		}
		return err
	}
	_, err = m.org.Do(ctx, salesforce.Call{Op: "insert file", Method: http.MethodPost, Path: "/sobjects/" + fileObject, Body: body})
	f := fault.Of(err)
	if f == nil {
		return err
	}
	with := *f
	with.Hint = hintFor(fileObject, f)
	if f.Class == fault.Uncertain {
		with.After = max(f.After, mayStillLand)
	}
	return &with
}

// body is the record of a file, with the medium's bytes as they come.
func (m *Media) body(ctx context.Context, a attached, place string) ([]byte, error) {
	var body bytes.Buffer
	err := m.source.Content(ctx, a.sid, a.SID, func(contentType string, r io.Reader) error {
		if a.ContentType != "" {
			contentType = a.ContentType
		}
		body.Reset()
		head := append(appendString([]byte(`{"Title":`), a.SID), `,"PathOnClient":`...)
		head = append(appendString(head, a.SID+extension(contentType)), `,"FirstPublishLocationId":`...)
		head = append(appendString(head, place), `,"VersionData":"`...)
		body.Write(head)
		coder := base64.NewEncoder(base64.StdEncoding, &body)
		n, err := io.Copy(coder, io.LimitReader(r, maxFile+1))
		if err != nil {
			return err
		}
		if n > maxFile {
			return &fault.Error{Class: fault.Permanent, Op: opFile, Code: CodeTooLarge, Hint: hintTooLarge, Err: errTooLarge}
		}
		err = coder.Close()
		body.WriteString(`"}`)
		return err
	})
	return body.Bytes(), err
}

var errTooLarge = errors.New("the medium is too large for a file")

// note writes the files' ids to the records of their media.
func (m *Media) note(ctx context.Context, p *plan, pending []attached, children map[string]kept, files map[string]string) error {
	if !p.has(m.names.File) {
		return nil
	}
	var rows [][]byte
	for _, a := range pending {
		if files[a.SID] == "" {
			continue
		}
		dst := with(p.record(nil), "id", func(dst []byte) []byte { return appendString(dst, children[a.SID].id) })
		dst = with(dst, m.names.File, func(dst []byte) []byte { return appendString(dst, files[a.SID]) })
		rows = append(rows, append(dst, '}'))
	}
	// A record that refuses the note is no loss: the file is found by its title.
	_, err := updateAll(ctx, m.org, rows)
	return err
}
