package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readEnviron takes every known variable and warns of those that only look like
// one. They are no faults: Kubernetes, for one, gives a pod
// TWILIOSF_SERVICE_HOST when a service is called twiliosf.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
func (l *loader) readEnviron() {
	known := make(map[string]string, len(index))
	for path := range index {
		known[envName(path)] = path
	}
	for _, name := range sortedKeys(l.env) {
		value := l.env[name]
		if value == "" || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		at := origin{env: name}
		path, ok := known[name]
		if !ok {
			p := problemf("sets no key")
			if near := nearest(name, sortedKeys(known)); near != "" {
				p.do("did you mean %s?", near)
			}
			l.warn(at, "", p)
			continue
		}
		l.environ[path] = l.environValue(path, value, at)
	}
}

func (l *loader) environValue(path, value string, at origin) given {
	e := index[path]
	if e.isFile {
		return given{value: value, at: at}
	}
	if e.kind == objects || e.kind == phoneObjects || e.kind == recurring {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(value), &doc); err == nil && len(doc.Content) == 1 {
			r := &nodeReader{loader: l, place: func(*yaml.Node) origin { return at }}
			switch kind := doc.Content[0].Kind; {
			case e.kind == objects && kind == yaml.MappingNode:
				return r.objects(path, doc.Content[0])
			case e.kind == phoneObjects && kind == yaml.SequenceNode:
				return r.phoneObjects(path, doc.Content[0])
			case e.kind == recurring && kind == yaml.SequenceNode:
				return r.recurring(path, doc.Content[0])
			}
		}
	}
	v, p := e.parse(value)
	if p != nil {
		l.fault(at, path, p)
		return given{at: at, bad: true}
	}
	return given{value: v, at: at}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
