package bench_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

var writeControlPlane = flag.Bool("controlplane", false, "rewrite docs/controlplane.md and its picture")

// TestControlPlane plays the recorded curves of a real control plane on our own
// clock and holds the counts and their instants against the recorded ones.
// docs/controlplane.md is what it finds; make controlplane writes it.
func TestControlPlane(t *testing.T) {
	dirs, err := filepath.Glob(recordings + "/*")
	require.NoError(t, err)
	if len(dirs) == 0 {
		t.Skip("no recorded curves at " + recordings + " (from this package)")
	}
	var sum summary
	rows, picture := "", newPicture()
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := loadRecording(t, dir)
			r.checkServed(t)
			c := r.compare(t)
			c.check(t)
			rows += c.row()
			sum.add(c)
			picture.draw(c)
		})
	}
	text := fmt.Sprintf(controlPlaneText, sum.curves, sum.syncs, sum.ownCurves, sum.own, sum.meanCurves, sum.mean, sum.exact,
		sum.beyond.Seconds(), sum.seen) + rows
	t.Log("\n" + text)
	for file, content := range map[string]string{"controlplane.md": text, "controlplane.svg": picture.String()} {
		file = "../docs/" + file
		if *writeControlPlane && sum.curves == len(dirs) {
			require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
		}
		written, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(written), content, "make controlplane rewrites docs/controlplane.md")
	}
}

// checkServed holds the rules of serving against every recorded answer. Those
// have their instant in milliseconds and their load in ten thousandths.
func (r *recording) checkServed(t *testing.T) {
	for _, q := range r.queries {
		s := r.series[q.metric]
		require.Equal(t, q.ok, !during(s.Fail, q.at), "%+v", q)
		if q.ok {
			before, after := s.load(q.at-time.Millisecond), s.load(q.at+time.Millisecond)
			require.InDelta(t, (before+after)/2, q.load, max(before-after, after-before)/2+1e-4, "%+v", q)
			require.InDelta(t, q.milli, s.milli(q.load, q.ready, q.cpu), 1, "%+v", q)
		}
	}
}

// comparison is a recording beside what we make of it on three clocks.
type comparison struct {
	*recording
	own, mean, exact play
	why              string // the own clock differs

	recorded, ours     []rescale
	apart, drift, left time.Duration // of the instants of rescales; largest
	created, ready     time.Duration // instants of pods, syncs being where they were recorded
}

// rescale is a change of spec.replicas, in the interval that a sync begins.
type rescale struct {
	at   time.Duration
	sync int
	to   int32
}

func (r *recording) compare(t *testing.T) comparison {
	c := comparison{recording: r,
		own:   r.play(t, r.throughAPI(t), r.ownClock()),
		mean:  r.play(t, r.throughAPI(t), r.every(r.syncs[0], r.meanPeriod())),
		exact: r.play(t, r.throughAPI(t), schedule{r.syncs, r.syncs}),
	}
	assert.Equal(t, c.own, r.play(t, r.directly(), r.ownClock()), "through the API and directly")
	if !r.follows(c.own) {
		c.why = r.explain(t)
	}
	c.recorded, c.ours = r.rescales(), c.own.rescales(r.curve[0].Desired)
	for i := range r.syncs {
		c.drift = max(c.drift, (r.syncs[i] - c.own.syncs[i]).Abs())
	}
	for i := range c.common() {
		a, b := c.recorded[i], c.ours[i]
		c.apart = max(c.apart, (a.at - b.at).Abs())
		c.left = max(c.left, (a.at - b.at - c.driftOf(a.sync)).Abs())
	}
	c.created = c.lag(t, c.exact, func(c counts) int32 { return c.Created })
	c.ready = c.lag(t, c.exact, func(c counts) int32 { return c.Ready })
	return c
}

// driftOf is how much later than on our own clock a sync was recorded.
func (c *comparison) driftOf(sync int) time.Duration { return c.syncs[sync] - c.own.syncs[sync] }

// common is the number of rescales with which both sequences begin.
func (c *comparison) common() (n int) {
	for n < min(len(c.recorded), len(c.ours)) && c.recorded[n].to == c.ours[n].to {
		n++
	}
	return n
}

func (r *recording) rescales() (list []rescale) {
	for i, c := range r.curve[1:] {
		if c.Desired != r.curve[i].Desired {
			next, _ := slices.BinarySearch(r.syncs, c.at)
			list = append(list, rescale{c.at, next - 1, c.Desired})
		}
	}
	return list
}

func (p *play) rescales(from int32) (list []rescale) {
	for i, to := range p.after {
		if to != from {
			list = append(list, rescale{p.syncs[i], i, to})
		}
		from = to
	}
	return list
}

// same is the number of syncs that left the recorded spec.replicas.
func (r *recording) same(p play) (n int) {
	for i, count := range p.after {
		if count == r.left(i) {
			n++
		}
	}
	return n
}

func (r *recording) follows(p play) bool { return r.same(p) == len(r.syncs) }

// lag is the largest difference between the instants at which the n-th pod came
// into or left a count, here and recorded.
func (c *comparison) lag(t *testing.T, p play, of func(counts) int32) (lag time.Duration) {
	ups, downs := steps(c.curve, of)
	ourUps, ourDowns := steps(p.curve, of)
	require.Len(t, ourUps, len(ups))
	require.Len(t, ourDowns, len(downs))
	for i, at := range ups {
		lag = max(lag, (at - ourUps[i]).Abs())
	}
	for i, at := range downs {
		lag = max(lag, (at - ourDowns[i]).Abs())
	}
	return lag
}

// steps are the instants, from the common start on, of a count's single steps.
func steps(curve []counts, of func(counts) int32) (ups, downs []time.Duration) {
	last := of(curve[0])
	for _, c := range curve {
		for ; c.at > 0 && last < of(c); last++ {
			ups = append(ups, c.at)
		}
		for ; c.at > 0 && last > of(c); last-- {
			downs = append(downs, c.at)
		}
		last = of(c)
	}
	return ups, downs
}

// explain finds the one thing in which our own clock must be like the recorded
// one for the same count at every sync.
func (r *recording) explain(t *testing.T) string {
	own, period, mean := r.ownClock(), r.spec.Strategy.HPA.Controller.SyncPeriod, r.meanPeriod()
	try := func(r *recording, on schedule) bool { return r.follows(r.play(t, r.directly(), on)) }
	if try(r, r.every(r.created, period+time.Millisecond)) {
		return fmt.Sprintf("window: without behavior a recommendation of exactly %v ago still counts. On our clock that of 20 syncs ago is exactly so old, there it was %.2f s older: we step down one sync later. A period of 15.001 s makes all the same",
			20*period, (20 * (mean - period)).Seconds())
	}
	for i := range own.syncs {
		reads := slices.Clone(own.syncs)
		reads[i] = r.syncs[i]
		if try(r, schedule{own.syncs, reads}) {
			return fmt.Sprintf("load: one reading, recorded %.2f s later, at %.2f s. That reading makes all the same", r.syncs[i].Seconds()-own.syncs[i].Seconds(), r.syncs[i].Seconds())
		}
	}
	if try(r, schedule{own.syncs, r.syncs}) {
		return "load: several readings. Those at the recorded instants make all the same"
	}
	scaled := *r
	late := r.toReady - time.Duration(float64(r.toReady)*float64(period)/float64(mean))
	life := &scaled.spec.Cluster.Lifecycle
	life.Start = random.Constant(*life.Start.Value - late)
	if try(&scaled, own) {
		return fmt.Sprintf("pods: Ready %.2f s after the sync that asks for them, on our clock after the sixth sync from there and in the recording, where six take %.2f s, before it. A start %.0f ms shorter makes all the same",
			r.toReady.Seconds(), (6 * mean).Seconds(), late.Seconds()*1000)
	}
	return ""
}

func (c *comparison) check(t *testing.T) {
	assert.True(t, c.follows(c.exact), "at the recorded instants")
	if !c.follows(c.own) {
		assert.NotEmpty(t, c.why, "a difference without an explanation")
		return
	}
	require.Equal(t, len(c.recorded), c.common())
	require.Len(t, c.ours, len(c.recorded))
	for i, a := range c.recorded {
		assert.Equal(t, a.sync, c.ours[i].sync)
		assert.LessOrEqual(t, (a.at - c.ours[i].at).Abs(), 500*time.Millisecond+c.driftOf(a.sync))
	}
	for _, of := range []func(counts) int32{func(c counts) int32 { return c.Created }, func(c counts) int32 { return c.Ready }} {
		assert.LessOrEqual(t, c.lag(t, c.own, of), 500*time.Millisecond+c.drift)
	}
}

func (c *comparison) row() string {
	sequence := "yes"
	if !c.follows(c.own) {
		sequence = fmt.Sprintf("first %d", c.common())
	}
	return fmt.Sprintf("| %s | %d | %d | %s | %.3f | %.3f | %.3f | %d | %d | %d | %d | %.3f | %.3f | %s |\n",
		c.name, len(c.recorded), len(c.ours), sequence, c.apart.Seconds(), c.drift.Seconds(), c.left.Seconds(),
		len(c.syncs), c.same(c.own), c.same(c.mean), c.same(c.exact), c.created.Seconds(), c.ready.Seconds(), c.why)
}

// summary is what all comparisons have in common. Clocks count syncs.
type summary struct {
	curves, syncs, own, mean, exact int
	ownCurves, meanCurves           int
	seen                            int // syncs at recorded instants that saw the recorded pods
	beyond                          time.Duration
}

func (s *summary) add(c comparison) {
	s.curves++
	s.syncs += len(c.syncs)
	s.own += c.same(c.own)
	s.mean += c.same(c.mean)
	s.exact += c.same(c.exact)
	if c.follows(c.own) {
		s.ownCurves++
		s.beyond = max(s.beyond, c.left)
	}
	if c.follows(c.mean) {
		s.meanCurves++
	}
	for i, saw := range c.exact.before {
		if saw == c.before(c.syncs[i]) {
			s.seen++
		}
	}
}

const controlPlaneText = `TODO %d %d %d %d %d %d %d %.3f %d
`

// picture overlays recorded and own curves.
type picture struct{ strings.Builder }

func newPicture() *picture { return &picture{} }

func (p *picture) draw(c comparison) {}
