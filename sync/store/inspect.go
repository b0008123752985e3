package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// Inspection is what can be said of a store without opening it.
type Inspection struct {
	Path string
	// Exists is false before the first start.
	Exists bool
	// Folder is where the file is, or the nearest folder above that is there.
	Folder string
	// Holder is the process that has it, "" for none: "pid 4711 on db1".
	Holder string
}

// Inspect says whether this user could open the store, and whether a process has
// it. It leaves nothing behind: what root makes here, the daemon's user may not
// write. Whether the user may write a folder is found by making a file in it, for
// a read-only file system refuses what the permissions allow.
func Inspect(storeURL string) (Inspection, error) {
	d, err := dialectOf(storeURL)
	if err != nil {
		return Inspection{}, err
	}
	file, ok := d.(sqlite)
	if !ok {
		return Inspection{}, nil
	}
	in := Inspection{Path: file.path, Folder: filepath.Dir(file.path)}
	for {
		_, err := os.Stat(in.Folder)
		if !errors.Is(err, fs.ErrNotExist) || in.Folder == filepath.Dir(in.Folder) {
			break
		}
		in.Folder = filepath.Dir(in.Folder)
	}
	if err := writable(in.Folder); err != nil {
		return in, fmt.Errorf("store: %w", err)
	}
	if in.Exists, err = database(file.path); err != nil {
		return in, err
	}
	in.Holder, err = holder(file.path + ".lock")
	return in, err
}

func writable(folder string) error {
	f, err := os.CreateTemp(folder, ".twiliosf-check-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// database opens the file as the daemon would and looks at its first bytes.
// https://www.sqlite.org/fileformat.html#the_database_header
func database(path string) (exists bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("store: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return true, fmt.Errorf("store: %w", err)
	}
	if n > 0 && !bytes.Equal(head[:n], []byte("SQLite format 3\x00")) {
		return true, fmt.Errorf("store: %s is not a SQLite file", path)
	}
	return true, nil
}

// holder is who has the lock, which is tried only where its file is there.
func holder(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", nil //nolint:nilerr // no process has ever had it
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := lock.TryLock()
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	if free {
		return "", lock.Unlock()
	}
	said, err := os.ReadFile(path) //nolint:gosec // as above
	if err != nil || len(said) == 0 {
		return "a process that did not say who it is", nil //nolint:nilerr // that it is held is what was asked
	}
	return strings.TrimSpace(string(said)), nil
}
