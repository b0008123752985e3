package daemon

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/mirror/mirrortest"
	"github.com/twiliosf/twiliosf/sync/store"
)

func TestACallThatCannotBeKeptIsSaidButACallerWhoHangsUpIsNobodysFault(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "t.db"), Version: "test"})
	require.NoError(t, err)
	h := health.New(zap.NewNop(), nil)
	m, err := mirror.New(mirror.Ports{People: mirror.Strangers{},
		Source: &mirrortest.Account{}, Sink: &mirrortest.Org{}, Ledger: st, Open: st, Changes: st, Cursors: st,
		Backlog: &backlog{Store: st}, Events: st, Health: h,
	}, mirror.Options{})
	require.NoError(t, err)
	in := &inbox{mirror: m.Inbox, health: h}
	e := message.Event{Kind: message.InboundEvent, SID: mirrortest.SID(1), Status: message.Received, Received: time.Now().UTC().Truncate(time.Second)}

	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	_, err = in.Accept(gone, e)
	require.Error(t, err)
	require.True(t, h.Ready())
	require.Empty(t, h.Active())

	require.NoError(t, st.Close())
	_, err = in.Accept(t.Context(), e)
	require.Error(t, err)
	require.Equal(t, condNotKept, h.Active()[0].Name)
	require.False(t, h.Ready())
}
