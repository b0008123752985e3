package daemon

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/twiliosf/twiliosf/config"
)

// newLogger writes to standard error: as JSON for journald and collectors, or as
// text for people.
func newLogger(c config.Log) (*zap.Logger, zap.AtomicLevel, error) {
	level := zap.NewAtomicLevelAt(levelOf(c))
	z := zap.NewProductionConfig()
	z.Level = level
	z.Sampling = nil // conditions are rare as it is, and none may be missing
	z.DisableCaller, z.DisableStacktrace = true, true
	z.EncoderConfig.TimeKey, z.EncoderConfig.EncodeTime = "time", zapcore.RFC3339TimeEncoder
	z.EncoderConfig.EncodeDuration = zapcore.StringDurationEncoder
	if c.Format == "console" {
		z.Encoding = "console"
		z.EncoderConfig.EncodeLevel = zapcore.CapitalLevelEncoder
	}
	log, err := z.Build()
	if err != nil {
		return nil, level, fmt.Errorf("log: %w", err)
	}
	return log, level, nil
}

func levelOf(c config.Log) zapcore.Level {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return zap.InfoLevel
	}
	return level
}
