package cluster

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

var fidelity = flag.Bool("fidelity", false, "simulate for longer and rewrite docs/fidelity.md")

// system is one queueing system, and what theory says about it.
type system struct {
	entry      string // of the acceptance list
	name       string
	spec       Spec
	rate       float64       // arrivals per second
	warmUp     time.Duration // from empty to steady
	quantities []quantity
	closed     *closedLoop // who sends, instead of Poisson arrivals; rate is then the throughput
}

// quantity is one figure of a run and its expected value.
type quantity struct {
	name     string
	expected float64
	of       func(outcome) float64
	// resolution is the relative error of one observation: that of a histogram's
	// percentiles, or 0.
	resolution float64
}

// outcome is one replication: the requests that arrived in the window between
// the warm-up and the last arrival, and the time that the window saw n requests
// in flight.
type outcome struct {
	PhaseTally
	seconds  float64   // length of the window
	inFlight []float64 // seconds with n in flight, by n
	stretch  stretches
}

func (o outcome) meanInFlight() (l float64) {
	for n, seconds := range o.inFlight {
		l += float64(n) * seconds / o.seconds
	}
	return l
}

// waited is the share of the requests that did not begin at once.
func (o outcome) waited() float64 {
	var atOnce uint64
	o.Wait.Each(func(bucket int, count uint64) {
		if bucket == 0 {
			atOnce = count
		}
	})
	return 1 - float64(atOnce)/float64(o.Wait.Count())
}

func (o outcome) wait() float64 { return o.Wait.MeanSeconds() }

func (o outcome) blocked() float64 { return float64(o.Rejected) / float64(o.Arrived) }

// little is L - lambda W, with the rate of the requests that were let in.
func (o outcome) little() float64 {
	return o.meanInFlight() - float64(o.Completed)/o.seconds*o.Latency.MeanSeconds()
}

// until cuts arrivals off after the instant end.
type until struct {
	poisson
	end time.Duration
}

func (u *until) Fill(dst []time.Duration) int {
	u.poisson.Fill(dst)
	for i, at := range dst {
		if at > u.end {
			return i
		}
	}
	return len(dst)
}

// simulate runs a system from empty to empty, event by event, and integrates
// the number in flight over time. Over the whole run that integral is the sum
// of all sojourns, to the nanosecond: Little's law on a sample path.
func (s system) simulate(t *testing.T, seed random.Seed, requests int) outcome {
	end := s.warmUp + time.Duration(float64(requests)/s.rate*1e9)
	tally := NewTally([]time.Duration{0, s.warmUp}, s.warmUp)
	s.spec.eventByEvent = true
	var arrivals Arrivals = &until{poisson{stream: seed.Key("test", 0).Stream(), rate: s.rate}, end}
	if s.closed != nil {
		arrivals = &instantsOf{}
		s.spec.Users = []Users{s.closed.until(end)}
	}
	c, err := New(s.spec, seed, arrivals, tally)
	require.NoError(t, err)
	var area time.Duration
	o := outcome{seconds: (end - s.warmUp).Seconds()}
	tally.observe = o.stretch.observe
	for {
		from, next := c.Now(), min(c.nextArrival, c.departures.next(), c.nextShared())
		if next == event.Never {
			break
		}
		n := int(c.Counters().InFlight)
		area += time.Duration(n) * (next - from)
		for len(o.inFlight) <= n {
			o.inFlight = append(o.inFlight, 0)
		}
		o.inFlight[n] += max(min(next, end)-max(from, s.warmUp), 0).Seconds()
		c.Advance(next)
	}
	balanced(t, c.Counters())
	require.Zero(t, c.Counters().InFlight)
	require.Equal(t, [2]uint64{0, uint64(area)}, tally.Interval().sum, "the integral of the number in flight and the sum of the sojourns")
	o.PhaseTally = tally.Phases()[1]
	if s.spec.eventByEvent, s.spec.Fixed = false, true; s.spec.foresees() {
		foreseen := NewTally([]time.Duration{0, s.warmUp}, s.warmUp)
		c, err := New(s.spec, seed, &until{poisson{stream: seed.Key("test", 0).Stream(), rate: s.rate}, end}, foreseen)
		require.NoError(t, err)
		c.Advance(1000 * end)
		require.Equal(t, o.PhaseTally, foreseen.Phases()[1], "with foresight the same requests have the same fates, waits and latencies")
	}
	return o
}

// service is a law of service times by its mean in seconds and its squared
// coefficient of variation, which only the gamma and lognormal laws leave open.
func service(law string, mean, cv2 float64) random.Spec {
	duration, cv := time.Duration(mean*1e9), math.Sqrt(cv2)
	switch law {
	case "constant":
		return random.Constant(duration)
	case "exponential":
		return random.Spec{Dist: law, Mean: &duration}
	}
	return random.Spec{Dist: law, Mean: &duration, CV: &cv}
}

const unbounded = 1_000_000

// onePod is one pod with c slots and a queue, whose clients never give up.
func onePod(c, queue int, law random.Spec) Spec {
	spec := Defaults()
	spec.PerPod = PerPod{Concurrency: c, Queue: queue, Discipline: "fifo", ServiceTime: law}
	spec.RequestTimeout = 0
	return spec
}

// onePodEach is c pods with one slot that share one queue.
func onePodEach(c int, law random.Spec) Spec {
	spec := onePod(1, unbounded, law)
	spec.Replicas = int32(c)
	spec.Routing.Policy = "central-queue"
	return spec
}

// steady is twenty relaxation times of M/G/c with mean service 1 s, by the
// heavy-traffic form (1 + cv2) / 2 / (sqrt(c) - sqrt(a))^2: for M/M/10 with
// a = 9 that is 20 * 38 s.
func steady(c int, a, cv2 float64) time.Duration {
	gap := math.Sqrt(float64(c)) - math.Sqrt(a)
	return time.Duration(20 * (1 + (1+cv2)/2/(gap*gap)) * 1e9)
}

func mmc(entry string, c int, a float64, spec Spec, name string) system {
	s := system{entry: entry, name: fmt.Sprintf("M/M/%d, a = %g%s", c, a, name), spec: spec, rate: a, warmUp: steady(c, a, 1)}
	s.quantities = []quantity{
		{name: "P(wait > 0)", expected: erlangC(c, a), of: outcome.waited},
		{name: "Wq [s]", expected: mmcWait(c, a), of: outcome.wait},
	}
	percentile := func(name string, tail func(float64) float64, histogram func(outcome) *Histogram, q float64) {
		expected := quantileOf(tail, q)
		if expected < 1e-9 { // fewer than 1-q wait at all
			return
		}
		s.quantities = append(s.quantities, quantity{
			name: fmt.Sprintf("%s p%.0f [s]", name, 100*q), expected: expected, resolution: 1.0 / 256,
			of: func(o outcome) float64 { return histogram(o).QuantileSeconds(q) },
		})
	}
	for _, q := range []float64{0.95, 0.99} {
		percentile("wait", mmcWaitTail(c, a), func(o outcome) *Histogram { return o.Wait }, q)
	}
	for _, q := range []float64{0.50, 0.95, 0.99} {
		percentile("sojourn", mmcSojournTail(c, a), func(o outcome) *Histogram { return o.Latency }, q)
	}
	return s
}

func bounded(c, k int, a float64) system {
	block, l, wq := mmck(c, k, a)
	return system{
		entry: "Q5", name: fmt.Sprintf("M/M/%d/%d, a = %g", c, k, a), rate: a, warmUp: 200 * time.Second,
		spec: onePod(c, k-c, service("exponential", 1, 1)),
		quantities: []quantity{
			{name: "blocked share", expected: block, of: outcome.blocked},
			{name: "L", expected: l, of: outcome.meanInFlight},
			{name: "Wq [s]", expected: wq, of: outcome.wait},
		},
	}
}

// meanWait is a system with mean service 1 s and load 0.8 of which theory gives
// the mean wait.
func meanWait(entry, name string, c int, law random.Spec, cv2, expected float64) system {
	a := 0.8 * float64(c)
	return system{
		entry: entry, name: name, rate: a, warmUp: steady(c, a, cv2),
		spec:       onePod(c, unbounded, law),
		quantities: []quantity{{name: "Wq [s]", expected: expected, of: outcome.wait}},
	}
}

// crowd is M/G/inf with 20 arrivals a second that stay for 1.2 s on average:
// the number in flight is Poisson distributed with mean 24 for every law.
func crowd(name string, spec Spec) system {
	law := distuv.Poisson{Lambda: 24}
	s := system{entry: "Q9", name: name, spec: spec, rate: 20, warmUp: 200 * time.Second}
	s.quantities = []quantity{
		{name: "mean in flight", expected: 24, of: outcome.meanInFlight},
		{name: "variance about 24", expected: 24, of: func(o outcome) (v float64) {
			for n, seconds := range o.inFlight {
				v += (float64(n) - 24) * (float64(n) - 24) * seconds / o.seconds
			}
			return v
		}},
	}
	for _, most := range []int{14, 19, 24, 29, 34} {
		s.quantities = append(s.quantities, quantity{
			name: fmt.Sprintf("P(in flight <= %d)", most), expected: law.CDF(float64(most)),
			of: func(o outcome) (share float64) {
				for _, seconds := range o.inFlight[:min(most+1, len(o.inFlight))] {
					share += seconds / o.seconds
				}
				return share
			},
		})
	}
	return s
}

func systems() []system {
	exponential, constant := service("exponential", 1, 1), service("constant", 1, 0)
	all := []system{
		mmc("Q1", 3, 2, onePod(3, unbounded, exponential), ""),
		mmc("Q2", 10, 8, onePod(10, unbounded, exponential), ""),
		mmc("Q2", 10, 8, onePodEach(10, exponential), ", central queue over 10 pods"),
		mmc("Q3", 10, 9, onePod(10, unbounded, exponential), ""),
		mmc("Q4", 100, 80, onePod(100, unbounded, exponential), ""),
		bounded(1, 5, 0.8),
		bounded(10, 20, 12),
		bounded(5, 10, 4),
		meanWait("Q6", "M/G/1, rho = 0.8, constant", 1, constant, 0, pollaczekKhinchine(0.8, 0)),
		meanWait("Q6", "M/G/1, rho = 0.8, gamma cv2 = 1", 1, service("gamma", 1, 1), 1, pollaczekKhinchine(0.8, 1)),
		meanWait("Q6", "M/G/1, rho = 0.8, gamma cv2 = 4", 1, service("gamma", 1, 4), 4, pollaczekKhinchine(0.8, 4)),
		meanWait("Q6", "M/G/1, rho = 0.8, lognormal cv2 = 4", 1, service("lognormal", 1, 4), 4, pollaczekKhinchine(0.8, 4)),
	}
	for _, c := range []int{1, 2, 5, 10} {
		name := fmt.Sprintf("M/D/%d, rho = 0.8", c)
		all = append(all, meanWait("Q7", name, c, constant, 0, mdcWait(c, 0.8*float64(c))))
	}
	elastic := onePod(1000, 0, service("exponential", 1.2, 1))
	elastic.Elastic = true
	heavy := elastic
	heavy.PerPod.ServiceTime = service("lognormal", 1.2, 4)
	all = append(all,
		mmc("Q8", 110, 100, onePod(110, unbounded, exponential), ", square-root staffing"),
		crowd("M/M/inf, elastic", elastic),
		crowd("M/D/inf, 1000 slots", onePod(1000, 0, service("constant", 1.2, 0))),
		crowd("M/G/inf, lognormal cv2 = 4, elastic", heavy),
		repairman(5, 8, exponential, "exponential think time"),
		repairman(20, 10, exponential, "exponential think time"),
		repairman(20, 10, service("constant", 1, 0), "constant think time"),
	)
	return append(all, sharedSystems()...)
}

// effort is how much is simulated for a verdict.
type effort struct{ replications, requests int }

// finding is a quantity's mean over independent replications, and the interval
// that holds its expectation with 99.9 % confidence.
type finding struct {
	quantity
	mean, half float64
}

func (f finding) within() bool { return math.Abs(f.mean-f.expected) <= f.half }

// study simulates a system and gives its findings, Little's law last. Every
// replication of every system has a seed of its own.
func (s system) study(t *testing.T, e effort) []finding {
	quantities := append(s.quantities, quantity{name: "L - λW", of: outcome.little})
	observed := make([][]float64, len(quantities))
	for replication := range e.replications {
		seed := random.Seed(random.Seed(replication).Key(s.entry+" "+s.name, 0))
		o := s.simulate(t, seed, e.requests)
		for i, q := range quantities {
			observed[i] = append(observed[i], q.of(o))
		}
	}
	n := float64(e.replications)
	student := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.9995)
	var findings []finding
	for i, q := range quantities {
		mean, deviation := stat.MeanStdDev(observed[i], nil)
		half := student*deviation/math.Sqrt(n) + q.resolution*mean
		findings = append(findings, finding{quantity: q, mean: mean, half: half})
	}
	return findings
}

// TestFidelity holds the data plane against queueing theory. With -fidelity it
// simulates 20 times as much and writes docs/fidelity.md.
func TestFidelity(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 40 million requests; runs without -short")
	}
	e := effort{replications: 20, requests: 100_000}
	if *fidelity {
		e = effort{replications: 40, requests: 1_000_000}
	}
	all := systems()
	var studied, outside int
	var rows []string
	for _, s := range all {
		t.Run(s.entry+" "+s.name, func(t *testing.T) {
			studied++
			for _, f := range s.study(t, e) {
				if !f.within() {
					outside++
				}
				f.check(t, s, e)
				rows = append(rows, f.row(s, e))
			}
		})
	}
	platforms := studyPlatforms(t, e)
	if *fidelity && studied == len(all) && platforms != "" { // not when -run chose some
		text := fmt.Sprintf(fidelityText, e.replications, len(rows), float64(len(rows))/1000, outside) + strings.Join(rows, "") + platforms
		require.NoError(t, os.WriteFile("../../docs/fidelity.md", []byte(text), 0o644))
	}
}

// check also refuses an interval so wide that it would hold anything. The widest
// is that of the p99 of the wait in M/M/100, where one request in fifty waits.
func (f finding) check(t *testing.T, s system, e effort) {
	scale := 0.4 * f.expected
	if f.expected == 0 {
		scale = 0.01 * s.rate // Little's law: L is at least 0.8 s * rate
	}
	said := fmt.Sprintf("%s: expected %.6g, observed %.6g +- %.2g (99.9 %%, n = %d replications of %d requests)",
		f.name, f.expected, f.mean, f.half, e.replications, e.requests)
	if !*fidelity { // among so many statements the long run's table may have one outside, and says so
		assert.True(t, f.within(), said)
	}
	assert.Less(t, f.half, scale, said)
}

func (f finding) row(s system, e effort) string {
	verdict := "within"
	if !f.within() {
		verdict = "**outside**"
	}
	return fmt.Sprintf("| %s | %s | %s | %.5g | %.5g | %.5g to %.5g | %d × %d | %s |\n",
		s.entry, s.name, f.name, f.expected, f.mean, f.mean-f.half, f.mean+f.half, e.replications, e.requests, verdict)
}

// TestCentralQueueIsOnePod holds c pods with one slot and a common queue against
// one pod with c slots, on the same requests: they are the same system.
func TestCentralQueueIsOnePod(t *testing.T) {
	law := service("exponential", 1, 1)
	for seed := range random.Seed(5) {
		one := mmc("", 10, 9, onePod(10, unbounded, law), "").simulate(t, seed, 20_000)
		each := mmc("", 10, 9, onePodEach(10, law), "").simulate(t, seed, 20_000)
		assert.Equal(t, one, each, "seed %d", seed)
		assert.Greater(t, one.waited(), 0.4)
	}
}

const fidelityText = `# Fidelity

Where queueing theory has an exact answer, the simulated cluster must give it. This page is written by ` + "`make fidelity`" + `; a shorter run of the same comparisons is part of ` + "`go test ./...`" + ` (sim/cluster/theory_test.go). The first column names the entry of the project's acceptance list.

**Systems.** Poisson arrivals meet one pod with c slots and a first-in first-out queue, without request timeout; "central queue" is c pods with one slot each and a common queue; "elastic" is the oracle's world, in which nobody waits; "PS" is one pod of c cores that admits everybody, in which n requests run at the speed min(1, c/n) each. The mean service takes 1 s (Q9: 1.2 s); a is the offered load, arrivals per second times mean service; cv2 is the variance of the service time divided by its squared mean. M/M/1//N is a closed loop of N users (the machine repairman): each thinks for a mean of Z, sends a request, waits for the answer, and thinks again.

**Expected** values are computed, not simulated: Erlang's formulas, the convolution of wait and service, the birth-death chain of M/M/c/K, Pollaczek and Khinchine, Crommelin's recursion with Spitzer's identity for M/D/c, for PS the birth-death chain of M/M/c, whose number in the system does not depend on the law of the demand, the Poisson distribution, and the finite-source chain with the interactive response time law R = N/X - Z. The same tests hold them against the published digits.

**Observed** is the mean over n = %d independent replications. Each has a seed of its own, starts empty, runs for at least twenty relaxation times (Q5 and Q9: 200 s) before anything is counted, then for the given number of requests on average, and then until the last request is done. No seed was chosen by its result.

**Interval.** The 99.9 %% confidence interval of that mean, by Student's t over the replications. For percentiles it is wider by the resolution of the histogram, 1/256 of the value. The verdict says whether the expected value lies within. Of %d true statements, %.2f are expected to fall outside by chance; outside in this table: %d.

**Little's law** is held twice. In every run, from empty to empty, the integral of the number in flight over time must equal the sum of all sojourns to the nanosecond; the test fails otherwise. In the table, L is the time average over the window in which requests are counted, λ the rate of the requests let in, and W their mean sojourn: the difference is what the two ends of the window leave.

| entry | system | quantity | expected | observed | 99.9 %% interval | n × requests | verdict |
|---|---|---|---:|---:|---:|---:|---|
`
