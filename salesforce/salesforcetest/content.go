package salesforcetest

import (
	"encoding/base64"
	"path"
	"strings"
)

// Files: a ContentVersion holds the bytes, its ContentDocument is what people
// see, ContentDocumentLinks say where.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm

// completeVersion reads off a file's name and bytes what describes it.
func (s *Server) completeVersion(r *record, seq uint32, vals []value) []*Error {
	o := r.obj
	at := func(name string) *value { return &vals[o.field(name).slot] }
	if seq != 0 {
		return nil
	}
	if at("ContentDocumentId").k != kNull && at("FirstPublishLocationId").k != kNull {
		return []*Error{refuse("FIELD_INTEGRITY_EXCEPTION", "You can't set FirstPublishLocationId when a ContentDocumentId is set", "FirstPublishLocationId")}
	}
	base := path.Base(strings.ReplaceAll(at("PathOnClient").s, "\\", "/"))
	ext := strings.TrimPrefix(path.Ext(base), ".")
	if at("Title").k == kNull && at("PathOnClient").k != kNull {
		*at("Title") = textValue(strings.TrimSuffix(base, path.Ext(base)))
	}
	if ext != "" {
		*at("FileExtension") = textValue(ext)
		*at("FileType") = textValue(strings.ToUpper(ext))
	} else {
		*at("FileType") = textValue("UNKNOWN")
	}
	*at("ContentSize") = numberValue(float64(len(at("VersionData").s)))
	*at("IsLatest") = boolValue(true)
	*at("VersionNumber") = textValue("1")
	return nil
}

// publish gives a new version its document: one of its own, linked to its owner
// and to where it is published first, or one that is there already.
func (s *Server) publish(x *tx, seq uint32, fresh bool) []*Error {
	if !fresh {
		return nil
	}
	versions, docs := s.schema.object("ContentVersion"), s.schema.object("ContentDocument")
	vals := make([]value, len(versions.fields))
	unpack(s.table(versions).at(seq).blob, vals)
	at := func(name string) value { return vals[versions.field(name).slot] }
	about := []binding{
		{docs.field("Title"), at("Title")}, {docs.field("FileType"), at("FileType")}, {docs.field("FileExtension"), at("FileExtension")},
		{docs.field("ContentSize"), at("ContentSize")}, {docs.field("LatestPublishedVersionId"), refValue(versions, seq)},
	}
	if doc := at("ContentDocumentId"); doc.k != kNull {
		return s.republish(x, versions, seq, &record{obj: docs, set: about}, doc)
	}
	owner := at("OwnerId")
	made, errs := s.insert(x, &record{obj: docs, set: append(about, binding{docs.field("OwnerId"), owner})}, true)
	if errs != nil {
		return errs
	}
	doc := refValue(docs, made)
	if errs := s.amend(x, versions, seq, binding{versions.field("ContentDocumentId"), doc}); errs != nil {
		return errs
	}
	errs = s.link(x, doc, owner, "I")
	if place := at("FirstPublishLocationId"); errs == nil && place.k != kNull && place != owner {
		errs = s.link(x, doc, place, "V")
	}
	return errs
}

// republish makes a version the latest of a document.
func (s *Server) republish(x *tx, versions *object, seq uint32, about *record, doc value) []*Error {
	t, byDoc := s.table(versions), versions.field("ContentDocumentId")
	older := 0
	for _, other := range append([]uint32(nil), t.indexes[byDoc.slot].find(doc)...) {
		if other == seq {
			continue
		}
		older++
		if errs := s.amend(x, versions, other, binding{versions.field("IsLatest"), boolValue(false)}); errs != nil {
			return errs
		}
	}
	number := string(appendDouble(nil, float64(older+1)))
	if errs := s.amend(x, versions, seq, binding{versions.field("VersionNumber"), textValue(strings.TrimSuffix(number, ".0"))}); errs != nil {
		return errs
	}
	_, at := doc.target()
	return s.update(x, about, at, true)
}

func (s *Server) link(x *tx, doc, place value, share string) []*Error {
	links := s.schema.object("ContentDocumentLink")
	_, errs := s.insert(x, &record{obj: links, set: []binding{
		{links.field("ContentDocumentId"), doc}, {links.field("LinkedEntityId"), place}, {links.field("ShareType"), textValue(share)},
	}}, true)
	return errs
}

// amend sets a field that the org keeps, as part of the write under way: it is
// neither checked nor counted.
func (s *Server) amend(x *tx, o *object, seq uint32, b binding) []*Error {
	t := s.table(o)
	now := *t.at(seq)
	vals := make([]value, len(o.fields))
	unpack(now.blob, vals)
	vals[b.field.slot] = b.v
	now.blob = string(pack(nil, vals))
	x.put(t, seq, now)
	return nil
}

func (s *Server) checkLink(t *table, seq uint32, vals []value) []*Error {
	doc, place := t.obj.field("ContentDocumentId"), t.obj.field("LinkedEntityId")
	if s.pairExists(t, seq, vals, doc, place) {
		return []*Error{refuse("DUPLICATE_VALUE", "A link between this ContentDocument and this record already exists.", doc.name, place.name)}
	}
	return nil
}

// linksNeedFilter is the restriction on queries of ContentDocumentLink.
func linksNeedFilter(o *object, where condition) *Error {
	if o.name != "ContentDocumentLink" || pins(where, "ContentDocumentId") || pins(where, "LinkedEntityId") {
		return nil
	}
	return fail(400, "MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId "+
		"or LinkedEntityId using the equals operator or multiple Id's using the IN operator.")
}

// versionData serves GET /sobjects/ContentVersion/{id}/VersionData: the bytes.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_blob_retrieve.htm
func (c *call) versionData(o *object) (*reply, *Error) {
	seq, err := c.locate(o, c.segs[2])
	if err != nil {
		return nil, err
	}
	f := o.visible(c.segs[3])
	return ok([]byte(c.s.table(o).at(seq).get(f.slot).s)).set("Content-Type", "application/octetstream"), nil
}

// convertBytes reads base64; the row holds the bytes themselves.
func convertBytes(n *node) (value, *Error) {
	data, err := base64.StdEncoding.DecodeString(n.text)
	if n.kind != nodeString || err != nil {
		return value{}, cannotRead("base64Binary", &node{kind: nodeString, text: "...", off: n.off})
	}
	return textValue(string(data)), nil
}
