package orgsetup

import (
	"fmt"
	"slices"
	"strings"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
)

// described are the names that describe has for the Metadata API's types.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
var described = map[string]string{
	"Text": "string", "TextArea": "textarea", "LongTextArea": "textarea", "Number": "double", "Currency": "currency",
	"Percent": "percent", "Checkbox": "boolean", "Date": "date", "DateTime": "datetime", "Phone": "phone", "Email": "email",
	"Url": "url", "Picklist": "picklist", "Lookup": "reference", "MasterDetail": "reference", "AutoNumber": "string",
}

// alike are types of which a mapped field may have any: what is written fits.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
var alike = [][]string{
	{"string", "textarea", "phone", "picklist", "combobox", "url", "email", "encryptedstring"},
	{"double", "currency", "percent", "int", "long"},
	{"datetime", "date"},
}

// comparison is one field as it is needed and as it is.
type comparison struct {
	object string
	want   metadata.Field
	have   salesforce.Field
	edit   bool // the daemon writes it
	mapped bool // it need not be the very field that we ship
}

// differences are all that is wrong with a field that the user sees.
func (c *comparison) differences() (all []Difference) {
	add := func(kind Kind, cure Cure, format string, args ...any) {
		d := Difference{Object: c.object, Field: c.have.Name, Kind: kind, Says: fmt.Sprintf(format, args...)}
		all = append(all, d.cured(cure))
	}
	if want := described[c.want.Type]; !c.fits(want) {
		add(WrongType, ByHand, "has the type %s, which should be %s", c.have.Type, want)
		return all
	}
	if c.want.ReferenceTo != "" && !slices.Contains(c.have.ReferenceTo, c.want.ReferenceTo) {
		add(WrongType, ByHand, "refers to %s, which should be %s", strings.Join(c.have.ReferenceTo, " and "), c.want.ReferenceTo)
		return all
	}
	cure := ByDeploy
	if c.richer() {
		cure = ByHand
	}
	if c.shorter() {
		add(TooShort, cure, "is %d characters long, %d are needed", c.have.Length, c.want.Length)
	}
	if c.narrower() {
		add(TooShort, cure, "has %s digits, %s are needed", digits(c.have.Precision, c.have.Scale), digits(c.want.Precision, c.want.Scale))
	}
	if missing := c.notKey(); missing != "" {
		add(NoKey, cure, "is not %s", missing)
	}
	if lacking := c.lackingValues(); len(lacking) > 0 {
		add(LacksValues, cure, "lacks the values %s", strings.Join(lacking, ", "))
	}
	if c.edit && (!c.have.Createable || !c.have.Updateable) {
		add(ReadOnly, ByAssign, "is read-only for the integration user")
	}
	return all
}

func (c *comparison) fits(want string) bool {
	if c.have.Type == want {
		return true
	}
	return c.mapped && slices.ContainsFunc(alike, func(types []string) bool {
		return slices.Contains(types, want) && slices.Contains(types, c.have.Type)
	})
}

func (c *comparison) shorter() bool { return c.want.Length > 0 && c.have.Length < c.want.Length }

// narrower tells numbers with less room, before the point or after it.
func (c *comparison) narrower() bool {
	return !c.mapped && c.want.Precision > 0 &&
		(c.have.Precision-c.have.Scale < c.want.Precision-c.want.Scale || c.have.Scale < c.want.Scale)
}

func digits(precision, scale int) string { return fmt.Sprintf("%d.%d", precision-scale, scale) }

// notKey says what a key lacks. Without unique, two records could be one message.
func (c *comparison) notKey() string {
	var lacks []string
	if c.want.ExternalID && !c.have.ExternalID {
		lacks = append(lacks, "an external id")
	}
	if c.want.Unique && !c.have.Unique {
		lacks = append(lacks, "unique")
	}
	return strings.Join(lacks, " and not ")
}

// lackingValues are those of ours that the picklist does not have. A mapped field
// may do without where it takes any value.
func (c *comparison) lackingValues() (lacking []string) {
	if c.have.Type != "picklist" || c.mapped && !c.have.RestrictedPicklist {
		return nil
	}
	for _, v := range c.want.Values {
		if !slices.ContainsFunc(c.have.Picklist, func(p salesforce.PicklistValue) bool { return p.Active && p.Value == v }) {
			lacking = append(lacking, v)
		}
	}
	return lacking
}

// richer tells whether deploying our field would take something away: length,
// digits, or values, which a deployment makes inactive when it does not name them.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_field_types.htm
func (c *comparison) richer() bool {
	switch {
	case c.want.Length > 0 && c.have.Length > c.want.Length:
		return true
	case c.want.Precision > 0 && (c.have.Precision-c.have.Scale > c.want.Precision-c.want.Scale || c.have.Scale > c.want.Scale):
		return true
	case c.want.Type != "Picklist":
		return false
	default:
		return slices.ContainsFunc(c.have.Picklist, func(p salesforce.PicklistValue) bool { return p.Active && !slices.Contains(c.want.Values, p.Value) })
	}
}
