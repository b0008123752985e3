package config

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxMerges is how many mappings `<<` may bring in; one that merges itself ends here.
const maxMerges = 64

// nodeReader walks YAML nodes against the table. It descends only into what the
// table knows, so neither depth nor aliases can make it long.
type nodeReader struct {
	*loader
	place  func(*yaml.Node) origin
	merges int
}

// pair is one entry of a mapping; merged ones came by `<<`.
type pair struct {
	key, value *yaml.Node
	merged     bool
}

// section reads the mapping at path, "" being the file itself.
func (r *nodeReader) section(path string, n *yaml.Node) {
	for _, p := range r.entries(path, n) {
		full := join(path, p.key.Value)
		value := follow(p.value)
		switch {
		case strings.Contains(p.key.Value, "."):
			r.unknown(path, p.key) // "sync.full_every" is one word here, and no path
		case isSection(full):
			r.sections[full] = r.place(p.key)
			r.subsection(full, p, value)
		default:
			r.value(path, full, p, value)
		}
	}
}

func (r *nodeReader) subsection(full string, p pair, value *yaml.Node) {
	switch {
	case value.Kind == yaml.MappingNode:
		r.section(full, value)
	case value.ShortTag() == "!!null" && value.Value != "null" && value.Value != "~":
		// A section whose keys are all comments.
	default:
		r.meant[full] = true
		r.fault(r.place(p.value), full, problemf("must be a mapping of keys").
			do("write the keys below it, indented: %s", strings.Join(names(full), ", ")))
	}
}

func (r *nodeReader) value(parent, full string, p pair, value *yaml.Node) {
	e, known := index[full]
	if !known {
		r.unknown(parent, p.key)
		return
	}
	at := r.place(p.value)
	if value.ShortTag() == "!!null" {
		at = r.place(p.key) // an empty value has no place of its own
	}
	if e.isFile {
		r.fileName(full, e, value, at)
		return
	}
	if e.kind == objects && value.Kind == yaml.MappingNode {
		r.file[full] = r.objects(full, value)
		return
	}
	if e.kind == list && value.Kind == yaml.SequenceNode {
		r.file[full] = r.list(full, value)
		return
	}
	if e.kind == recurring && value.Kind == yaml.SequenceNode {
		r.file[full] = r.recurring(full, value)
		return
	}
	if e.kind == phoneObjects && value.Kind == yaml.SequenceNode {
		r.file[full] = r.phoneObjects(full, value)
		return
	}
	v, wrong := e.decode(value)
	if wrong != nil {
		r.fault(at, full, wrong)
		r.file[full] = given{at: at, bad: true}
		return
	}
	if v != nil { // "" means not given
		r.file[full] = given{value: v, at: at}
	}
}

// fileName reads the path of a secret's file.
func (r *nodeReader) fileName(full string, e entry, value *yaml.Node, at origin) {
	p := e.wrongType(value)
	if p == nil && strings.ContainsRune(value.Value, 0) {
		p = problemf("is not a path")
	}
	switch {
	case p != nil:
		r.fault(at, full, p)
		r.file[full] = given{at: at, bad: true}
	case value.Value != "":
		r.file[full] = given{value: value.Value, at: at}
	}
}

// entries are the pairs of a mapping, its own before merged ones. Keys that are
// no text and keys that come twice are reported and left out.
func (r *nodeReader) entries(path string, n *yaml.Node) []pair {
	first := map[string]*yaml.Node{}
	var out []pair
	for _, p := range r.pairs(path, n, false) {
		if p.key.Kind != yaml.ScalarNode {
			r.fault(r.place(p.key), path, problemf("a key is not a word").do("write key: value"))
			continue
		}
		before, twice := first[p.key.Value]
		switch {
		case !twice:
			first[p.key.Value] = p.key
			out = append(out, p)
		case !p.merged:
			r.fault(r.place(p.key), join(path, quoteKey(p.key.Value)),
				problemf("is given twice, first on line %d", before.Line).do("keep one of the two"))
		}
	}
	return out
}

// pairs lists a mapping and what it merges (https://yaml.org/type/merge.html).
func (r *nodeReader) pairs(path string, n *yaml.Node, merged bool) []pair {
	var own, more []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := follow(n.Content[i]), n.Content[i+1]
		if k.ShortTag() != "!!merge" {
			own = append(own, pair{key: k, value: v, merged: merged})
			continue
		}
		for _, s := range mergeSources(follow(v)) {
			more = append(more, r.merge(path, k, s)...)
		}
	}
	return append(own, more...)
}

func mergeSources(v *yaml.Node) []*yaml.Node {
	if v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return []*yaml.Node{v}
}

func (r *nodeReader) merge(path string, k, source *yaml.Node) []pair {
	source = follow(source)
	r.merges++
	switch {
	case source.Kind != yaml.MappingNode:
		r.fault(r.place(k), path, problemf("<< merges what is no mapping").do("name one: <<: *name"))
	case r.merges < maxMerges:
		return r.pairs(path, source, true)
	case r.merges == maxMerges:
		r.fault(r.place(k), path, problemf("<< merges too much, or itself").do("write the keys out"))
	}
	return nil
}

func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
