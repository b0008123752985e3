package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown reports a key that the table does not have, and remembers which key
// it was probably meant to be, so that the one slip is not reported again as a
// missing key.
func (r *nodeReader) unknown(parent string, n *yaml.Node) {
	name := n.Value
	p := problemf("unknown key")
	switch {
	case knownPath(join(parent, name)):
		in, leaf := split(join(parent, name))
		r.meant[join(parent, name)] = true
		p.do("a dot does not nest; write %s: and below it, indented, %s:", in, leaf)
	case nearest(name, names(parent)) != "":
		near := nearest(name, names(parent))
		r.meant[join(parent, near)] = true
		p.do("did you mean %s?", near)
	default:
		r.elsewhere(parent, name, p)
	}
	r.fault(r.place(n), join(parent, quoteKey(name)), p)
}

func knownPath(path string) bool {
	_, ok := index[path]
	return ok
}

// elsewhere looks for name in the rest of the tree.
func (r *nodeReader) elsewhere(parent, name string, p *problem) {
	var homes []string
	for _, s := range append([]section{{path: ""}}, sections...) {
		if s.path != parent && slices.Contains(names(s.path), name) {
			homes = append(homes, s.path)
			r.meant[join(s.path, name)] = true
		}
	}
	switch {
	case len(homes) == 1 && homes[0] == "":
		p.do("it belongs at the top level, not indented")
	case len(homes) > 0:
		p.do("it belongs under %s", strings.Join(homes, " or "))
	default:
		if near := nearestPath(name); near != "" {
			r.meant[near] = true
			p.do("did you mean %s?", near)
			return
		}
		p.do("known here: %s", strings.Join(names(parent), ", "))
	}
}

// nearestPath is the whole path of the key whose own name is nearest.
func nearestPath(name string) string {
	paths := sortedKeys(index)
	leaves := make([]string, len(paths))
	for i, path := range paths {
		_, leaves[i] = split(path)
	}
	near := nearest(name, leaves)
	if near == "" {
		return ""
	}
	return paths[slices.Index(leaves, near)]
}

// suggest is the fault of a name that is none of known.
func suggest(name string, known []string) *problem {
	p := problemf("unknown key")
	if near := nearest(name, known); near != "" {
		return p.do("did you mean %s?", near)
	}
	return p.do("known here: %s", strings.Join(known, ", "))
}
