package checkup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/cmd/internal/checkup"
)

func TestWhereAllIsWellEachFactIsOk(t *testing.T) {
	r := setup{}.look(t)
	require.True(t, r.Runs)
	for _, f := range r.Facts {
		require.Equal(t, checkup.OK, f.State, "%s", lines(r))
	}
	t.Log(lines(r))
}
