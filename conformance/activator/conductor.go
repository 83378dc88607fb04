package activator

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// What happens at one instant, in ours' order.
const (
	podsFirst = iota
	thenServed
	thenGivenUp
	thenArrivals
)

// cue is something that the conductor makes happen.
type cue struct {
	at         time.Duration
	rank       int
	pod, order int
	happens    func() error
}

type cues []cue

func (e cues) Len() int      { return len(e) }
func (e cues) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *cues) Push(x any)   { *e = append(*e, x.(cue)) }
func (e *cues) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
func (e cues) Less(i, j int) bool {
	a, b := &e[i], &e[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.pod, b.pod), cmp.Compare(a.order, b.order)) < 0
}

// conductor plays a world to the real proxies, one thing after the other, and
// compares ours at every instant at which something has happened, and just before.
type conductor struct {
	*world
	route
	lives    []life
	ours     *cluster.Cluster
	tally    *cluster.Tally
	counts   counts
	begun    time.Time
	now      time.Duration
	plan     cues
	requests []*request
	admitted []*request // that wait for their turn
	answered []*request
	capacity []int // of the activators, as it was last
	waits    *cluster.Histogram
	rejected uint64
	timedOut uint64
	done     uint64
	before   state
	races    bool // which of the waiting requests goes first is a race
	compared int
}

// errRace ends a world in which upstream itself does not determine what is next.
var errRace = errors.New("a race of upstream's own")

// tick is how often an activator looks at pods that it has not found.
const tick = 200 * time.Millisecond

// run plays the world. It has to be called in a bubble.
func (w *world) run(counts counts) (compared int, err error) {
	c := &conductor{world: w, counts: counts, waits: cluster.NewHistogram()}
	c.stopped = make(chan struct{})
	defer c.close()
	if err := c.begin(); err != nil {
		return 0, c.failed(err)
	}
	for c.plan.Len() > 0 && c.plan[0].at <= c.end {
		if err = c.instant(c.plan[0].at); err != nil {
			break
		}
	}
	counts.world(w)
	if err == nil {
		err = c.compareWaits()
	}
	if errors.Is(err, errRace) {
		err = nil
	}
	if err != nil {
		err = c.failed(err)
	}
	return len(c.requests), err
}

func (c *conductor) failed(err error) error {
	return fmt.Errorf("seed %d, comparison %d: %w\n%v", c.seed, c.compared, err, c.world)
}

// begin starts both sides.
func (c *conductor) begin() (err error) {
	if c.lives, err = c.world.lives(); err != nil {
		return err
	}
	if c.ours, c.tally, err = c.cluster(); err != nil {
		return err
	}
	for range c.lives {
		c.pods = append(c.pods, c.newRealPod(c.limit))
	}
	if !c.direct {
		for n := range c.spec.Activators.Count {
			p, err := startProxy(n, c.spec.Activators.Count, c.limit, c)
			c.proxies = append(c.proxies, p)
			if err != nil {
				return err
			}
		}
	}
	synctest.Wait()
	c.begun = time.Now()
	for _, p := range c.proxies {
		if err := p.hold(c.pass); err != nil {
			return err
		}
		if err := p.know(subsets(c.lives, 0)); err != nil {
			return err
		}
	}
	synctest.Wait()
	c.capacity = make([]int, len(c.proxies))
	if err := c.settle(); err != nil {
		return err
	}
	c.before = c.theirs()
	return c.schedule()
}

// schedule plans what does not depend on the requests.
func (c *conductor) schedule() error {
	for _, at := range changes(c.lives, c.end) {
		c.add(cue{at: at, rank: podsFirst, happens: c.podsChange})
	}
	for at := tick; at <= c.end; at += tick {
		c.add(cue{at: at, rank: podsFirst, happens: func() error { return nil }})
	}
	for _, s := range c.scales {
		c.add(cue{at: s.at, rank: podsFirst, happens: func() error {
			reach(c.ours, s.at)
			c.ours.Scale(int32(s.pods))
			return nil
		}})
	}
	demand, err := cluster.NewDemand(c.spec, random.Seed(c.seed))
	for i, at := range c.arrivals {
		c.add(cue{at: at, rank: thenArrivals, happens: func() error { return c.arrives(i, at, demand.At(uint64(i))) }})
	}
	return err
}

func (c *conductor) add(e cue) { heap.Push(&c.plan, e) }

// instant carries both sides to the next instant.
func (c *conductor) instant(at time.Duration) error {
	if at > c.now {
		advance(c.ours, at-1)
		if err := c.compare(at - 1); err != nil {
			return err
		}
	}
	c.now = at
	time.Sleep(time.Until(c.begun.Add(at)))
	if err := c.settle(); err != nil {
		return err
	}
	for c.plan.Len() > 0 && c.plan[0].at == at {
		e := heap.Pop(&c.plan).(cue)
		if err := e.happens(); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	advance(c.ours, at)
	c.before = c.theirs()
	if c.trace != nil {
		fmt.Fprintln(c.trace, at, c.before)
	}
	return c.compare(at)
}

// podsChange shows the activators the pods, one activator after the other.
func (c *conductor) podsChange() error {
	now := subsets(c.lives, c.now)
	for _, p := range c.proxies {
		if err := p.follow(now); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	return nil
}

func (c *conductor) arrives(index int, at, service time.Duration) error {
	q := &request{pod: nowhere, index: index, arrival: at, service: service, goes: make(chan struct{})}
	if n := len(c.proxies); n > 0 {
		q.activator = index % n
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	if c.spec.RequestTimeout > 0 {
		q.ctx, q.cancel = context.WithDeadline(context.Background(), c.begun.Add(at+c.spec.RequestTimeout))
		c.add(cue{at: at + c.spec.RequestTimeout, rank: thenGivenUp, order: index, happens: func() error { return nil }})
	}
	c.requests = append(c.requests, q)
	go c.send(q)
	return nil
}

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

func (c *conductor) close() {
	close(c.stopped)
	for _, q := range c.requests {
		q.cancel()
	}
	for _, p := range c.proxies {
		p.close()
	}
	synctest.Wait()
}
