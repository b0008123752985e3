package salesforcetest

import (
	"regexp"
	"strconv"
	"strings"
)

// reference is @{ref.field} or @{ref.records[0].Id}, also @{ref[0].id}.
var reference = regexp.MustCompile(`@\{([A-Za-z0-9_]+)([^}]*)\}`)

// expand puts the answers of earlier parts into a text. missing names the first
// reference that has no value.
func expand(text string, answers map[string]*node) (out, missing string) {
	if !strings.Contains(text, "@{") {
		return text, ""
	}
	out = reference.ReplaceAllStringFunc(text, func(m string) string {
		part := reference.FindStringSubmatch(m)
		n := lookUp(answers[part[1]], part[2])
		if n == nil || n.kind == nodeArray || n.kind == nodeObject || n.kind == nodeNull {
			if missing == "" {
				missing = m
			}
			return ""
		}
		return n.text
	})
	return out, missing
}

// lookUp follows .name and [n] steps.
func lookUp(n *node, path string) *node {
	for path != "" && n != nil {
		if rest, index := strings.CutPrefix(path, "["); index {
			digits, after, _ := strings.Cut(rest, "]")
			i, err := strconv.Atoi(digits)
			if err != nil || n.kind != nodeArray || i < 0 || i >= len(n.kids) {
				return nil
			}
			n, path = &n.kids[i], after
			continue
		}
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		if end == 0 {
			return nil
		}
		n, path = n.get(path[:end]), path[end:]
	}
	return n
}

// expandNode is expand for every text of a body.
func expandNode(n *node, answers map[string]*node) (*node, string) {
	out := *n
	var missing string
	if n.kind == nodeString {
		out.text, missing = expand(n.text, answers)
		return &out, missing
	}
	out.kids = make([]node, len(n.kids))
	for i := range n.kids {
		kid, gone := expandNode(&n.kids[i], answers)
		if gone != "" {
			return nil, gone
		}
		out.kids[i] = *kid
	}
	return &out, ""
}
