package demo

import (
	"context"
	"sync"
	"time"

	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
)

// Serve keeps a sandbox alive with people who write to each other until ctx
// ends: history past messages, then live traffic. Without history the account
// stays as it is.
func Serve(ctx context.Context, s *sandbox.Sandbox, history int) {
	var calling sync.WaitGroup
	calling.Go(func() { s.Twilio.Run(ctx) })
	defer calling.Wait()
	if history <= 0 {
		<-ctx.Done()
		return
	}
	t := NewTraffic(s.Twilio, TrafficOptions{})
	t.History(time.Now(), history)
	t.Run(ctx)
}
