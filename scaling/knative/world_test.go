package knative

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// after is the instant so many seconds after the start.
func after(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// first is a source of numbers that gives the smallest.
func first(int) int { return 0 }

// newSpec is the revision web with annotations as key, value, ..., the keys
// without their domain.
func newSpec(annotations ...string) Spec {
	s := Spec{
		Revision: Revision{Name: "web", Namespace: "default", ProgressDeadline: defaultProgressDeadline, Annotations: map[string]string{}},
		Config:   DefaultConfig(),
		Draw:     first,
	}
	for i := 0; i < len(annotations); i += 2 {
		s.Revision.Annotations[domain+annotations[i]] = annotations[i+1]
	}
	return s
}

// world is a revision under load, whose pods become ready after a while.
type world struct {
	*Autoscaler
	t        *testing.T
	replicas messages.Replicas
	booting  []time.Time // when the pods that are not ready will be
	boot     time.Duration
	path     messages.Path
	turned   time.Time     // when the way was last changed
	turns    time.Duration // how long a probe still takes the old way after that
	wanted   messages.Path
	load     func(second int) float64 // concurrent requests
	log      []entry
}

// entry is a change of the count, of the way, or of the condition Active.
type entry struct {
	at      float64
	desired int32
	path    messages.Path
	active  string
}

// newWorld has so many pods at the start, which are ready unless the revision is new.
func newWorld(t *testing.T, spec Spec, pods int32) *world {
	a, err := New(spec, start)
	require.NoError(t, err)
	w := &world{Autoscaler: a, t: t, path: messages.PathProxy, wanted: messages.PathProxy, boot: 3 * time.Second}
	w.replicas.Desired = pods
	if !spec.New {
		w.replicas.Created, w.replicas.Ready = pods, pods
	}
	return w
}

func (w *world) seen() messages.Observation {
	return messages.Observation{Replicas: w.replicas, Path: w.path}
}

// carryOut does what a decision says.
func (w *world) carryOut(now time.Time, d messages.Decision, err error) {
	require.NoError(w.t, err)
	e := entry{now.Sub(start).Seconds(), d.Desired, d.Path, strings.TrimSpace(d.Conditions[0].Status + " " + d.Conditions[0].Reason)}
	if n := len(w.log); n == 0 || w.log[n-1] != (entry{w.log[n-1].at, e.desired, e.path, e.active}) {
		w.log = append(w.log, e)
	}
	if d.Path != w.wanted {
		w.wanted, w.turned = d.Path, now
	}
	w.replicas.Desired = d.Desired
	w.resize(now)
}

func (w *world) resize(now time.Time) {
	for ; w.replicas.Created < w.replicas.Desired; w.replicas.Created++ {
		w.booting = append(w.booting, now.Add(w.boot))
	}
	for ; w.replicas.Created > w.replicas.Desired; w.replicas.Created-- {
		if n := len(w.booting); n > 0 {
			w.booting = w.booting[:n-1]
		} else {
			w.replicas.Ready--
		}
	}
}

// run goes on to a second in steps of half a second, as long as which
// everything takes to be noticed.
func (w *world) run(from, until int) {
	for half := 2 * from; half < 2*until; half++ {
		now := start.Add(time.Duration(half) * time.Second / 2)
		w.resize(now)
		for len(w.booting) > 0 && !w.booting[0].After(now) {
			w.booting = w.booting[1:]
			w.replicas.Ready++
		}
		if w.path != w.wanted && now.Sub(w.turned) >= w.turns {
			w.path = w.wanted
		}
		if half%2 == 0 && half > 0 {
			w.report(now, w.load(half/2))
		}
		d, err := w.Reconcile(now, w.seen())
		w.carryOut(now, d, err)
		if half%4 == 0 && half > 0 {
			d, err := w.Decide(now, w.seen())
			w.carryOut(now, d, err)
		}
	}
}

// report has the load counted by whoever is in its way.
func (w *world) report(now time.Time, load float64) {
	var stats messages.Stats
	for range w.replicas.Ready {
		p := messages.PodStats{Age: time.Hour, Concurrency: load / float64(w.replicas.Ready)}
		if w.path == messages.PathProxy {
			p.ProxiedConcurrency = p.Concurrency
		}
		stats.Pods = append(stats.Pods, p)
	}
	if w.path == messages.PathProxy && load > 0 {
		stats.Proxies = []messages.ProxyStats{{Concurrency: load}}
	}
	w.Collect(now, stats)
}

// busyUntil is a load of so many concurrent requests up to a second.
func busyUntil(end int, load float64) func(int) float64 {
	return func(second int) float64 {
		if second < end {
			return load
		}
		return 0
	}
}
