package metadata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// element is a file's outermost element with its content as it is written.
type element struct {
	XMLName xml.Name
	Inner   []byte `xml:",innerxml"`
}

// readObject makes one file of an object's own and those of its parts. An object
// without an own file is a standard one, of which only the parts are deployed.
func (b *bundle) readObject(entry fs.DirEntry) error {
	name := entry.Name()
	dir := path.Join(objectsDir, name)
	var inner bytes.Buffer
	before := len(b.components)
	own, err := b.content(path.Join(dir, name+".object"+metaSuffix), "CustomObject")
	switch object := (Component{Type: "CustomObject", Name: name}); {
	case err == nil && b.keep(object):
		inner.Write(own)
		b.components = append(b.components, object)
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(name, "__c"):
		return err
	}
	if err := b.each(dir, func(sub fs.DirEntry) error { return b.readParts(&inner, name, sub) }); err != nil {
		return err
	}
	if len(b.components) == before {
		return nil
	}
	b.files[path.Join(objectsDir, name+".object")] = fmt.Appendf(nil, "%s<CustomObject xmlns=%q>%s</CustomObject>\n", xml.Header, namespace, inner.Bytes())
	return nil
}

// readParts appends the parts of an object that are in one of its folders.
func (b *bundle) readParts(inner *bytes.Buffer, object string, sub fs.DirEntry) error {
	dir := path.Join(objectsDir, object)
	if !sub.IsDir() {
		if sub.Name() != object+".object"+metaSuffix {
			return b.stray(dir, sub.Name())
		}
		return nil
	}
	for _, p := range parts {
		if p.dir != sub.Name() {
			continue
		}
		dir = path.Join(dir, p.dir)
		return b.each(dir, func(file fs.DirEntry) error {
			name, ok := strings.CutSuffix(file.Name(), "."+p.suffix+metaSuffix)
			if !ok {
				return b.stray(dir, file.Name())
			}
			content, err := b.content(path.Join(dir, file.Name()), p.typ)
			if err != nil {
				return err
			}
			if c := (Component{Type: p.typ, Name: object + "." + name}); b.keep(c) {
				fmt.Fprintf(inner, "    <%s>%s</%s>\n", p.element, content, p.element)
				b.components = append(b.components, c)
			}
			return nil
		})
	}
	return fmt.Errorf("%s: no part of an object that is known here", path.Join(b.root, dir, sub.Name()))
}

// content is what is inside a file's outermost element, which must be of the type.
func (b *bundle) content(file, typ string) ([]byte, error) {
	file = path.Join(b.root, file)
	data, err := fs.ReadFile(b.tree, file)
	if err != nil {
		return nil, err
	}
	var e element
	if err := xml.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if want := (xml.Name{Space: namespace, Local: typ}); e.XMLName != want {
		return nil, fmt.Errorf("%s: holds a %s, not a %s", file, e.XMLName.Local, typ)
	}
	return e.Inner, nil
}
