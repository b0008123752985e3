package jobs_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/twiliosf/twiliosf/sync/jobs"
	"github.com/twiliosf/twiliosf/sync/jobs/jobstest"
	"github.com/twiliosf/twiliosf/sync/store"
)

func openRiver(ctx context.Context, st *store.Store, o jobs.Options) (jobs.Engine, error) {
	return jobs.NewRiver(ctx, st, o)
}

func openMemory(ctx context.Context, st *store.Store, o jobs.Options) (jobs.Engine, error) {
	return jobstest.NewMemory(ctx, st, o)
}

func TestRiver(t *testing.T)  { jobstest.TestEngine(t, openRiver) }
func TestMemory(t *testing.T) { jobstest.TestEngine(t, openMemory) }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
