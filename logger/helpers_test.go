package logger_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalelab/scalelab/logger"

	testingclock "k8s.io/utils/clock/testing"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// journal is a log in memory on a clock of its own.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	clock *testingclock.FakePassiveClock
}

func newJournal() *journal { return &journal{clock: testingclock.NewFakePassiveClock(noon)} }

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// at sets the clock to so many seconds after noon.
func (j *journal) at(seconds int) {
	j.clock.SetTime(noon.Add(time.Duration(seconds) * time.Second))
}

// take gives the lines since the last call, without the part of them that is the
// same everywhere.
func (j *journal) take(t *testing.T) []string {
	t.Helper()
	text := strings.TrimSuffix(j.text.String(), "\n")
	j.text.Reset()
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "2026-01-02T12:00:00.000Z ")
		lines[i] = strings.Replace(lines[i], `"time":"2026-01-02T12:00:00Z",`, "", 1)
	}
	return lines
}

func (j *journal) options(format logger.Format) logger.Options {
	return logger.Options{Writer: j, Format: format, Clock: j.clock}
}
