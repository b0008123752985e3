package e2e_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func copyInto(to fstest.MapFS, from fs.FS) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, path)
		to[path] = &fstest.MapFile{Data: data, Mode: 0o600}
		return err
	})
}

// replaced fails when there is nothing to replace: a test on metadata that has
// changed its form would show nothing.
func replaced(t *testing.T, text, what, by string) string {
	t.Helper()
	require.Contains(t, text, what)
	return strings.Replace(text, what, by, 1)
}
