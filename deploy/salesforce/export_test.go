package metadata

import "io/fs"

// BundleOf is Bundle of another tree.
func BundleOf(tree fs.FS) ([]byte, error) {
	b, err := read(tree, everything)
	if err != nil {
		return nil, err
	}
	return b.zip()
}
