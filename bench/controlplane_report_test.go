package bench_test

import (
	"flag"
	"fmt"
	"maps"
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
	var rows string
	var overlay picture
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := loadRecording(t, dir)
			r.checkServed(t)
			c := r.compare(t)
			c.check(t)
			rows += c.row()
			sum.add(c)
			overlay.draw(c)
		})
	}
	text := fmt.Sprintf(controlPlaneText, sum.curves, sum.syncs, sum.own, sum.ownCurves, sum.mean, sum.meanCurves,
		sum.exact, sum.exactCurves, sum.seen, sum.syncs, sum.rest.Seconds()) + rows
	t.Log("\n" + text)
	for file, content := range map[string]string{"controlplane.md": text, "controlplane.svg": overlay.String()} {
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
	apart, drift, rest time.Duration // of the instants of rescales; largest
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
	if !r.follows(c.mean) {
		c.why += ". Mean period, load: " + r.readings(t, c.mean.syncs)
	}
	c.recorded, c.ours = r.rescales(), c.own.rescales(r.curve[0].Desired)
	for i := range r.syncs {
		c.drift = max(c.drift, (r.syncs[i] - c.own.syncs[i]).Abs())
	}
	for i := range c.common() {
		a, b := c.recorded[i], c.ours[i]
		c.apart = max(c.apart, (a.at - b.at).Abs())
		c.rest = max(c.rest, (a.at - b.at - c.driftOf(a.sync)).Abs())
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

// explain finds the one thing in which our own clock has to be like the
// recorded one for the same count at every sync.
func (r *recording) explain(t *testing.T) string {
	own, period, mean := r.ownClock(), r.spec.Strategy.HPA.Controller.SyncPeriod, r.meanPeriod()
	if r.follows(r.play(t, r.directly(), r.every(r.created, period+time.Millisecond))) {
		return fmt.Sprintf("window: the recommendation of 20 syncs ago is exactly 300 s old and counts; there it was %.2f s older and did not. With a period of 15.001 s: the same",
			(20 * (mean - period)).Seconds())
	}
	if readings := r.readings(t, own.syncs); readings != "" {
		return "load: " + readings
	}
	late := r.toReady - time.Duration(float64(r.toReady)*float64(period)/float64(mean))
	early := *r
	early.spec.Cluster.Lifecycle.Start = random.Constant(*r.spec.Cluster.Lifecycle.Start.Value - late)
	if early.follows(early.play(t, r.directly(), own)) {
		syncs := r.toReady / period
		return fmt.Sprintf("pods: Ready %.3f s after the sync that asks for them, %d ms after another sync; there %d syncs took %.3f s, and that sync saw them. With a start %d ms shorter: the same",
			r.toReady.Seconds(), (r.toReady - syncs*period).Milliseconds(), syncs, (syncs * mean).Seconds(), late.Milliseconds())
	}
	return ""
}

// readings are those readings of the load that have to be taken at their
// recorded instants for the same count at every sync; nothing if that does not
// help.
func (r *recording) readings(t *testing.T, syncs []time.Duration) string {
	reads := slices.Clone(r.syncs)
	follows := func() bool { return r.follows(r.play(t, r.directly(), schedule{syncs, reads})) }
	if !follows() {
		return ""
	}
	var parts []string
	for i := range reads {
		if reads[i] = syncs[i]; !follows() {
			reads[i] = r.syncs[i]
			for _, name := range slices.Sorted(maps.Keys(r.series)) {
				s := r.series[name]
				parts = append(parts, fmt.Sprintf("at %.3f s it is %.2f, there %.3f s later %.2f",
					syncs[i].Seconds(), s.load(syncs[i]), (r.syncs[i]-syncs[i]).Seconds(), s.load(r.syncs[i])))
			}
		}
	}
	return strings.Join(parts, "; ") + ". With that: the same"
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
		c.name, len(c.recorded), len(c.ours), sequence, c.apart.Seconds(), c.drift.Seconds(), c.rest.Seconds(),
		len(c.syncs), c.same(c.own), c.same(c.mean), c.same(c.exact), c.created.Seconds(), c.ready.Seconds(), c.why)
}

// summary adds up all comparisons. Counts without a unit are of syncs.
type summary struct {
	curves, ownCurves, meanCurves, exactCurves int
	syncs, own, mean, exact                    int
	seen                                       int // with syncs at the recorded instants, that saw the recorded pods
	rest                                       time.Duration
}

func (s *summary) add(c comparison) {
	s.curves++
	s.syncs += len(c.syncs)
	for _, clock := range []struct {
		play
		same, curves *int
	}{{c.own, &s.own, &s.ownCurves}, {c.mean, &s.mean, &s.meanCurves}, {c.exact, &s.exact, &s.exactCurves}} {
		*clock.same += c.same(clock.play)
		if c.follows(clock.play) {
			*clock.curves++
		}
	}
	if c.follows(c.own) {
		s.rest = max(s.rest, c.rest)
	}
	for i, saw := range c.exact.before {
		if saw == c.recording.before(c.syncs[i]) {
			s.seen++
		}
	}
}

const controlPlaneText = `# A real control plane

%d HorizontalPodAutoscalers were recorded in real time on a real control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler 1.37.2 with kwok's pods, its metrics served by a known rule. Here each of them runs as a scenario on our own clock: the manifests as they were applied, the autoscaler, the pods' lives, the API and the metrics' door of the simulator, and the recorded load in place of requests. This page is written by ` + "`make controlplane`" + `; the same comparison is part of ` + "`go test ./...`" + ` (bench/controlplane_report_test.go) where the recordings lie beside the checkout.

**Clocks.** The real controller takes up an HPA again 15 s after it is done with it, so that its syncs drift away from ours by some 10 ms each. Every recording is played three times, and a sync counts as the same when it leaves the recorded spec.replicas:

| syncs | the same, of %d | curves the same at every sync |
|---|---:|---:|
| every 15 s from the creation of the HPA on | %d | %d |
| at the recorded mean period, such as 15.010 s: one number per curve | %d | %d |
| at the recorded instants | %d | %d |

**Pods** get one number per curve from its recording, the mean time from the sync that asks for them to Ready. Syncs at the recorded instants saw the recorded created and ready pods in %d of %d cases.

**Instants.** Where the curve is the same at every sync, all its changes are. *Apart* is the largest difference between a change's instant here (syncs every 15 s) and recorded, over the changes with which both curves begin; *drift* the largest difference between the instants of a sync; *rest* the largest difference of a change that is left when its sync's drift is taken off: at most %.3f s where the curve is the same. *Created* and *ready* are the largest differences, with syncs at the recorded instants, between the instants at which the n-th pod came or went here and there; the real controllers take that long.

**Why** a curve differs with syncs every 15 s was found by making our clock like the recorded one in one thing only, which is then said:

- *load*: the load is rising or falling, was read a little later there, and lies on another side of a rounding;
- *pods*: pods become Ready just before a sync there and just after it here;
- *window*: without behavior, the controller counts a recommendation that is exactly as old as the downscale stabilization. With syncs every 15 s sharp there always is one of exactly 300 s, with real syncs never, so that scale-downs come one sync later here. ` + "`controllers: {hpa: {syncPeriod: 15.01s}}`" + ` makes a scenario do as the real one.

![recorded and simulated curves](controlplane.svg)

| curve | changes recorded | here | same | apart, s | drift, s | rest, s | syncs | same: 15 s | mean period | recorded instants | created, s | ready, s | why |
|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|
`

// drawn are the curves in the picture, all of them the same on our clock.
var drawn = []struct{ name, title string }{
	{"down-stab60", "a step and a ramp: External metric, 5 s to Ready"},
	{"zero-fail", "a flash crowd out of zero, the metric failing as it comes"},
	{"cpu-run-d45-absent", "a slow start: CPU, 45 s to Ready"},
}

// picture overlays recorded and own curves, a panel for each of drawn.
type picture [3]string

const (
	panelHeight = 190
	pictureEnd  = 930 * time.Second // one unit of width per second
)

func (p *picture) draw(c comparison) {
	at := slices.IndexFunc(drawn[:], func(d struct{ name, title string }) bool { return d.name == c.name })
	if at < 0 {
		return
	}
	ours := []counts{{Replicas: c.curve[0:1][0].Replicas}}
	for i, sync := range c.own.syncs {
		n := counts{at: sync}
		n.Desired = c.own.after[i]
		ours = append(ours, n)
	}
	desired, ready := func(c counts) int32 { return c.Desired }, func(c counts) int32 { return c.Ready }
	p[at] = fmt.Sprintf(`<g transform="translate(40 %d)"><text y="-8">%s (%s)</text>%s`+"\n", 50+at*panelHeight, drawn[at].title, c.name, axes()) +
		line("#c9c9c9", 6, c.recording.curve, desired) + line("#a6d3f5", 6, c.recording.curve, ready) +
		line("#000000", 1.5, ours, desired) + line("#0b5fa5", 1.5, c.own.curve, ready) + "</g>\n"
}

// height is where a count is in its panel.
func height(count int32) int32 { return 140 - 7*count }

func axes() (grid string) {
	for count := int32(0); count <= 20; count += 5 {
		grid += fmt.Sprintf(`<path d="M0 %d H930" stroke="#e8e8e8"/><text x="-24" y="%d">%d</text>`, height(count), height(count)+4, count)
	}
	for s := 0; s <= 900; s += 60 {
		grid += fmt.Sprintf(`<text x="%d" y="155" text-anchor="middle">%d</text>`, s, s)
	}
	return grid
}

// line is a curve of steps.
func line(color string, width float64, curve []counts, of func(counts) int32) string {
	path := fmt.Sprintf("M0 %d", height(of(curve[0])))
	last := of(curve[0])
	for _, c := range curve {
		if n := of(c); n != last {
			path += fmt.Sprintf(" H%.1f V%d", max(0, c.at.Seconds()), height(n))
			last = n
		}
	}
	return fmt.Sprintf(`<path d="%s H%.0f" fill="none" stroke="%s" stroke-width="%g"/>`+"\n", path, pictureEnd.Seconds(), color, width)
}

func (p *picture) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 990 %d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="40" y="18">replicas over seconds; recorded: <tspan fill="#8a8a8a">desired</tspan>, <tspan fill="#5fa9df">ready</tspan> (broad); here, syncs every 15 s: desired, <tspan fill="#0b5fa5">ready</tspan> (thin)</text>
%s</svg>
`, 40+len(p)*panelHeight, strings.Join(p[:], ""))
}
