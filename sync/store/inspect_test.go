package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/store"
)

func TestAStoreIsInspectedWithoutLeavingAnythingBehind(t *testing.T) {
	dir := t.TempDir()
	url := "sqlite://" + dir + "/new/twiliosf.db"
	in, err := store.Inspect(url)
	require.NoError(t, err)
	require.Equal(t, store.Inspection{Path: dir + "/new/twiliosf.db", Folder: dir}, in)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "what root makes here, the daemon's user may not write")

	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	in, err = store.Inspect(url)
	require.NoError(t, err)
	require.True(t, in.Exists)
	require.Contains(t, in.Holder, "pid ")
	require.NoError(t, s.Close())
	in, err = store.Inspect(url)
	require.NoError(t, err)
	require.True(t, in.Exists)
	require.Empty(t, in.Holder)
	s, err = store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err, "the look has left the lock free")
	require.NoError(t, s.Close())
}

func TestAStoreThatCannotBeOneIsToldBeforeTheStart(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("not a database at all"), 0o600))
	for name, path := range map[string]string{
		"another kind of file":     text,
		"a folder that is a file":  text + "/twiliosf.db",
		"a folder in place of it":  dir,
		"a read-only file system":  "/proc/twiliosf/twiliosf.db",
		"an address of no kind":    "",
		"an address with a query?": "/tmp/a.db?x=1",
	} {
		_, err := store.Inspect("sqlite://" + path)
		require.Error(t, err, name)
	}
	empty := filepath.Join(dir, "empty.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err := store.Inspect("sqlite://" + empty)
	require.NoError(t, err, "SQLite makes a database of it")
}
