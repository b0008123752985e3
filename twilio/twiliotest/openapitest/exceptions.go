package openapitest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// What follows is every point in which the documents are not taken at their
// word.

// undocumented is a form field that only the documents' examples have.
const undocumented = "Tags"

// relax takes the date-time format off the date filters: the documents' own
// text and examples ask for bare dates (2026-01-31) there. A form field of any
// type becomes text, which is all that a form can hold.
func relax(item *openapi3.PathItem) {
	for _, op := range item.Operations() {
		for _, field := range formOf(op) {
			if field.Value != nil && field.Value.Type == nil && field.Ref == "" {
				field.Value.Type = &openapi3.Types{openapi3.TypeString}
			}
		}
		for _, p := range op.Parameters {
			if p.Value.In == "query" && strings.HasPrefix(p.Value.Name, "Date") {
				bare := *p.Value.Schema.Value
				bare.Format = ""
				p.Value.Schema = openapi3.NewSchemaRef("", &bare)
			}
		}
	}
}

// outside are addresses beside the documents: a media resource without .json
// leads by redirect to its bytes, in a file store:
// https://www.twilio.com/docs/messaging/api/media-resource
func outside(path string) bool {
	return strings.HasPrefix(path, "/media-store/") ||
		strings.Contains(path, "/Media/") && !strings.HasSuffix(path, ".json")
}

// whole wants every property of the schema to be there and no other: the
// documents require none, yet Twilio always writes them all, as null if need be.
func whole(op *openapi3.Operation, status int, answer []byte) error {
	resp := op.Responses.Status(status)
	if resp == nil || resp.Value.Content.Get("application/json") == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(answer, &value); err != nil {
		return fmt.Errorf("response: %w", err)
	}
	return complete("response", resp.Value.Content.Get("application/json").Schema.Value, value)
}

func complete(at string, schema *openapi3.Schema, value any) error {
	switch v := value.(type) {
	case map[string]any:
		if len(schema.Properties) == 0 {
			return nil // a free map
		}
		for name, property := range schema.Properties {
			inner, ok := v[name]
			if !ok {
				return fmt.Errorf("%s lacks %q", at, name)
			}
			if err := complete(at+"."+name, property.Value, inner); err != nil {
				return err
			}
		}
		for name := range v {
			if schema.Properties[name] == nil {
				return fmt.Errorf("%s has %q, which the document has not", at, name)
			}
		}
	case []any:
		for i, inner := range v {
			if err := complete(fmt.Sprintf("%s[%d]", at, i), schema.Items.Value, inner); err != nil {
				return err
			}
		}
	}
	return nil
}
