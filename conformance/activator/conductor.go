package activator

import (
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
)

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
	if err != nil && !errors.Is(err, errRace) {
		return len(c.requests), c.failed(err)
	}
	return len(c.requests), nil
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
