package logger_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
)

func TestLevelsOfLogr(t *testing.T) {
	for _, c := range []struct {
		name  string
		level slog.Level
		want  []string
	}{
		{"info", slog.LevelInfo, []string{"INFO  v0 logger=ctl a=1", "ERROR failed logger=ctl err=conflict token=***"}},
		{"debug", slog.LevelDebug, []string{"INFO  v0 logger=ctl a=1", "D+3   v1 logger=ctl", "DEBUG v4 logger=ctl", "ERROR failed logger=ctl err=conflict token=***"}},
		{"below debug", -5, []string{"INFO  v0 logger=ctl a=1", "D+3   v1 logger=ctl", "DEBUG v4 logger=ctl", "D-1   v5 logger=ctl", "ERROR failed logger=ctl err=conflict token=***"}},
		{"error", slog.LevelError, []string{"ERROR failed logger=ctl err=conflict token=***"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJournal()
			o := j.options(logger.Console)
			o.Level = c.level
			log := logger.Logr(logger.New(o)).WithName("ctl")
			log.Info("v0", "a", 1)
			log.V(1).Info("v1")
			log.V(4).Info("v4")
			log.V(5).Info("v5")
			log.Error(errors.New("conflict"), "failed", "token", "pw")
			assert.Equal(t, c.want, j.take(t))
			assert.Equal(t, c.level <= 0, log.Enabled())
		})
	}
}
