package activator

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing/synctest"
	"time"
)

// settle lets everything happen that follows at this instant: first answers get
// back to the activators, then those that are admitted choose their pods, in the
// order in which they came.
func (c *conductor) settle() error {
	for {
		synctest.Wait()
		c.hear()
		if err := c.seeCapacities(); err != nil {
			return err
		}
		list := &c.answered
		if len(*list) == 0 {
			list = &c.admitted
		}
		if len(*list) == 0 {
			return nil
		}
		slices.SortFunc(*list, func(a, b *request) int {
			return cmp.Or(cmp.Compare(a.activator, b.activator), cmp.Compare(a.index, b.index))
		})
		q := (*list)[0]
		*list = (*list)[1:]
		q.goes <- struct{}{}
	}
}

// hear looks at the requests that have come to another place.
func (c *conductor) hear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.news
	c.news = nil
	for _, n := range news {
		q := n.request
		switch n.to {
		case admitted:
			c.admitted = append(c.admitted, q)
			if c.now > q.arrival {
				c.waits.Record(c.now - q.arrival)
			}
			c.counts.when(c.now == q.arrival, "activator:admits_at_once")
			c.counts.when(c.now > q.arrival, "activator:admits_later")
		case inPod:
			q.entered = c.now
		case inService:
			c.counts.when(c.now == q.entered, "pod:serves_at_once")
			c.counts.when(c.now > q.entered, "pod:serves_later")
			c.add(cue{at: c.now + q.service, rank: thenServed, pod: q.pod, order: q.order, happens: func() error {
				c.mu.Lock()
				serves := q.place == inService
				c.mu.Unlock()
				if serves {
					q.goes <- struct{}{}
				}
				return nil
			}})
		case answered:
			c.counts.when(q.order == 0 && c.gaveUp(q), "pod:gives_up_waiting")
			c.counts.when(q.order > 0 && c.gaveUp(q), "pod:gives_up_in_service")
			c.counts.when(q.order == 0 && !c.gaveUp(q), "pod:refuses")
			c.answered = append(c.answered, q)
		case over:
			c.ends(q)
		}
	}
}

func (c *conductor) ends(q *request) {
	q.cancel()
	switch {
	case c.gaveUp(q):
		c.timedOut++
		if q.pod == nowhere {
			c.waits.Record(c.now - q.arrival)
			c.counts.when(true, "activator:gives_up_waiting")
		}
	case q.status == http.StatusOK:
		c.done++
	default:
		c.rejected++
	}
}

// gaveUp says whether a request ends because its client has gone.
func (c *conductor) gaveUp(q *request) bool {
	return c.spec.RequestTimeout > 0 && c.now == q.arrival+c.spec.RequestTimeout
}

// RoundTrip answers the probe of an activator as a pod's queue-proxy does: by its
// name once the container takes requests.
func (c *conductor) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Since(c.begun)
	l := c.lives[podOf(r.URL.Host)]
	switch {
	case now >= l.listens:
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("queue"))}, nil
	case c.answers:
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	}
	return nil, errors.New("connection refused")
}
