package metadata

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Component is one piece of metadata as a package.xml names it: a type of the
// Metadata API and a full name, such as CustomField and Contact.Last_Message_Status__c.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_types_list.htm
type Component struct{ Type, Name string }

// Bundle is the source in the form that the Metadata API deploys: a zip file with
// package.xml at its root and one file a component, except that an object has all
// of its parts in its own file. The same source makes the same bytes. It fails only
// when the source holds something that it does not know.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based_zip_file.htm
func Bundle() ([]byte, error) {
	return Part(everything)
}

// Part is Bundle of those components only that keep names. Parts of an object go
// without what is the object's own, if that is not kept: then the object must be
// in the org already.
func Part(keep func(Component) bool) ([]byte, error) {
	b, err := read(FS, keep)
	if err != nil {
		return nil, err
	}
	return b.zip()
}

func everything(Component) bool { return true }

// Components are what Bundle deploys, by type and name.
func Components() ([]Component, error) {
	b, err := read(FS, everything)
	if err != nil {
		return nil, err
	}
	return b.components, nil
}

const (
	namespace   = "http://soap.sforce.com/2006/04/metadata"
	projectFile = "sfdx-project.json"
	objectsDir  = "objects"
	metaSuffix  = "-meta.xml"
)

// shape is a folder of the source, the ending of its files and what they are.
type shape struct{ dir, suffix, typ string }

// shapes are the folders but for objects and reports, which have folders in them.
var shapes = []shape{
	{"applications", "app", "CustomApplication"},
	{"customPermissions", "customPermission", "CustomPermission"},
	{"flows", "flow", "Flow"},
	{"layouts", "layout", "Layout"},
	{"notificationtypes", "notiftype", "CustomNotificationType"},
	{"permissionsets", "permissionset", "PermissionSet"},
	{"reportTypes", "reportType", "ReportType"},
	{"tabs", "tab", "CustomTab"},
}

// part is a folder of an object, and the element that its files become.
type part struct {
	shape

	element string
}

var parts = []part{
	{shape{"compactLayouts", "compactLayout", "CompactLayout"}, "compactLayouts"},
	{shape{"fields", "field", "CustomField"}, "fields"},
	{shape{"listViews", "listView", "ListView"}, "listViews"},
	{shape{"validationRules", "validationRule", "ValidationRule"}, "validationRules"},
}

// bundle is the source, read.
type bundle struct {
	tree       fs.FS
	keep       func(Component) bool
	root       string // of the source: force-app/main/default
	version    string // of the API
	files      map[string][]byte
	components []Component
}

func read(tree fs.FS, keep func(Component) bool) (*bundle, error) {
	b := &bundle{tree: tree, keep: keep, files: map[string][]byte{}}
	data, err := fs.ReadFile(tree, projectFile)
	if err != nil {
		return nil, err
	}
	var project struct {
		PackageDirectories []struct{ Path string }
		SourceAPIVersion   string `json:"sourceApiVersion"`
	}
	if err := json.Unmarshal(data, &project); err != nil {
		return nil, fmt.Errorf("%s: %w", projectFile, err)
	}
	if n := len(project.PackageDirectories); n != 1 {
		return nil, fmt.Errorf("%s: there are %d package directories, and one is known here", projectFile, n)
	}
	b.root, b.version = path.Join(project.PackageDirectories[0].Path, "main/default"), project.SourceAPIVersion
	dirs, err := fs.ReadDir(tree, b.root)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if err := b.readDir(dir.Name()); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(b.components, func(x, y Component) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Name, y.Name))
	})
	b.files["package.xml"], err = b.manifest()
	return b, err
}

func (b *bundle) readDir(dir string) error {
	switch dir {
	case objectsDir:
		return b.each(dir, b.readObject)
	case "reports":
		return b.each(dir, b.readReports)
	}
	at := slices.IndexFunc(shapes, func(s shape) bool { return s.dir == dir })
	if at < 0 {
		return fmt.Errorf("%s/%s: no kind of metadata that is known here", b.root, dir)
	}
	return b.each(dir, func(entry fs.DirEntry) error { return b.copyFile(shapes[at], entry.Name()) })
}

// each visits what is in a folder of the source.
func (b *bundle) each(dir string, visit func(fs.DirEntry) error) error {
	entries, err := fs.ReadDir(b.tree, path.Join(b.root, dir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := visit(entry); err != nil {
			return err
		}
	}
	return nil
}

// copyFile takes a file over that is a component by itself.
func (b *bundle) copyFile(s shape, file string) error {
	name, ok := strings.CutSuffix(file, "."+s.suffix+metaSuffix)
	if !ok {
		return b.stray(s.dir, file)
	}
	data, err := fs.ReadFile(b.tree, path.Join(b.root, s.dir, file))
	if err != nil {
		return err
	}
	b.add(s.typ, strings.TrimPrefix(path.Join(s.dir, name), topDir(s.dir)+"/"), path.Join(s.dir, name+"."+s.suffix), data)
	return nil
}

func topDir(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	return top
}

// readReports takes a folder of reports, or what describes it, which is a Report
// whose name ends in a slash.
func (b *bundle) readReports(entry fs.DirEntry) error {
	const dir, typ = "reports", "Report"
	if entry.IsDir() {
		inside := path.Join(dir, entry.Name())
		return b.each(inside, func(file fs.DirEntry) error { return b.copyFile(shape{inside, "report", typ}, file.Name()) })
	}
	name, ok := strings.CutSuffix(entry.Name(), ".reportFolder"+metaSuffix)
	if !ok {
		return b.stray(dir, entry.Name())
	}
	data, err := fs.ReadFile(b.tree, path.Join(b.root, dir, entry.Name()))
	if err != nil {
		return err
	}
	b.add(typ, name+"/", path.Join(dir, name+metaSuffix), data)
	return nil
}

func (b *bundle) add(typ, name, file string, data []byte) {
	if !b.keep(Component{Type: typ, Name: name}) {
		return
	}
	b.components = append(b.components, Component{Type: typ, Name: name})
	b.files[file] = data
}

func (b *bundle) stray(dir, file string) error {
	return fmt.Errorf("%s: what it is does not show in its name", path.Join(b.root, dir, file))
}

// zip packs the files in the order of their names, without times.
func (b *bundle) zip() ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(b.files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// manifest is package.xml.
func (b *bundle) manifest() ([]byte, error) {
	type types struct {
		Members []string `xml:"members"`
		Name    string   `xml:"name"`
	}
	var all struct {
		XMLName xml.Name `xml:"http://soap.sforce.com/2006/04/metadata Package"`
		Types   []types  `xml:"types"`
		Version string   `xml:"version"`
	}
	all.Version = b.version
	for _, c := range b.components { // by type
		if n := len(all.Types); n == 0 || all.Types[n-1].Name != c.Type {
			all.Types = append(all.Types, types{Name: c.Type})
		}
		last := &all.Types[len(all.Types)-1]
		last.Members = append(last.Members, c.Name)
	}
	data, err := xml.MarshalIndent(all, "", "    ")
	return slices.Concat([]byte(xml.Header), data, []byte("\n")), err
}
