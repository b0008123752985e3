package salesforce

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// measure counts and times every exchange, logins included.
type measure struct {
	next    link
	metrics *metrics
}

func (m *measure) exchange(ctx context.Context, r *request) (*answer, error) {
	began := time.Now()
	a, err := m.next.exchange(ctx, r)
	class := "ok"
	if err != nil {
		class = fault.ClassOf(err).String()
	}
	m.metrics.exchanges.WithLabelValues(r.op, class).Observe(time.Since(began).Seconds())
	return a, err
}
