package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/store"
)

var _ salesforce.IngestBook = store.BulkJobs{}

func TestABulkJobIsKeptUntilItIsForgotten(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		book := s.BulkJobs()
		job := func(key string) [2]string {
			id, stage, err := book.Job(t.Context(), key)
			require.NoError(t, err)
			return [2]string{id, stage}
		}
		require.Equal(t, [2]string{}, job("a/1"))
		for _, key := range []string{"a", "a/1", "a/1/1", "a/10", "ab", "b/a/1", "A/1"} {
			require.NoError(t, book.Keep(t.Context(), key, "750"+key, "made"))
		}
		require.NoError(t, book.Keep(t.Context(), "a/1", "751", "uploaded"))
		require.Equal(t, [2]string{"751", "uploaded"}, job("a/1"))
		keys, err := book.Under(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, []string{"a/1", "a/1/1", "a/10"}, keys)

		require.NoError(t, book.Forget(t.Context(), "a/1"))
		require.Equal(t, [2]string{}, job("a/1"))
		require.Equal(t, [2]string{}, job("a/1/1"))
		require.Equal(t, [2]string{"750a/10", "made"}, job("a/10"), "it is another one")
		require.NoError(t, book.Forget(t.Context(), "a"))
		for key, left := range map[string]bool{"a": false, "a/10": false, "ab": true, "b/a/1": true, "A/1": true} {
			require.Equal(t, left, job(key) != [2]string{}, key)
		}
		require.NoError(t, book.Forget(t.Context(), "nothing"))
	})
}
