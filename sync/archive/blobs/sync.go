package blobs

import (
	"errors"
	"os"
	"path/filepath"
)

// syncFile makes a file of a folder durable: its data, and its name in each
// folder from its own up to the one that holds the root, for any of them may be
// new. Nobody but the daemon's user reads it: bodies are in there.
func syncFile(root, name string) error {
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if err := syncOne(path); err != nil {
		return err
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if err := syncOne(dir); err != nil {
			return err
		}
		if dir == root {
			return syncOne(filepath.Dir(root))
		}
		if dir == filepath.Dir(dir) {
			return errors.New("the file is not below its root")
		}
	}
}

func syncOne(path string) (err error) {
	f, err := os.Open(path) //nolint:gosec // a path of ours
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}
