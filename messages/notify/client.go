package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/scalelab/scalelab/messages"
)

// Client is the proxy's side. It is for many goroutines.
type Client struct {
	options Options
	url     string

	mu       sync.Mutex
	windows  *windows
	underway map[service]*flight // bounded by the callers of Notify
}

// flight is one notification on its way, with who waits for it.
type flight struct {
	done chan struct{} // closed when err holds
	err  error
	// abandoned says that the caller who sent it gave up: its error says
	// nothing about the operator, and another caller takes over.
	abandoned bool
}

// NewClient gives a client with the options' defaults filled in. Its errors are
// messages.Problems.
func NewClient(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.WithDefaults()
	return &Client{
		options:  o,
		url:      strings.TrimRight(o.BaseURL, "/") + Path,
		windows:  newWindows(o.Window, o.MaxServices),
		underway: map[service]*flight{},
	}, nil
}

// Notify tells the operator of requests that wait for a service, at most once
// in a window per namespace and service: within the window of a notification
// that was answered with 200 it returns nil at once and sends nothing. While
// one is under way, further callers wait for it and share its outcome.
//
// A failure, which is returned after the last attempt, opens no window: the next
// Notify sends again. It is a *StatusError for an answer other than 200, and
// wraps the context's cause if ctx ended first.
func (c *Client) Notify(ctx context.Context, m messages.RequestCount) error {
	if err := m.Validate(); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	s := service{m.Namespace, m.Svc}
	for {
		mine, other := c.join(s)
		switch {
		case mine != nil:
			return c.lead(ctx, s, mine, m)
		case other == nil:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("notify: %s/%s: %w", s.namespace, s.name, context.Cause(ctx))
		case <-other.done:
			if !other.abandoned {
				return other.err
			}
		}
	}
}

// join gives a flight to lead, or the other one that is under way, or neither
// while a window is open.
func (c *Client) join(s service) (mine, other *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.underway[s]; other != nil {
		return nil, other
	}
	if c.windows.open(s, c.options.Clock.Now()) {
		return nil, nil
	}
	mine = &flight{done: make(chan struct{})}
	c.underway[s] = mine
	return mine, nil
}

// lead sends the notification and tells those who wait how it went.
func (c *Client) lead(ctx context.Context, s service, f *flight, m messages.RequestCount) error {
	// Also when the HTTP client's transport panics, nobody may wait forever.
	f.abandoned = true
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.underway, s)
		if !f.abandoned && f.err == nil {
			c.windows.start(s, c.options.Clock.Now())
		}
		close(f.done)
	}()
	if err := c.send(ctx, m); err != nil {
		f.err = fmt.Errorf("notify: %s/%s: %w", s.namespace, s.name, err)
	}
	f.abandoned = f.err != nil && ctx.Err() != nil
	return f.err
}

// send tries until the operator takes the message, refuses it, or the attempts
// are used up.
func (c *Client) send(ctx context.Context, m messages.RequestCount) error {
	body, _ := json.Marshal(m) // numbers and strings: cannot fail
	for n := 1; ; n++ {
		err := c.post(ctx, body)
		var status *StatusError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &status) && status.Code < http.StatusInternalServerError:
			return err
		case n >= c.options.Retry.Attempts:
			return fmt.Errorf("attempt %d of %d: %w", n, c.options.Retry.Attempts, err)
		}
		timer := c.options.Clock.NewTimer(c.options.Retry.wait(n))
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C():
		}
	}
}

// post is one attempt.
func (c *Client) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.options.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// Read to the end, so that the connection can be used again; what cannot be
	// read of an answer does not change its status.
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if response.StatusCode == http.StatusOK {
		return nil
	}
	var said answer
	_ = json.Unmarshal(text, &said)
	return &StatusError{Code: response.StatusCode, Message: said.Message}
}
