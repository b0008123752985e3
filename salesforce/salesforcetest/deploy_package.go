package salesforcetest

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"io"
	"path"
	"slices"
	"strings"
)

// component is one piece of metadata: a type of the Metadata API and a full name,
// and the file it is in.
type component struct{ typ, name, file string }

// piece is a component with its content.
type piece struct {
	component

	node  *xmlNode
	inner []byte // what is inside of its element
}

// zipPackage is a deployment's zip, read.
type zipPackage struct {
	listed     map[string]component // package.xml
	components []component          // package.xml, in its order
	pieces     []*piece
	failures   []deployMessage // of what cannot be read
}

// Bounds of one deployment.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy.htm
const (
	maxDeployFiles = 10_000
	maxDeployZip   = 39 << 20
	maxDeployFile  = 50 << 20
)

// deployDirs are the folders of the zip that are understood here: the ending of
// the files and what they are.
var deployDirs = map[string]struct{ suffix, typ string }{
	"applications": {".app", "CustomApplication"}, "customPermissions": {".customPermission", "CustomPermission"},
	"flows": {".flow", "Flow"}, "layouts": {".layout", "Layout"}, "notificationtypes": {".notiftype", "CustomNotificationType"},
	"objects": {".object", "CustomObject"}, "permissionsets": {".permissionset", "PermissionSet"},
	"reportTypes": {".reportType", "ReportType"}, "reports": {".report", "Report"}, "tabs": {".tab", "CustomTab"},
}

// objectParts are the elements of an object that are components by themselves.
var objectParts = map[string]string{
	"compactLayouts": "CompactLayout", "fields": "CustomField", "listViews": "ListView", "validationRules": "ValidationRule",
}

// openPackage reads a zip. What is wrong inside of it becomes failures of its
// components; an error is for what is no zip at all, or too large.
func openPackage(data []byte) (*zipPackage, *Error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fail(400, "INVALID_ZIP_FILE", "The file is no zip file")
	}
	if len(r.File) > maxDeployFiles || len(data) > maxDeployZip {
		return nil, fail(400, "LIMIT_EXCEEDED", "Maximum size of request reached. Maximum size of request is 39 MB, and 10000 files")
	}
	p := &zipPackage{listed: map[string]component{}}
	var manifest []byte
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return nil, fail(400, "INVALID_ZIP_FILE", "The zip file cannot be read")
		}
		content, err := io.ReadAll(io.LimitReader(in, maxDeployFile))
		if err != nil {
			return nil, fail(400, "INVALID_ZIP_FILE", "The zip file cannot be read")
		}
		switch {
		case f.Name == "package.xml":
			manifest = content
		case strings.HasPrefix(path.Base(f.Name), "destructiveChanges"):
			return nil, fail(400, "INVALID_OPERATION", "Nothing is ever deleted in this emulated org: "+f.Name)
		default:
			p.readFile(f.Name, content)
		}
	}
	p.readManifest(manifest)
	p.compareWithManifest()
	return p, nil
}

func (p *zipPackage) failf(c component, line, column int, problem string) {
	p.failures = append(p.failures, deployMessage{component: c, line: line, column: column, problem: problem})
}

// readFile reads one file by its place.
func (p *zipPackage) readFile(file string, content []byte) {
	dir, rest, _ := strings.Cut(file, "/")
	kind, known := deployDirs[dir]
	c := component{typ: kind.typ, name: strings.TrimSuffix(rest, kind.suffix), file: file}
	typ := kind.typ
	folder := dir == "reports" && strings.HasSuffix(rest, "-meta.xml")
	if folder {
		c.name, typ = strings.TrimSuffix(rest, "-meta.xml")+"/", "ReportFolder"
	}
	if !known || !folder && c.name == rest {
		p.failf(component{file: file}, 0, 0, "The file is no metadata that this emulated org knows")
		return
	}
	root, err := parseXML(content)
	switch {
	case err != nil:
		p.failf(c, 1, 1, "Error parsing file: "+err.Error())
		return
	case root.name != xml.Name{Space: metadataSpace, Local: typ}:
		p.failf(c, root.line, root.column, "Error parsing file: the root element is "+root.name.Local+", not "+typ)
		return
	}
	if wrong := root.check(typ); wrong != nil {
		p.failf(c, wrong.line, wrong.column, wrong.problem)
		return
	}
	p.pieces = append(p.pieces, &piece{component: c, node: root, inner: root.inner(content)})
	if typ != "CustomObject" {
		return
	}
	for _, kid := range root.kids {
		if typ, isPart := objectParts[kid.name.Local]; isPart {
			part := component{typ: typ, name: c.name + "." + kid.text("fullName"), file: file}
			p.pieces = append(p.pieces, &piece{component: part, node: kid, inner: kid.inner(content)})
		}
	}
}

// readManifest reads package.xml.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/manifest_samples.htm
func (p *zipPackage) readManifest(content []byte) {
	at := component{name: "package.xml", file: "package.xml"}
	if content == nil {
		p.failf(at, 0, 0, "No package.xml found")
		return
	}
	var x struct {
		XMLName xml.Name `xml:"http://soap.sforce.com/2006/04/metadata Package"`
		Types   []struct {
			Members []string `xml:"members"`
			Name    string   `xml:"name"`
		} `xml:"types"`
		Version string `xml:"version"`
	}
	if err := xml.Unmarshal(content, &x); err != nil {
		p.failf(at, 1, 1, "Error parsing file: "+err.Error())
		return
	}
	if _, bad := parseVersion("v" + x.Version); bad != nil {
		p.failf(at, 0, 0, "Invalid version specified: "+x.Version)
	}
	for _, types := range x.Types {
		if !knownType(types.Name) {
			p.failf(at, 0, 0, "Unknown type name '"+types.Name+"' specified in package.xml")
			continue
		}
		for _, name := range types.Members {
			if name == "*" {
				p.failf(at, 0, 0, "Wildcards are not supported by this emulated org: "+types.Name)
				continue
			}
			c := component{typ: types.Name, name: name, file: at.file}
			p.listed[c.key()] = c
			p.components = append(p.components, c)
		}
	}
}

func knownType(typ string) bool {
	for _, kind := range deployDirs {
		if kind.typ == typ {
			return true
		}
	}
	for _, part := range objectParts {
		if part == typ {
			return true
		}
	}
	return false
}

// compareWithManifest wants both to say the same: what is listed is there, and
// what is there is listed, but for the parts of a listed object. An object's file
// whose parts alone are listed leaves the object as it is.
func (p *zipPackage) compareWithManifest() {
	found := map[string]bool{}
	unlisted := map[*piece]bool{}
	for _, one := range p.pieces {
		found[one.key()] = true
		object := component{typ: "CustomObject", name: one.object()}
		_, listed := p.listed[one.key()]
		_, whole := p.listed[object.key()]
		switch {
		case listed:
		case one.typ == "CustomObject":
			unlisted[one] = true
		case whole && one.inObject():
			p.components = append(p.components, one.component)
		default:
			p.failf(one.component, 0, 0, "Not in package.xml")
		}
	}
	for _, c := range p.components {
		broken := slices.ContainsFunc(p.failures, func(m deployMessage) bool {
			return m.key() == c.key() || m.typ == "CustomObject" && c.inObject() && m.name == c.object()
		})
		if !found[c.key()] && !broken {
			p.failf(c, 0, 0, "An object '"+c.name+"' of type "+c.typ+" was named in package.xml, but was not found in zipped directory")
		}
	}
	p.pieces = slices.DeleteFunc(p.pieces, func(one *piece) bool { return unlisted[one] })
	slices.SortStableFunc(p.pieces, func(a, b *piece) int { return cmp.Compare(rank(a.typ), rank(b.typ)) })
}

// rank is the order in which types build on each other.
func rank(typ string) int {
	switch typ {
	case "CustomObject":
		return 0
	case "CustomField":
		return 1
	case "PermissionSet":
		return 3
	default:
		return 2
	}
}

// inObject tells the parts of objects.
func (c *component) inObject() bool {
	for _, part := range objectParts {
		if part == c.typ {
			return true
		}
	}
	return false
}

// object is the object that a component is or stands on.
func (c *component) object() string {
	name, _, _ := strings.Cut(c.name, ".")
	if c.typ == "Layout" {
		name, _, _ = strings.Cut(c.name, "-")
	}
	return name
}
