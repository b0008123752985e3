package salesforcetest

import (
	"encoding/base64"
	"path"
	"strings"
)

// anyObject is what a reference that may lead to a record of any object refers to.
const anyObject = "*"

const (
	contentVersion = "ContentVersion"
	// maxBase64 is how much a file's data may be in a JSON request.
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm
	maxBase64 = 37_500_000
)

// checkFile refuses a file whose data cannot be read.
func checkFile(o *object, vals []value) []*Error {
	if o.name != contentVersion {
		return nil
	}
	data := vals[o.field("VersionData").slot].s
	if _, err := base64.StdEncoding.DecodeString(data); err != nil {
		return []*Error{refuse("JSON_PARSER_ERROR", "VersionData: not base64Binary", "VersionData")}
	}
	if len(data) > maxBase64 {
		return []*Error{refuse("STRING_TOO_LONG", "Version Data: data value too large", "VersionData")}
	}
	return nil
}

// publish makes the document of a new version and links it to its first
// location, as the org does by itself.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm
func (s *Server) publish(x *tx, t *table, seq uint32) []*Error {
	o := t.obj
	vals := make([]value, len(o.fields))
	unpack(t.at(seq).blob, vals)
	at := func(name string) value { return vals[o.field(name).slot] }
	data := at("VersionData").s
	size := base64.StdEncoding.DecodedLen(len(data)) - strings.Count(data, "=")
	extension := textValue(strings.TrimPrefix(path.Ext(at("PathOnClient").s), "."))
	if extension.s == "" {
		extension = value{}
	}
	made := func(object string, values map[string]value) (uint32, []*Error) {
		r := &record{obj: s.schema.object(object)}
		for name, v := range values {
			r.set = append(r.set, binding{r.obj.field(name), v})
		}
		return s.insert(x, r, true)
	}
	doc, errs := made("ContentDocument", map[string]value{
		"Title": at("Title"), "FileExtension": extension, "ContentSize": numberValue(float64(size)), "LatestPublishedVersionId": refValue(o, seq),
	})
	if errs != nil {
		return errs
	}
	document := refValue(s.schema.object("ContentDocument"), doc)
	own := &record{obj: o, set: []binding{
		{o.field("ContentDocumentId"), document}, {o.field("FileExtension"), extension}, {o.field("ContentSize"), numberValue(float64(size))},
	}}
	if errs := s.update(x, own, seq, true); errs != nil {
		return errs
	}
	if at("FirstPublishLocationId").k == kNull {
		return nil
	}
	_, errs = made("ContentDocumentLink", map[string]value{"ContentDocumentId": document, "LinkedEntityId": at("FirstPublishLocationId")})
	return errs
}
