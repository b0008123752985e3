package metadata

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// IntegrationSet is the permission set of the user as whom the daemon works.
const IntegrationSet = "TwilioSF_Integration"

// Object is an object that the bundle brings, or a standard one that it adds
// fields to.
type Object struct {
	Name string
	// Ours says that the bundle brings the object itself.
	Ours   bool
	Fields []Field
}

// Field is one custom field of the bundle, in the words of the Metadata API.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
type Field struct {
	Name string `xml:"fullName"`
	Type string `xml:"type"` // Text, LongTextArea, Picklist, Lookup, ...
	// Length is in characters, 0 where the type has none of its own.
	Length      int    `xml:"length"`
	Precision   int    `xml:"precision"`
	Scale       int    `xml:"scale"`
	Required    bool   `xml:"required"`
	ExternalID  bool   `xml:"externalId"`
	Unique      bool   `xml:"unique"`
	ReferenceTo string `xml:"referenceTo"`
	// Values are a picklist's.
	Values []string `xml:"valueSet>valueSetDefinition>value>fullName"`
}

// Objects lists the bundle's objects with their fields, by name.
func Objects() ([]Object, error) {
	b, err := read(FS, everything)
	if err != nil {
		return nil, err
	}
	var all []Object
	err = b.each(objectsDir, func(entry fs.DirEntry) error {
		o := Object{Name: entry.Name()}
		dir := path.Join(b.root, objectsDir, o.Name)
		switch _, err := fs.Stat(b.tree, path.Join(dir, o.Name+".object"+metaSuffix)); {
		case err == nil:
			o.Ours = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if o.Fields, err = b.fields(path.Join(dir, "fields")); err == nil {
			all = append(all, o)
		}
		return err
	})
	return all, err
}

func (b *bundle) fields(dir string) ([]Field, error) {
	files, err := fs.ReadDir(b.tree, dir)
	if err != nil {
		return nil, err
	}
	all := make([]Field, len(files))
	for i, file := range files {
		if err := b.decode(path.Join(dir, file.Name()), &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (b *bundle) decode(file string, into any) error {
	data, err := fs.ReadFile(b.tree, file)
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Access is what the integration user's permission set gives.
type Access struct {
	// Objects are by name, Fields by "Object.Field".
	Objects map[string]ObjectAccess
	Fields  map[string]FieldAccess
}

// ObjectAccess is what may be done with an object's records.
type ObjectAccess struct{ Read, Create, Edit, Delete bool }

// FieldAccess is what may be done with a field.
type FieldAccess struct{ Read, Edit bool }

// IntegrationAccess reads it.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
func IntegrationAccess() (Access, error) {
	var set struct {
		Objects []struct {
			Object string `xml:"object"`
			Read   bool   `xml:"allowRead"`
			Create bool   `xml:"allowCreate"`
			Edit   bool   `xml:"allowEdit"`
			Delete bool   `xml:"allowDelete"`
		} `xml:"objectPermissions"`
		Fields []struct {
			Field    string `xml:"field"`
			Readable bool   `xml:"readable"`
			Editable bool   `xml:"editable"`
		} `xml:"fieldPermissions"`
	}
	b, err := read(FS, everything)
	if err == nil {
		err = b.decode(path.Join(b.root, "permissionsets", IntegrationSet+".permissionset"+metaSuffix), &set)
	}
	if err != nil {
		return Access{}, err
	}
	a := Access{Objects: map[string]ObjectAccess{}, Fields: map[string]FieldAccess{}}
	for _, o := range set.Objects {
		a.Objects[o.Object] = ObjectAccess{o.Read, o.Create, o.Edit, o.Delete}
	}
	for _, f := range set.Fields {
		a.Fields[f.Field] = FieldAccess{f.Readable, f.Editable}
	}
	return a, nil
}

// Object is the object that a component stands on or is, "" for one that belongs
// to none: Contact of the field Contact.Last_Message_Status__c, and of a layout and a
// tab the object whose records they show.
func (c Component) Object() string {
	switch c.Type {
	case "CustomObject", "CustomTab":
		return c.Name
	case "Layout":
		object, _, _ := strings.Cut(c.Name, "-")
		return object
	case "CustomField", "ListView", "CompactLayout", "ValidationRule":
		object, _, _ := strings.Cut(c.Name, ".")
		return object
	default:
		return ""
	}
}
