package salesforcetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// resources serves GET /services/data/vXX.0.
func (c *call) resources() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	b := []byte{'{'}
	for _, name := range []string{"composite", "limits", "query", "queryAll", "sobjects"} {
		b = appendPair(b, name, c.base+"/"+name)
		b = append(b, ',')
	}
	b = appendPair(b, "identity", c.s.identityURL())
	return ok(append(b, '}')), nil
}

// globalDescribe serves GET /sobjects.
func (c *call) globalDescribe() (*reply, *Error) {
	if err := c.only(); err != nil {
		return nil, err
	}
	out := map[string]any{"encoding": "UTF-8", "maxBatchSize": 200}
	list := []any{}
	for _, o := range c.s.schema.objects {
		if !o.hidden {
			list = append(list, c.objectHead(o))
		}
	}
	out["sobjects"] = list
	return marshalled(out), nil
}

func marshalled(v any) *reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("salesforcetest: describe: %w", err)) // plain maps always marshal
	}
	return ok(body)
}

// objectInfo serves GET /sobjects/{O}.
func (c *call) objectInfo() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only(); err != nil {
		return nil, err
	}
	return marshalled(map[string]any{"objectDescribe": c.objectHead(o), "recentItems": []any{}}), nil
}

// describeObject serves GET /sobjects/{O}/describe with its two ways to say
// "unchanged".
func (c *call) describeObject() (*reply, *Error) {
	o, err := c.object(c.segs[1])
	if err != nil {
		return nil, err
	}
	if err := c.only(); err != nil {
		return nil, err
	}
	tag := `"` + strconv.FormatInt(c.s.describe.UnixNano(), 36) + `"`
	modified := c.s.describe.UTC().Format(http.TimeFormat)
	since, bad := http.ParseTime(c.header.Get("If-Modified-Since"))
	if bad == nil && !c.s.describe.After(since.Add(time.Second-1)) || strings.Contains(c.header.Get("If-None-Match"), tag) {
		return (&reply{status: http.StatusNotModified}).set("ETag", tag), nil
	}
	d := c.objectHead(o)
	maps.Copy(d, map[string]any{
		"actionOverrides": []any{}, "compactLayoutable": true, "extendedBy": nil, "extendsInterfaces": nil,
		"implementedBy": nil, "implementsInterfaces": nil, "defaultImplementation": nil, "listviewable": nil,
		"lookupLayoutable": nil, "namedLayoutInfos": []any{}, "networkScopeFieldName": nil,
		"sobjectDescribeOption": "FULL", "searchLayoutable": true,
		"supportedScopes": []any{map[string]any{"label": "All " + strings.ToLower(o.plural), "name": "everything"}},
		"recordTypeInfos": []any{map[string]any{
			"active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "master": true,
			"name": "Master", "recordTypeId": "012000000000000AAA",
			"urls": map[string]any{"layout": c.base + "/sobjects/" + o.name + "/describe/layouts/012000000000000AAA"},
		}},
	})
	d["childRelationships"] = c.children(o)
	fields := []any{}
	for _, f := range o.fields {
		if !f.hidden {
			fields = append(fields, describeField(f))
		}
	}
	d["fields"] = fields
	return marshalled(d).set("ETag", tag).set("Last-Modified", modified), nil
}

// objectHead are the keys that the global and the full describe share.
func (c *call) objectHead(o *object) map[string]any {
	url := c.base + "/sobjects/" + o.name
	write := !o.readOnly
	return map[string]any{
		"activateable": false, "associateEntityType": nil, "associateParentEntity": nil,
		"createable": write && !o.noCreate && !o.uncreatable, "custom": o.custom, "customSetting": false, "deepCloneable": false,
		"deletable": write && !o.noDelete, "deprecatedAndHidden": false, "feedEnabled": false, "hasSubtypes": false,
		"isInterface": false, "isSubtype": false, "keyPrefix": o.prefix, "label": o.label, "labelPlural": o.plural,
		"layoutable": true, "mergeable": false, "mruEnabled": true, "name": o.name, "queryable": true,
		"replicateable": true, "retrieveable": true, "searchable": o.searchable, "triggerable": true,
		"undeletable": true, "updateable": write && !o.noEdit,
		"urls": map[string]any{
			"sobject": url, "describe": url + "/describe", "rowTemplate": url + "/{ID}",
		},
	}
}

func (c *call) children(o *object) []any {
	out := []any{}
	for _, child := range c.s.schema.objects {
		for _, f := range child.fields {
			for _, to := range f.refTo {
				if to != o.name || child.hidden || f.hidden {
					continue
				}
				out = append(out, map[string]any{
					"cascadeDelete": f.cascade, "childSObject": child.name, "deprecatedAndHidden": false, "field": f.name,
					"junctionIdListNames": []any{}, "junctionReferenceTo": []any{},
					"relationshipName": orNil(f.childRel), "restrictedDelete": f.restrictDel,
				})
			}
		}
	}
	return out
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// describeField writes the keys of one field.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
func describeField(f *field) map[string]any {
	free := !f.longText()
	writable := f.writable()
	bytes := 0
	if f.textual() || f.isID() {
		bytes = f.length
		if f.textual() && f.typ != typeBase64 {
			bytes = 3 * f.length
		}
	}
	length := 0
	if f.textual() || f.isID() {
		length = f.length
	}
	values := []any{}
	for _, v := range f.values {
		values = append(values, map[string]any{
			"active": true, "defaultValue": f.initial.k == kText && f.initial.s == v, "label": v, "validFor": nil, "value": v,
		})
	}
	refs := f.refTo
	if refs == nil {
		refs = []string{}
	}
	return map[string]any{
		"aggregatable": free && f.typ != typeBoolean, "aiPredictionField": false, "autoNumber": f.autoNumber != "", "byteLength": bytes,
		"calculated": f.src == fromParent, "calculatedFormula": nil, "cascadeDelete": f.cascade, "caseSensitive": f.caseSens,
		"compoundFieldName": nil, "controllerName": nil, "createable": writable, "custom": f.custom,
		"defaultValue": defaultOf(f), "defaultValueFormula": defaultFormulaOf(f), "defaultedOnCreate": f.initial.k != kNull || f.system || f.autoNumber != "" || f.name == "OwnerId",
		"dependentPicklist": false, "deprecatedAndHidden": false, "digits": digitsOf(f), "displayLocationInDecimal": false,
		"encrypted": false, "externalId": f.externalID, "extraTypeInfo": nil, "filterable": free, "filteredLookupInfo": nil,
		"formulaTreatNullNumberAsZero": false, "groupable": free && !f.numeric() && f.typ != typeDateTime, "highScaleNumber": false,
		"htmlFormatted": false, "idLookup": f.idLookup, "inlineHelpText": orNil(f.help), "label": f.label, "length": length,
		"mask": nil, "maskType": nil, "name": f.name, "nameField": f.nameField, "namePointing": len(f.refTo) > 1,
		"nillable": !f.required, "permissionable": f.custom && !f.required, "picklistValues": values,
		"polymorphicForeignKey": len(f.refTo) > 1, "precision": f.precision, "queryByDistance": false, "referenceTargetField": nil,
		"referenceTo": refs, "relationshipName": orNil(f.relName), "relationshipOrder": nil, "restrictedDelete": f.restrictDel,
		"restrictedPicklist": f.restricted, "scale": f.scale, "searchPrefilterable": false, "soapType": soapType(f),
		"sortable": free, "type": f.typ, "unique": f.unique, "updateable": writable && !f.fixed, "writeRequiresMasterRead": false,
	}
}

func digitsOf(f *field) int {
	if f.typ == typeInt {
		return f.precision
	}
	return 0
}

func defaultOf(f *field) any {
	if f.typ == typeBoolean {
		return f.initial.n == 1
	}
	return nil
}

// defaultFormulaOf is a number's default, which an org keeps as a formula.
func defaultFormulaOf(f *field) any {
	if f.initial.k == kNumber {
		return strconv.FormatFloat(f.initial.float(), 'f', -1, 64)
	}
	return nil
}

func soapType(f *field) string {
	switch f.typ {
	case typeID, typeReference:
		return "tns:ID"
	case typeDouble, typeCurrency, typePercent:
		return "xsd:double"
	case typeInt:
		return "xsd:int"
	case typeBoolean:
		return "xsd:boolean"
	case typeDate:
		return "xsd:date"
	case typeDateTime:
		return "xsd:dateTime"
	case typeBase64:
		return "xsd:base64Binary"
	default:
		return "xsd:string"
	}
}
