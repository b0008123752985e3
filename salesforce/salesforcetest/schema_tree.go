package salesforcetest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
)

// addSource reads every object of an SFDX source tree. The objects folder may be
// at the root or under force-app/main/default.
func (s *schema) addSource(tree fs.FS) error {
	root := ""
	for _, dir := range []string{"objects", "force-app/main/default/objects"} {
		if info, err := fs.Stat(tree, dir); err == nil && info.IsDir() {
			root = dir
			break
		}
	}
	if root == "" {
		return errors.New("the schema has no objects folder, neither at its root nor under force-app/main/default")
	}
	dirs, err := fs.ReadDir(tree, root)
	if err != nil {
		return fmt.Errorf("read %s: %w", root, err)
	}
	if err := mastersFirst(tree, root, dirs); err != nil {
		return err
	}
	for _, d := range dirs { // objects first: fields may refer to any of them
		if err := s.addSourceObject(tree, root, d.Name()); err != nil {
			return err
		}
	}
	for _, d := range dirs {
		if err := s.addSourceFields(tree, path.Join(root, d.Name(), "fields"), s.object(d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// mastersFirst puts the masters of details before all others, as they must be
// made before them in an org, which gives key prefixes in that order.
func mastersFirst(tree fs.FS, root string, dirs []fs.DirEntry) error {
	masters := map[string]bool{}
	for _, d := range dirs {
		files, err := fs.Glob(tree, path.Join(root, d.Name(), "fields", "*.field-meta.xml"))
		if err != nil {
			return err
		}
		for _, file := range files {
			data, err := fs.ReadFile(tree, file)
			if err != nil || !bytes.Contains(data, []byte("MasterDetail")) {
				continue // what cannot be read is told of below
			}
			var x sfdxField
			if xml.Unmarshal(data, &x) == nil && x.Type == "MasterDetail" {
				masters[x.ReferenceTo] = true
			}
		}
	}
	sort.SliceStable(dirs, func(i, j int) bool { return masters[dirs[i].Name()] && !masters[dirs[j].Name()] })
	return nil
}

func decodeXML(tree fs.FS, name string, into any) error {
	data, err := fs.ReadFile(tree, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := xml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
