package phone

import (
	"slices"
	"strings"
	"unicode"

	"github.com/twiliosf/twiliosf/sync/message"
)

// mostParts is how many words of a field are looked at for a second number.
const mostParts = 12

// All reads every number in a field: nearly always one or none, but people also
// write "415-555-0100 / 415-555-0101" and "H: 415-555-0100 C: 415-555-0101". Of
// several all are answered, each once: whoever writes from either of them is the
// person. A number that is only hinted at ("415-555-0100/01") is left out, as a
// guess would be a stranger's.
//
// It is for recognising people. To send to one number, use Parse, which refuses
// several.
func All(raw, country string) []message.Number {
	number, err := Parse(raw, country)
	switch {
	case err == nil:
		return []message.Number{number}
	case !ofSeveral(err) || len(raw) > 2*maxText:
		return nil
	}
	var all []message.Number
	for _, part := range strings.FieldsFunc(separated.Replace(raw), isSeparator) {
		all = append(all, side(part, country)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var separated = strings.NewReplacer(" or ", ";", " and ", ";")

func isSeparator(r rune) bool { return strings.ContainsRune(";,/|&\n\r", r) }

// side reads a part that no sign divides any more: one number, or two side by
// side, when there is only one place to cut at.
func side(part, country string) []message.Number {
	number, err := Parse(part, country)
	if err == nil {
		return []message.Number{number}
	}
	words := strings.FieldsFunc(part, unicode.IsSpace)
	if !ofSeveral(err) || len(words) > mostParts {
		return nil
	}
	var found []message.Number
	for i := 1; i < len(words); i++ {
		left, leftErr := Parse(strings.Join(words[:i], " "), country)
		right, rightErr := Parse(strings.Join(words[i:], " "), country)
		if leftErr != nil || rightErr != nil {
			continue
		}
		if found != nil && !slices.Equal(found, []message.Number{left, right}) {
			return nil
		}
		found = []message.Number{left, right}
	}
	return found
}
