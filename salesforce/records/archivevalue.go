package records

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/salesforce"
)

// valueText is a value as JSON for a field of the org's, whose type may be another
// than the column's; nil if the field cannot hold it.
func valueText(f salesforce.Field, v any) []byte {
	switch v := v.(type) {
	case bool:
		if f.Type == "boolean" {
			return strconv.AppendBool(nil, v)
		}
	case time.Time:
		switch f.Type {
		case "date":
			return appendInstant(nil, v, time.DateOnly)
		case "datetime":
			return appendInstant(nil, v, datetimeForm)
		}
	case float64:
		return numberText(f, strconv.FormatFloat(v, 'f', -1, 64))
	case int64:
		return numberText(f, strconv.FormatInt(v, 10))
	case string:
		switch {
		case !isNumber(f):
			return appendString(nil, v)
		case plainDecimal(v):
			return []byte(v)
		}
	}
	return nil
}

func numberText(f salesforce.Field, digits string) []byte {
	switch {
	case isNumber(f):
		return []byte(digits)
	case isText(f):
		return appendString(nil, digits)
	default:
		return nil
	}
}

// leaves says whether a field is among those that a lesser record goes without:
// first its owner, then all that names other records.
func leaves(f salesforce.Field, which extent) bool {
	switch {
	case f.Type != "reference":
		return false
	case strings.EqualFold(f.Name, ownerField):
		return which != linked
	default:
		return which >= bare
	}
}

// extras are the keys of fields that have no column of their own.
func (p *plan) extras() []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(p.columns)) {
		if strings.HasPrefix(key, extraField) {
			keys = append(keys, key)
		}
	}
	return keys
}
