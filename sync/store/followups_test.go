package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/followup/followuptest"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/store"
)

func TestTheStoreKeepsFollowUps(t *testing.T) {
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			followuptest.TestQueue(t, func(t *testing.T) followup.Queue {
				s, err := store.Open(t.Context(), store.Options{URL: fresh(t), Version: "test"})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, s.Close()) })
				return s.FollowUps()
			})
		})
	}
}

func TestFollowUpsOutliveARestart(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(t.Context(), store.Options{URL: url, Version: "test"})
	require.NoError(t, err)
	require.NoError(t, s.FollowUps().Add(t.Context(), []message.FollowUp{followuptest.Status(1, "delivered")}))
	require.NoError(t, s.Close())
	s, err = store.Open(t.Context(), store.Options{URL: url, Version: "test"})
	require.NoError(t, err)
	due, err := s.FollowUps().Due(t.Context(), message.FollowStatus, now, 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, followuptest.Status(1, "delivered"), due[0].FollowUp)
	require.NoError(t, s.Close())
}
