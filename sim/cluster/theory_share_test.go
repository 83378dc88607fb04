package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// sharedNumber is M/G/c-PS: requests share c cores and each gets min(1, c/n).
// The number in the system is distributed as in the birth-death chain with the
// rate min(n, c) out of the state n, whatever the law of the demand (Cohen, The
// multiple phase service network with generalized processor sharing, 1979). It
// gives the mean sojourn, L / a, and the probability that nobody is there.
func sharedNumber(c, a float64) (sojourn, empty float64) {
	weight, sum, l := 1.0, 1.0, 0.0
	for n := 1.0; weight > 1e-18*sum || n <= a; n++ {
		weight *= a / min(n, c)
		sum += weight
		l += n * weight
	}
	return l / sum / a, 1 / sum
}

func TestSharedNumberIsThatOfTheClosedForms(t *testing.T) {
	for _, rho := range []float64{0.1, 0.5, 0.8, 0.95} {
		sojourn, empty := sharedNumber(1, rho)
		assert.InDelta(t, 1/(1-rho), sojourn, 1e-10, "M/G/1-PS")
		assert.InDelta(t, 1-rho, empty, 1e-12, "M/G/1-PS")
		for _, c := range []int{2, 4, 10} {
			sojourn, _ := sharedNumber(float64(c), rho*float64(c))
			assert.InDelta(t, 1+mmcWait(c, rho*float64(c)), sojourn, 1e-10, "M/M/%d", c)
		}
	}
}

// sharedCPU is one pod of c cores that admits everybody, with load rho.
func sharedCPU(c, rho float64, law string, cv2 float64) system {
	spec := onePod(unbounded, 0, service(law, 1, cv2))
	spec.PerPod.Discipline, spec.PerPod.Cores = "ps", &c
	s := system{
		entry: "PS", name: fmt.Sprintf("M/G/%g-PS, rho = %g, %s", c, rho, law), spec: spec, rate: c * rho,
		warmUp: steady(1, rho, cv2),
	}
	if cv2 > 1 {
		s.name += fmt.Sprintf(" cv2 = %g", cv2)
	}
	sojourn, empty := sharedNumber(c, s.rate)
	s.quantities = []quantity{
		{name: "sojourn [s]", expected: sojourn, of: func(o outcome) float64 { return o.Latency.MeanSeconds() }},
		{name: "P(empty)", expected: empty, of: func(o outcome) float64 { return o.inFlight[0] / o.seconds }},
	}
	if c == 1 && law == "exponential" {
		// E[T | x] = x / (1 - rho): everybody is slowed down alike (Kleinrock,
		// vol. 2, 4.4).
		s.quantities = append(s.quantities,
			quantity{name: "sojourn / demand, demand < 1 s", expected: 1 / (1 - rho), of: func(o outcome) float64 { return o.stretch[0].mean() }},
			quantity{name: "sojourn / demand, demand >= 1 s", expected: 1 / (1 - rho), of: func(o outcome) float64 { return o.stretch[1].mean() }})
	}
	return s
}

func sharedSystems() (all []system) {
	for _, rho := range []float64{0.5, 0.8} {
		all = append(all, sharedCPU(1, rho, "constant", 0), sharedCPU(1, rho, "exponential", 1), sharedCPU(1, rho, "lognormal", 4))
	}
	return append(all,
		sharedCPU(2, 0.8, "constant", 0), sharedCPU(2, 0.8, "lognormal", 4),
		sharedCPU(4, 0.8, "exponential", 1), sharedCPU(1.5, 0.8, "lognormal", 4))
}

// average is the mean of what was added.
type average struct {
	sum float64
	n   int
}

func (a *average) add(x float64) { a.sum, a.n = a.sum+x, a.n+1 }

func (a average) mean() float64 { return a.sum / float64(a.n) }

// stretches divides sojourns by demands, for demands below and from a second.
type stretches [2]average

func (s *stretches) observe(q *request, now time.Duration, f fate) {
	if q.phase == 0 || f != completed || q.service == 0 {
		return
	}
	s[min(q.service/time.Second, 1)].add(float64(now-q.arrival) / float64(q.service))
}
