package handler

import (
	"context"
	"sync"
)

// turns gives every target to one task at a time, in the order of asking: a
// wake-up that comes during a poll is carried out right after it.
type turns[K comparable] struct {
	mu    sync.Mutex
	lines map[K]*line
}

// line is a target that somebody works on or waits for.
type line struct {
	gate  chan struct{} // holds a value while somebody works
	users int           // working or waiting
}

// take waits for the turn. What it returns ends the turn and is called once. An
// error means that ctx ended first.
func (t *turns[K]) take(ctx context.Context, target K) (func(), error) {
	t.mu.Lock()
	l := t.lines[target]
	if l == nil {
		l = &line{gate: make(chan struct{}, 1)}
		if t.lines == nil {
			t.lines = map[K]*line{}
		}
		t.lines[target] = l
	}
	l.users++
	t.mu.Unlock()

	select {
	case l.gate <- struct{}{}:
		return func() { <-l.gate; t.leave(target, l) }, nil
	case <-ctx.Done():
		t.leave(target, l)
		return nil, context.Cause(ctx)
	}
}

// leave forgets a line that nobody uses: targets come and go.
func (t *turns[K]) leave(target K, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(t.lines, target)
	}
}
