package cluster

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/scalelab/scalelab/sim/random"
)

// keptAlive gives the share of cold requests among those served, and the mean
// number of instances, of a platform with limit slots whose warm and cold
// requests take the same exponential time 1; a is the arrivals and keepAlive the
// keep-alive per that time. The limit may be so large that it is out of reach.
//
// The number in service N is Erlang's loss system, and the instances are the
// largest N of the last keepAlive T (see Serverless). So at most m exist if N,
// killed where it would pass m, lives through T:
//
//	P(instances <= m) = pi_m exp(Q_m T) 1
//
// with Q_m the generator on 0..m and pi_m the stationary law there. A request
// is cold if it finds N = m as large as ever in the last T. As N is reversible,
// that is the chance to live through the next T from m on.
func keptAlive(a float64, limit int, keepAlive float64) (cold, instances float64) {
	pi := make([]float64, limit+1)
	law, total := distuv.Poisson{Lambda: a}, 0.0
	for n := range pi {
		pi[n] = law.Prob(float64(n))
		total += pi[n]
	}
	for m := range limit {
		q := mat.NewDense(m+1, m+1, nil)
		for n := range m + 1 {
			q.Set(n, n, -(a+float64(n))*keepAlive)
			if n > 0 {
				q.Set(n, n-1, float64(n)*keepAlive)
			}
			if n < m {
				q.Set(n, n+1, a*keepAlive)
			}
		}
		var power mat.Dense
		power.Exp(q)
		atMost := 0.0
		for n := range m + 1 {
			atMost += pi[n] / total * mat.Sum(power.RowView(n))
		}
		instances += 1 - atMost
		cold += pi[m] / total * mat.Sum(power.RowView(m))
	}
	return cold / (1 - pi[limit]/total), instances
}

// TestKeptAliveInClosedForm holds keptAlive against cases that can be done by
// hand: no keep-alive, and one slot.
func TestKeptAliveInClosedForm(t *testing.T) {
	cold, instances := keptAlive(2, 60, 0)
	assert.InDelta(t, 1, cold, 1e-12)
	assert.InDelta(t, 2, instances, 1e-12, "as many as are in service")
	// One slot: idle for an exponential time of mean 1/a before each service, so
	// cold with probability exp(-a T), and reclaimed for the rest of the cycle.
	cold, instances = keptAlive(2, 1, 0.7)
	assert.InDelta(t, math.Exp(-1.4), cold, 1e-12)
	assert.InDelta(t, 1-math.Exp(-1.4)/2/(1+0.5), instances, 1e-12)
}

// platform is a serverless system, and its figures.
type platform struct {
	system
	figures []figure
}

type figure struct {
	name     string
	expected float64
	of       func(replication) float64
}

// replication is what came of one: the requests that arrived in the window, and the
// instances' time in it.
type replication struct {
	PhaseTally
	seconds, existed, idle float64
	started                int32 // instances started in the window
}

func (s replication) cold() float64      { return float64(s.Cold) / float64(s.Completed) }
func (s replication) rejected() float64  { return float64(s.Rejected) / float64(s.Arrived) }
func (s replication) instances() float64 { return s.existed / s.seconds }
func (s replication) idling() float64    { return s.idle / s.seconds }
func (s replication) running() float64   { return (s.existed - s.idle) / s.seconds }
func (s replication) lifespan() float64  { return s.existed / float64(s.started) }
func (s replication) little() float64 {
	return s.running() - float64(s.Completed)/s.seconds*s.Latency.MeanSeconds()
}

// simulate runs the platform until no instance is left. Over the whole run, the
// time that instances spent serving is the sum of all sojourns, to the
// nanosecond.
func (p platform) simulate(t *testing.T, seed random.Seed, requests int) replication {
	end := p.warmUp + time.Duration(float64(requests)/p.rate*1e9)
	tally := NewTally([]time.Duration{0, p.warmUp}, p.warmUp)
	arrivals := &until{poisson{stream: seed.Key("test", 0).Stream(), rate: p.rate}, end}
	c, err := New(p.spec, seed, arrivals, tally)
	require.NoError(t, err)
	var changes []Transition
	reach := func(to time.Duration) { // changes that nobody takes would pile up
		for c.now < to {
			c.Advance(min(to, c.now+time.Duration(10_000/p.rate*1e9)))
			changes = c.Transitions(changes[:0])
		}
	}
	reach(p.warmUp)
	existed, idle := c.PodTime()
	started := c.instances.started
	reach(end)
	atEnd, idleAtEnd := c.PodTime()
	s := replication{
		seconds: (end - p.warmUp).Seconds(), existed: (atEnd - existed).Seconds(), idle: (idleAtEnd - idle).Seconds(),
		started: c.instances.started - started,
	}
	reach(end + 2*maxDelay)
	balanced(t, c.Counters())
	require.Zero(t, c.Counters().InFlight)
	require.Zero(t, c.Replicas().Created)
	existed, idle = c.PodTime()
	require.Equal(t, [2]uint64{0, uint64(existed - idle)}, tally.Interval().sum, "the time that instances spent serving and the sum of the sojourns")
	s.PhaseTally = tally.Phases()[1]
	return s
}

// study simulates a platform and gives its findings.
func (p platform) study(t *testing.T, e effort) (findings []finding) {
	observed := make([][]float64, len(p.figures))
	for replication := range e.replications {
		seed := random.Seed(random.Seed(replication).Key(p.entry+" "+p.name, 0))
		s := p.simulate(t, seed, e.requests)
		for i, f := range p.figures {
			observed[i] = append(observed[i], f.of(s))
		}
	}
	n := float64(e.replications)
	student := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.9995)
	for i, f := range p.figures {
		mean, deviation := stat.MeanStdDev(observed[i], nil)
		findings = append(findings, finding{quantity: quantity{name: f.name, expected: f.expected}, mean: mean, half: student * deviation / math.Sqrt(n)})
	}
	return findings
}

// newPlatform starts empty and is left alone for 60 times ten minutes.
func newPlatform(entry, name string, rate float64, warm, cold random.Spec, keepAlive time.Duration, limit int32) platform {
	spec := onePod(1, 0, warm)
	spec.Serverless = &Serverless{ColdServiceTime: cold, KeepAlive: &keepAlive}
	if limit > 0 {
		spec.Serverless.MaxInstances = &limit
	}
	return platform{system: system{entry: entry, name: name, spec: spec, rate: rate, warmUp: 10 * time.Hour}}
}

// s1 is entry S1 of the acceptance list: the expectations come from a simulation
// of 9e7 requests by other means, and are that certain.
func s1() platform {
	p := newPlatform("S1", "0.9/s, warm 1.991 s, cold 2.244 s, kept alive 600 s", 0.9,
		service("exponential", 1.991, 1), service("exponential", 2.244, 1), 600*time.Second, 0)
	p.figures = []figure{
		{"P(cold)", 0.001334, replication.cold},
		{"instances", 7.699, replication.instances},
		{"running", 1.7921, replication.running},
		{"idle", 5.907, replication.idling},
		{"lifespan [s]", 6412, replication.lifespan},
	}
	return p
}

// s1Tolerance is that of the acceptance list. Figures that follow from others
// have theirs.
var s1Tolerance = map[string]float64{"P(cold)": 0.06, "instances": 0.01, "running": 0.01, "idle": 0.01, "lifespan [s]": 0.06}

// exactPlatforms are those of which theory knows the answer.
func exactPlatforms() []platform {
	warm := service("exponential", 1.991, 1)
	a := 0.9 * 1.991
	same := newPlatform("S1", "cold = warm = 1.991 s", 0.9, warm, warm, 600*time.Second, 0)
	cold, instances := keptAlive(a, 40, 600/1.991)
	same.figures = []figure{
		{"P(cold)", cold, replication.cold}, {"instances", instances, replication.instances}, {"idle", instances - a, replication.idling},
		{"running", a, replication.running}, {"L - λW", 0, replication.little},
	}
	all := []platform{same}
	law := service("exponential", 2, 1)
	for _, keepAlive := range []time.Duration{0, 5 * time.Second, maxDelay} {
		p := newPlatform("-", "at most 3, a = 2, kept alive "+random.Constant(keepAlive).String(), 1, law, law, keepAlive, 3)
		p.figures = []figure{{"rejected share", erlangB(3, 2), replication.rejected}, {"running", 2 * (1 - erlangB(3, 2)), replication.running}}
		if keepAlive == 5*time.Second {
			cold, instances := keptAlive(2, 3, 2.5)
			p.figures = append(p.figures, figure{"P(cold)", cold, replication.cold}, figure{"instances", instances, replication.instances})
		}
		all = append(all, p)
	}
	heavy := newPlatform("-", "at most 3, a = 2, kept alive 0 s, lognormal cv2 = 4", 1, law, service("lognormal", 2, 4), 0, 3)
	heavy.figures = []figure{{"rejected share", erlangB(3, 2), replication.rejected}}
	return append(all, heavy)
}

// TestLimitsOfTheKeepAlive holds what has no spread: without a keep-alive every
// request is cold, and with one as long as the run none is, once all instances
// that may be exist.
func TestLimitsOfTheKeepAlive(t *testing.T) {
	all := exactPlatforms()
	none, forEver := all[1].simulate(t, 1, 10_000), all[3].simulate(t, 1, 10_000)
	assert.Equal(t, none.Completed, none.Cold)
	assert.Zero(t, none.idle)
	assert.Zero(t, forEver.Cold)
	assert.Equal(t, 3.0, forEver.instances())
}

// lambdaPoint is one measured point of AWS Lambda.
type lambdaPoint struct {
	platform
	instances, cold float64 // measured
}

const lambdaFile = "../../../shared/acceptance/aws_lambda_steady_state.csv"

// lambdaPoints reads entry S2, if the measurements lie beside the checkout.
func lambdaPoints(t *testing.T) (points []lambdaPoint) {
	file, err := os.Open(lambdaFile)
	if errors.Is(err, fs.ErrNotExist) {
		require.False(t, *fidelity, "docs/fidelity.md is not written without the measurements of S2: %v", err)
		t.Skipf("no measurements of AWS Lambda beside the checkout: %v", err)
	}
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		number := func(name string) float64 {
			v, err := strconv.ParseFloat(row[column[name]], 64)
			require.NoError(t, err)
			return v
		}
		rate := number("ArrivalRate")
		p := newPlatform("S2", strconv.FormatFloat(rate, 'g', -1, 64), rate,
			service("exponential", number("ServiceTimeWarm")/1000, 1), service("exponential", number("ServiceTimeCold")/1000, 1),
			time.Duration(number("IdleMinutesBeforeKill")*float64(time.Minute)), 0)
		point := lambdaPoint{platform: p, instances: number("AverageInstanceCount"), cold: number("ColdStartProbability")}
		point.figures = []figure{{"instances", point.instances, replication.instances}, {"P(cold)", point.cold, replication.cold}}
		points = append(points, point)
	}
	return points
}

// off is the relative error.
func (f finding) off() float64 { return f.mean/f.expected - 1 }

// studyPlatforms holds serverless platforms against theory, S1 and S2, and gives
// their part of docs/fidelity.md; nothing when a part was left out.
func studyPlatforms(t *testing.T, e effort) string {
	var exact, simulated, measured strings.Builder
	var sum struct{ points, instances, cold float64 }
	parts := 0
	t.Run("platforms in theory", func(t *testing.T) {
		for _, p := range exactPlatforms() {
			for _, f := range p.study(t, e) {
				f.check(t, p.system, e)
				exact.WriteString(f.row(p.system, e))
			}
		}
		parts++
	})
	t.Run("S1", func(t *testing.T) {
		for _, f := range s1().study(t, e) {
			tolerance := s1Tolerance[f.name]
			assert.LessOrEqual(t, math.Abs(f.off()), tolerance, "%s: expected %g, observed %g +- %.2g", f.name, f.expected, f.mean, f.half)
			fmt.Fprintf(&simulated, "| S1 | %s | %.5g | %.5g | %.5g to %.5g | %+.2f %% | %.0f %% |\n",
				f.name, f.expected, f.mean, f.mean-f.half, f.mean+f.half, 100*f.off(), 100*tolerance)
		}
		parts++
	})
	t.Run("S2", func(t *testing.T) {
		for _, p := range lambdaPoints(t) {
			f := p.study(t, e)
			instances, cold := f[0], f[1]
			fmt.Fprintf(&measured, "| S2 | %.5g | %.4g | %.4g ± %.2g | %+.1f %% | %.4g | %.4g ± %.2g | %+.1f %% |\n", p.rate,
				p.instances, instances.mean, instances.half, 100*instances.off(), p.cold, cold.mean, cold.half, 100*cold.off())
			sum.points++
			sum.instances += math.Abs(instances.off())
			sum.cold += math.Abs(cold.off())
		}
		assert.Equal(t, 10.0, sum.points)
		assert.LessOrEqual(t, sum.instances/sum.points, 0.04, "MAPE of instances")
		assert.LessOrEqual(t, sum.cold/sum.points, 0.15, "MAPE of cold starts")
		t.Logf("MAPE of instances %.2f %%, of cold starts %.2f %%\n%s", 100*sum.instances/sum.points, 100*sum.cold/sum.points, measured.String())
		parts++
	})
	if parts < 3 {
		return ""
	}
	return fmt.Sprintf(platformText, exact.String(), simulated.String(), 100*sum.instances/sum.points, 100*sum.cold/sum.points, measured.String(), e.replications, e.requests)
}

const platformText = `
## Serverless: instances that are kept alive

Poisson arrivals meet a platform whose instances serve one request at a time, the newest idle one first, and are reclaimed after the keep-alive (see [concepts.md](concepts.md#serverless)). Every replication starts empty and runs for ten hours before anything is counted. In every run, from empty to empty, the time that instances spent serving must equal the sum of all sojourns to the nanosecond.

**In theory.** As long as cold requests take as long as warm ones, the number in service is an Erlang loss system (M/M/∞ without a limit), and the instances are the largest number in service of the last keep-alive. Their distribution and P(cold) follow from the transient law of that chain, killed where it would pass a level. With a limit, the rejected share is Erlang's B whatever the keep-alive and the law. "At most 3" has 1 arrival a second and services of 2 s on average. Without a keep-alive every request is cold; with one of 30 days none is, once the three instances exist: the tests hold both exactly.

| entry | system | quantity | expected | observed | 99.9 %% interval | n × requests | verdict |
|---|---|---|---:|---:|---:|---:|---|
%s
**S1.** 0.9 requests a second, exponential service of 1.991 s warm and 2.244 s cold, kept alive for 600 s. The expected values are no theory: they come from one simulation of 9e7 requests by other means.

| entry | quantity | expected | observed | 99.9 %% interval | difference | tolerance |
|---|---|---:|---:|---:|---:|---:|
%s
**S2.** AWS Lambda as measured by Mahmoudi and Khazaei (pacslab/simfaas, MIT licence), each row at its measured rate and mean warm and cold service times, with exponential services and ten minutes of keep-alive. The mean absolute percentage error is **%.2f %%** for instances (tolerance 4 %%) and **%.2f %%** for P(cold) (tolerance 15 %%). Nothing is fitted.

| entry | requests/s | instances measured | simulated | error | P(cold) measured | simulated | error |
|---|---:|---:|---:|---:|---:|---:|---:|
%s
Both tables: n = %d replications of %d requests, ± half of the 99.9 %% interval. The measured P(cold) has a standard error of its own, up to a sixth of the value.
`
