package soql

import "errors"

// Whole makes sure that a text can stand between brackets as one condition: that
// it closes no bracket that it has not opened, and ends every string. Nothing
// beside it can then change its meaning, nor can it change theirs.
func Whole(condition string) error {
	depth, quoted := 0, false
	for i := 0; i < len(condition); i++ {
		switch c := condition[i]; {
		case quoted && c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
			if depth < 0 {
				return errors.New("soql: the condition closes a bracket that it has not opened")
			}
		}
	}
	switch {
	case quoted:
		return errors.New("soql: the condition has a string without an end")
	case depth > 0:
		return errors.New("soql: the condition has a bracket that is not closed")
	default:
		return nil
	}
}
