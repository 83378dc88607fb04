package logger_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/scalelab/scalelab/logger"

	testingclock "k8s.io/utils/clock/testing"
)

// BenchmarkLog compares with a plain slog.JSONHandler. Every record has five
// attributes; where one is masked, plain writes its text.
func BenchmarkLog(b *testing.B) {
	now := testingclock.NewFakePassiveClock(noon)
	options := logger.Options{Writer: io.Discard, Clock: now}
	sampling := options
	sampling.Sampling = logger.Sampling{Window: time.Minute}
	console := options
	console.Format = logger.Console
	plain := slog.New(slog.NewJSONHandler(io.Discard, nil))
	ctx := context.Background()
	withFields := logger.With(ctx, slog.String("request", "7"))
	for _, c := range []struct {
		name  string
		log   *slog.Logger
		level slog.Level
		ctx   context.Context
		key   string
	}{
		{"disabled/plain", plain, slog.LevelDebug, ctx, "pod"},
		{"disabled/logger", logger.New(options), slog.LevelDebug, ctx, "pod"},
		{"record/plain", plain, slog.LevelInfo, ctx, "pod"},
		{"record/logger", logger.New(options), slog.LevelInfo, ctx, "pod"},
		{"record/console", logger.New(console), slog.LevelInfo, ctx, "pod"},
		{"masked/plain", plain, slog.LevelInfo, ctx, "token"},
		{"masked/logger", logger.New(options), slog.LevelInfo, ctx, "token"},
		{"fields/logger", logger.New(options), slog.LevelInfo, withFields, "pod"},
		{"duplicate/plain", plain, slog.LevelInfo, ctx, "pod"},
		{"duplicate/logger", logger.New(sampling), slog.LevelInfo, ctx, "pod"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.log.LogAttrs(c.ctx, c.level, "scaled from zero", slog.String("namespace", "shop"), slog.String("service", "cart"),
					slog.String(c.key, "cart-5f7b"), slog.Int("replicas", 3), slog.Duration("took", 1500*time.Millisecond))
			}
		})
	}
}
