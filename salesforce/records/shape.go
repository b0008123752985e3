package records

import (
	"slices"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// wanted is one field that follow-ups write, or that campaigns are read from.
type wanted struct {
	name     string
	types    []string
	to       string // of a reference: the object it must lead to
	required bool
	key      bool // an external id that is unique
	once     bool // a parent that a record may keep for ever
	read     bool // we write it never, or at most into records that we make
}

// shapeOf compares an object with the fields that are wanted, and names
// everything that is wrong at once. create says that records of it are made.
func shapeOf(object string, create bool, all []wanted) func(*salesforce.Object) (*plan, *fault.Error) {
	return func(o *salesforce.Object) (*plan, *fault.Error) {
		p := &plan{object: object, columns: map[string]salesforce.Field{}}
		wrong := schemaProblems{}
		switch {
		case create && !(o.Createable && o.Updateable):
			wrong.add(object, "the integration user may not create and edit it")
		case !o.Updateable && slices.ContainsFunc(all, func(w wanted) bool { return !w.read }):
			wrong.add(object, "the integration user may not edit it")
		}
		for _, w := range all {
			f, found := o.Field(w.name)
			problem := w.problem(f, found, create)
			switch {
			case problem == "":
				p.columns[w.name] = f
			case w.required:
				wrong.add(w.name, problem)
			default:
				p.missing = append(p.missing, w.name)
			}
			if w.key {
				p.key = w.name
			}
		}
		if len(wrong.fields) > 0 {
			return nil, wrong.fault(object)
		}
		return p, nil
	}
}

func (w *wanted) problem(f salesforce.Field, found, create bool) string {
	switch {
	case !found:
		return "is missing or hidden"
	case w.read:
	case create && !f.Createable, !f.Updateable && !w.once:
		return "is read-only for the integration user"
	}
	if w.to != "" && f.Type == "reference" && !slices.ContainsFunc(f.ReferenceTo, func(o string) bool { return strings.EqualFold(o, w.to) }) {
		return "does not lead to " + w.to
	}
	fits := false
	for _, t := range w.types {
		fits = fits || t == f.Type
	}
	return misfit(f, fits, w.key)
}

// has says whether the org has a field that was wanted.
func (p *plan) has(name string) bool {
	_, ok := p.columns[name]
	return ok
}

// record appends the beginning of a record of the plan's object.
func (p *plan) record(dst []byte) []byte {
	return append(append(append(dst, `{"attributes":{"type":"`...), p.object...), `"}`...)
}

// with appends a field's name and its value.
func with(dst []byte, name string, value func([]byte) []byte) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return value(dst)
}

// withText appends a field of text, cut to what the org's field holds.
func (p *plan) withText(dst []byte, name, text string) []byte {
	f, ok := p.columns[name]
	if !ok {
		return dst
	}
	text, _ = Normalise(text)
	if f.Length > 0 {
		text = clipUTF16(text, f.Length)
	}
	return with(dst, name, func(dst []byte) []byte { return appendText(dst, text) })
}
