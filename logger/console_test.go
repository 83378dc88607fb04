package logger_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConsoleLines(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"values of every kind", func(l *slog.Logger) {
			l.Info("scaled from zero", "text", "a", "int", -1, "uint", uint64(2), "x", 1.5, "yes", true, "took", 1500*time.Millisecond, "at", noon, "err", errors.New("no"))
		}, "INFO  scaled from zero text=a int=-1 uint=2 x=1.5 yes=true took=1.5s at=2026-01-02T12:00:00Z err=no"},
		{"texts that need quotes", func(l *slog.Logger) {
			l.Info("m", "a", "two words", "b", "", "c", "x=y", "d", `say "hi"`, "e", "line\nbreak", "f", "\xff", "two words", "ü")
		}, `INFO  m a="two words" b="" c="x=y" d="say \"hi\"" e="line\nbreak" f="\xff" "two words"=ü`},
		{"a message cannot forge a line", func(l *slog.Logger) { l.Info("a\nERROR b \xff") }, `INFO  a\nERROR b \xff`},
		{"groups", func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g h").Info("m", "b", 2, slog.Group("i", "c", 3), slog.Group("", "d", 4), slog.Group("empty"))
		}, `INFO  m a=1 "g h.b"=2 "g h.i.c"=3 "g h.d"=4`},
		{"other values", func(l *slog.Logger) {
			l.Info("m", "list", []int{1, 2}, "panics", shouter{}, "mute", mute{"m"}, "marshals", slog.LevelWarn, "nil", nil)
		}, `INFO  m list="[1 2]" panics="!PANIC: no" mute={Name:m} marshals=WARN nil=<nil>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJournal()
			c.log(logger.New(j.options(logger.Console)))
			assert.Equal(t, []string{c.want}, j.take(t))
		})
	}
}

func TestLevelsAreAligned(t *testing.T) {
	j := newJournal()
	o := j.options(logger.Console)
	o.Level = slog.Level(-20)
	for _, level := range []slog.Level{-14, -4, -1, 0, 2, 4, 8, 12} {
		logger.New(o).Log(t.Context(), level, "m")
	}
	assert.Equal(t, []string{"D-10  m", "DEBUG m", "D+3   m", "INFO  m", "I+2   m", "WARN  m", "ERROR m", "E+4   m"}, j.take(t))
}

func TestColors(t *testing.T) {
	j := newJournal()
	o := j.options(logger.Console)
	o.Color, o.Level = true, slog.LevelDebug
	log := logger.New(o)
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		log.Log(t.Context(), level, "m", "a", 1)
	}
	const rest = "\x1b[0m m \x1b[2ma=\x1b[0m1"
	assert.Equal(t, []string{"\x1b[90mDEBUG" + rest, "\x1b[32mINFO " + rest, "\x1b[33mWARN " + rest, "\x1b[31mERROR" + rest}, j.take(t))
}

func TestALongLineIsOneWrite(t *testing.T) {
	j := newJournal()
	log := logger.New(j.options(logger.Console))
	log.Info(strings.Repeat("x", 100_000))
	log.Info("m")
	lines := j.take(t)
	require.Len(t, lines, 2)
	assert.Len(t, lines[0], len("INFO  ")+100_000)
}
