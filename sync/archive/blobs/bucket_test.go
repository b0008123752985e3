package blobs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/archive/blobs"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func open(t *testing.T, url string) *blobs.Bucket {
	t.Helper()
	b, err := blobs.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestAFolderAndAStoreKeepFilesAlike(t *testing.T) {
	for name, url := range map[string]string{"folder": "file://" + filepath.Join(t.TempDir(), "new", "archive"), "store": "mem://"} {
		t.Run(name, func(t *testing.T) {
			b, ctx := open(t, url), t.Context()
			_, err := b.Get(ctx, "messages/month=2025-03/a.parquet")
			require.ErrorIs(t, err, archive.ErrNoFile)
			for _, file := range []string{"messages/month=2025-03/b.parquet", "messages/month=2025-03/a.parquet", "manifests/a.json"} {
				require.NoError(t, b.Put(ctx, file, []byte("first")))
				require.NoError(t, b.Put(ctx, file, []byte(file)))
				got, err := b.Get(ctx, file)
				require.NoError(t, err)
				require.Equal(t, file, string(got))
			}
			all, err := b.List(ctx, "messages/")
			require.NoError(t, err)
			require.Equal(t, []string{"messages/month=2025-03/a.parquet", "messages/month=2025-03/b.parquet"}, all)
			require.NoError(t, b.Remove(ctx, "manifests/a.json"))
			require.NoError(t, b.Remove(ctx, "manifests/a.json"))
			all, err = b.List(ctx, "manifests/")
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
}

// Bodies are in there.
func TestNobodyElseReadsTheFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "archive")
	b := open(t, "file://"+root)
	require.NoError(t, b.Put(t.Context(), "messages/month=2025-03/a.parquet", []byte("x")))
	month := filepath.Join(root, "messages", "month=2025-03")
	for path, mode := range map[string]os.FileMode{root: 0o700, month: 0o700, filepath.Join(month, "a.parquet"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestATargetThatCannotBeWrittenIsAFaultWithARemedy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := open(t, "file://"+file+"/archive").Put(t.Context(), "messages/a.parquet", []byte("x"))
	require.Equal(t, "archive-target", fault.Of(err).Condition)
	require.Contains(t, fault.Hint(err), "archive.to")
}

func TestATargetThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"file://host/folder", "file:relative", "file:///x?y=z", "ftp://x", "gs://bucket", "%zz"} {
		_, err := blobs.Open(t.Context(), url)
		require.Error(t, err, url)
	}
}
