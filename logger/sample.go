package logger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Sampling counts duplicates: records of the same level and message, whatever
// their attributes. A window begins with a record whose message has none open.
// The first records in it are written, and the rest are counted. When the window
// is over, the next record of whatever message, or Flush, writes the count: the
// message once more, with the attributes suppressed and since.
//
// With a window of 10 s and First 3, a message logged every second from second 0
// is written at seconds 0, 1, 2, and at second 10 twice: suppressed=7, and again
// as the first of its next window.
type Sampling struct {
	Window time.Duration // 0 or less: no sampling
	First  int           // records of a window that are written; less than 1: 1
	// Messages bounds how many windows are open at once; less than 1: 1024. One
	// more ends the oldest early.
	Messages int
}

const (
	defaultMessages = 1024
	// maxSampledMessage bounds the memory of a window. Longer messages hold values,
	// so they have no duplicates; they are all written.
	maxSampledMessage = 1024
)

// message is what makes two records duplicates.
type message struct {
	level slog.Level
	text  string
}

// burst is a window with what was left out of it.
type burst struct {
	level       slog.Level
	message     string
	since, last time.Time
	seen        int
	suppressed  int
}

type sampler struct {
	window time.Duration
	first  int
	most   int

	mu    sync.Mutex
	open  map[message]*burst
	queue []*burst // open, the oldest first: all windows have one length
}

func newSampler(s Sampling) *sampler {
	if s.Messages < 1 {
		s.Messages = defaultMessages
	}
	return &sampler{window: s.Window, first: max(1, s.First), most: s.Messages, open: map[message]*burst{}}
}

// admit counts a record and says whether it is written. It ends the windows that
// are over and gives those that something was left out of.
func (s *sampler) admit(now time.Time, level slog.Level, text string) (ended []burst, passes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && now.Sub(s.queue[0].since) >= s.window {
		ended = s.endOldest(ended)
	}
	if len(text) > maxSampledMessage {
		return ended, true
	}
	key := message{level, text}
	b, seen := s.open[key]
	if !seen {
		if len(s.queue) == s.most {
			ended = s.endOldest(ended)
		}
		b = &burst{level: level, message: text, since: now}
		s.open[key] = b
		s.queue = append(s.queue, b)
	}
	b.last = now
	if b.seen < s.first {
		b.seen++
		return ended, true
	}
	b.suppressed++
	return ended, false
}

// end ends all windows.
func (s *sampler) end() []burst {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ended []burst
	for len(s.queue) > 0 {
		ended = s.endOldest(ended)
	}
	return ended
}

func (s *sampler) endOldest(ended []burst) []burst {
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	delete(s.open, message{b.level, b.message})
	if b.suppressed > 0 {
		ended = append(ended, *b)
	}
	return ended
}

// summarize logs how many duplicates were left out, at the time of a record. The
// context's fields are not theirs.
func (h *Handler) summarize(ctx context.Context, ended []burst, at slog.Record) error {
	var errs []error
	for _, b := range ended {
		r := slog.NewRecord(at.Time, b.level, b.message, 0)
		r.AddAttrs(slog.Int("suppressed", b.suppressed), slog.Time("since", b.since))
		errs = append(errs, h.top.write(ctx, r, nil))
	}
	return errors.Join(errs...)
}

// errForeign says that Flush was given a logger of another package.
var errForeign = errors.New("flushing a log: the logger was not made by this package")

// Flush logs the counts of all duplicates that were left out so far, and forgets
// what it has seen.
func Flush(ctx context.Context, l *slog.Logger) error {
	h, ok := l.Handler().(*Handler)
	if !ok {
		return errForeign
	}
	if h.sampler == nil {
		return nil
	}
	ended := h.sampler.end()
	var at slog.Record
	if len(ended) > 0 {
		at.Time = ended[len(ended)-1].last
	}
	h.stamp(&at)
	return h.summarize(ctx, ended, at)
}
