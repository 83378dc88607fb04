package logger

import (
	"log/slog"

	"github.com/go-logr/logr"
)

// Logr gives a logger to code that wants logr, such as client-go. Its V(n) is
// the slog level -n: V(0) is slog.LevelInfo, V(4) is slog.LevelDebug, and V(5)
// and above need a Level below slog.LevelDebug. Error is slog.LevelError, with
// the error as the attribute err; a name is the attribute logger.
func Logr(l *slog.Logger) logr.Logger { return logr.FromSlogHandler(l.Handler()) }
