package logger_test

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sampling(j *journal, s logger.Sampling) *slog.Logger {
	o := j.options(logger.Console)
	o.Sampling = s
	return logger.New(o)
}

func TestDuplicatesAreCounted(t *testing.T) {
	j := newJournal()
	log := sampling(j, logger.Sampling{Window: 10 * time.Second, First: 3})
	for second := range 12 {
		j.at(second)
		log.With("g", 1).Warn("slow", "second", second)
	}
	assert.Equal(t, []string{
		"WARN  slow g=1 second=0",
		"2026-01-02T12:00:01.000Z WARN  slow g=1 second=1",
		"2026-01-02T12:00:02.000Z WARN  slow g=1 second=2",
		"2026-01-02T12:00:10.000Z WARN  slow suppressed=7 since=2026-01-02T12:00:00Z",
		"2026-01-02T12:00:10.000Z WARN  slow g=1 second=10",
		"2026-01-02T12:00:11.000Z WARN  slow g=1 second=11",
	}, j.take(t))
}

func TestLevelAndMessageMakeADuplicate(t *testing.T) {
	j := newJournal()
	log := sampling(j, logger.Sampling{Window: time.Second})
	log.Info("a", "x", 1)
	log.Info("a", "x", 2)
	log.Warn("a")
	log.Info("b")
	log.WithGroup("g").Info("b")
	log.Debug("a")
	assert.Equal(t, []string{"INFO  a x=1", "WARN  a", "INFO  b"}, j.take(t))
	j.at(1)
	ctx := logger.With(t.Context(), slog.Int("request", 7))
	log.InfoContext(ctx, "c")
	assert.Equal(t, []string{
		"2026-01-02T12:00:01.000Z INFO  a suppressed=1 since=2026-01-02T12:00:00Z",
		"2026-01-02T12:00:01.000Z INFO  b suppressed=1 since=2026-01-02T12:00:00Z",
		"2026-01-02T12:00:01.000Z INFO  c request=7",
	}, j.take(t))
}

func TestFlushWritesTheCounts(t *testing.T) {
	j := newJournal()
	log := sampling(j, logger.Sampling{Window: time.Minute})
	require.NoError(t, logger.Flush(t.Context(), log))
	assert.Empty(t, j.take(t))
	for range 3 {
		log.Info("a")
	}
	log.Info("b")
	j.at(5)
	require.NoError(t, logger.Flush(t.Context(), log))
	log.Info("a")
	assert.Equal(t, []string{
		"INFO  a",
		"INFO  b",
		"2026-01-02T12:00:05.000Z INFO  a suppressed=2 since=2026-01-02T12:00:00Z",
		"2026-01-02T12:00:05.000Z INFO  a",
	}, j.take(t))
	assert.NoError(t, logger.Flush(t.Context(), logger.New(logger.Options{})))
	assert.EqualError(t, logger.Flush(t.Context(), slog.New(slog.DiscardHandler)), "flushing a log: the logger was not made by this package")
}

func TestMemoryOfSamplingIsBounded(t *testing.T) {
	j := newJournal()
	log := sampling(j, logger.Sampling{Window: time.Hour, Messages: 2})
	for _, message := range []string{"a", "a", "b", "b", "b", "c", "a", "b"} {
		log.Info(message)
	}
	assert.Equal(t, []string{
		"INFO  a", "INFO  b",
		"INFO  a suppressed=1 since=2026-01-02T12:00:00Z", "INFO  c",
		"INFO  b suppressed=2 since=2026-01-02T12:00:00Z", "INFO  a",
		"INFO  b",
	}, j.take(t))
	long := strings.Repeat("x", 1025)
	log.Info(long)
	log.Info(long)
	assert.Len(t, j.take(t), 2, "a long message is not held")
}

func TestSamplingIsDeterministicAndLosesNothing(t *testing.T) {
	run := func() []string {
		j := newJournal()
		log := sampling(j, logger.Sampling{Window: 7 * time.Second, First: 2, Messages: 5})
		for i := range 500 {
			j.at(i * i % 97) // also backwards
			log.Info("message " + strconv.Itoa(i*7%11))
		}
		require.NoError(t, logger.Flush(t.Context(), log))
		return j.take(t)
	}
	lines := run()
	assert.Equal(t, lines, run())
	seen := 0
	for _, line := range lines {
		if strings.Contains(line, "suppressed=") {
			seen += parseCount(t, line)
		} else {
			seen++
		}
	}
	assert.Equal(t, 500, seen)
}

func TestRecordsWithoutATimeAreNotSampled(t *testing.T) {
	j := newJournal()
	h := sampling(j, logger.Sampling{Window: time.Hour}).Handler()
	for range 2 {
		require.NoError(t, h.Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "a", 0)))
	}
	assert.Equal(t, []string{"INFO  a", "INFO  a"}, j.take(t))
}
