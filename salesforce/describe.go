package salesforce

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// Object is what the logged-in user may see and do with an object. Fields that
// field-level security hides are not there.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
type Object struct {
	Name       string  `json:"name"`
	Label      string  `json:"label"`
	KeyPrefix  string  `json:"keyPrefix"`
	Createable bool    `json:"createable"`
	Updateable bool    `json:"updateable"`
	Deletable  bool    `json:"deletable"`
	Queryable  bool    `json:"queryable"`
	Fields     []Field `json:"fields"`
	// Children are lookups and master-details of other objects that lead here.
	Children []Child `json:"childRelationships"`
}

// Child is a field of another object that leads to an Object.
type Child struct {
	Object        string `json:"childSObject"`
	Field         string `json:"field"`
	CascadeDelete bool   `json:"cascadeDelete"` // its records are deleted with their parent
}

// Field is one field of an Object.
type Field struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	// Type is Salesforce's name of it: string, textarea, picklist, double,
	// currency, int, datetime, boolean, reference, phone, ...
	Type string `json:"type"`
	// Length is in characters, for the text types.
	Length    int `json:"length"`
	Precision int `json:"precision"`
	Scale     int `json:"scale"`

	Createable    bool `json:"createable"`
	Updateable    bool `json:"updateable"`
	Nillable      bool `json:"nillable"`
	Defaulted     bool `json:"defaultedOnCreate"`
	ExternalID    bool `json:"externalId"`
	IDLookup      bool `json:"idLookup"`
	Unique        bool `json:"unique"`
	CaseSensitive bool `json:"caseSensitive"`
	Filterable    bool `json:"filterable"`
	Sortable      bool `json:"sortable"`

	Picklist           []PicklistValue `json:"picklistValues"`
	RestrictedPicklist bool            `json:"restrictedPicklist"`
	ReferenceTo        []string        `json:"referenceTo"`
	RelationshipName   string          `json:"relationshipName"`
}

// PicklistValue is one value of a picklist field.
type PicklistValue struct {
	Value  string `json:"value"`
	Active bool   `json:"active"`
}

// Field finds a field by its API name, whose case does not matter.
func (o *Object) Field(name string) (Field, bool) {
	for _, f := range o.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// Describe reads an object's fields as the logged-in user sees them. An object
// that is missing or hidden is a fault of class Auth and code NOT_FOUND.
func (o *Org) Describe(ctx context.Context, object string) (Object, error) {
	if !plainName(object) {
		return Object{}, fault.New(fault.Permanent, opName("describe"), errors.New("the object's name is no API name"))
	}
	var d Object
	err := o.read(ctx, "describe", "/sobjects/"+object+"/describe", &d)
	return d, err
}

// read makes a GET and decodes its answer.
func (o *Org) read(ctx context.Context, op, path string, into any) error {
	data, err := o.Do(ctx, Call{Op: op, Method: http.MethodGet, Path: path, Repeatable: true})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return unreadable(op, errors.New("the answer is JSON of another form"))
	}
	return nil
}
