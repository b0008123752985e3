package jobs

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
)

// warnings forwards River's warnings to our log. Of the attributes it keeps
// those that cannot hold a job's arguments.
type warnings struct{ log *zap.Logger }

// Enabled implements slog.Handler.
func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w *warnings) Handle(_ context.Context, rec slog.Record) error {
	var fields []zap.Field
	rec.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "err", "error", "queue", "job_id", "client_id":
			fields = append(fields, zap.String(a.Key, a.Value.String()))
		}
		return true
	})
	w.log.Warn("river: "+rec.Message, fields...)
	return nil
}

// WithAttrs implements slog.Handler.
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w *warnings) WithGroup(string) slog.Handler { return w }
