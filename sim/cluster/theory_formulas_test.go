package cluster

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// In the closed forms a mean service takes 1, c is the number of slots, and a
// is the offered load: the arrivals per mean service. Sources: Kleinrock,
// Queueing Systems, vol. 1 (1975), unless another one is named.

// erlangB is the share of arrivals that M/M/c/c turns away, by the recursion
// B(k) = a B(k-1) / (k + a B(k-1)).
func erlangB(c int, a float64) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b
}

// erlangC is the probability of waiting in M/M/c: c B / (c - a (1 - B)).
func erlangC(c int, a float64) float64 {
	b := erlangB(c, a)
	return float64(c) * b / (float64(c) - a*(1-b))
}

// mmcWait is the mean wait in M/M/c.
func mmcWait(c int, a float64) float64 { return erlangC(c, a) / (float64(c) - a) }

// mmcWaitTail is P(wait > t) = C exp(-(c-a) t) in M/M/c.
func mmcWaitTail(c int, a float64) func(t float64) float64 {
	return func(t float64) float64 { return erlangC(c, a) * math.Exp(-(float64(c)-a)*t) }
}

// mmcSojournTail is P(wait + service > t) in M/M/c: the convolution of
// mmcWaitTail with exp(-t), which is
//
//	exp(-t) (1 + C (1 - exp(-d t)) / d)    with d = c - 1 - a, and t for (...) / d at d = 0.
func mmcSojournTail(c int, a float64) func(t float64) float64 {
	d := float64(c) - 1 - a
	return func(t float64) float64 {
		grown := t
		if d != 0 {
			grown = -math.Expm1(-d*t) / d
		}
		return math.Exp(-t) * (1 + erlangC(c, a)*grown)
	}
}

// quantileOf is the t at which a falling tail reaches 1-q, by bisection; 0 when
// it begins below.
func quantileOf(tail func(t float64) float64, q float64) float64 {
	low, high := 0.0, 1000.0
	for range 100 {
		middle := (low + high) / 2
		if tail(middle) > 1-q {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// mmck is M/M/c/K, where k requests find place, in service or waiting: the
// blocked share, the mean number in the system and the mean wait of the others.
func mmck(c, k int, a float64) (block, l, wq float64) {
	weight, sum, waiting := 1.0, 1.0, 0.0
	for n := 1; n <= k; n++ {
		weight *= a / float64(min(n, c))
		sum += weight
		l += float64(n) * weight
		waiting += float64(max(n-c, 0)) * weight
	}
	block = weight / sum
	return block, l / sum, waiting / sum / (a * (1 - block))
}

// pollaczekKhinchine is the mean wait in M/G/1 with load rho, for a service
// time whose variance is cv2 times its squared mean.
func pollaczekKhinchine(rho, cv2 float64) float64 { return rho * (1 + cv2) / (2 * (1 - rho)) }

// mdcWait is the mean wait in M/D/c. From one service time to the next, the
// number in the system follows N' = max(N-c, 0) + Poisson(a) (Crommelin 1932),
// so that by Spitzer's identity (1956), with P = Poisson(k a),
//
//	Lq = sum over k of E[max(P - k c, 0)] / k
//	   = sum over k of a P(P >= k c) - c P(P > k c)
func mdcWait(c int, a float64) float64 {
	var lq float64
	for k := 1; k <= 5000; k++ {
		atLeast := func(n int) float64 { return mathext.GammaIncReg(float64(n), float64(k)*a) }
		lq += a*atLeast(k*c) - float64(c)*atLeast(k*c+1)
	}
	return lq / a
}

// halfinWhitt is the probability of waiting with R + beta sqrt(R) slots for an
// offered load R that grows beyond bounds (Halfin and Whitt 1981).
func halfinWhitt(beta float64) float64 {
	return 1 / (1 + beta*distuv.UnitNormal.CDF(beta)/distuv.UnitNormal.Prob(beta))
}

// fact is a number as it was published.
type fact struct {
	what string
	got  float64
	want string
}

// check compares to every digit that is given.
func (f fact) check(t *testing.T) {
	_, decimals, _ := strings.Cut(f.want, ".")
	assert.Equal(t, f.want, strconv.FormatFloat(f.got, 'f', len(decimals), 64), f.what)
}

func TestErlangAsPublished(t *testing.T) {
	assert.InDelta(t, 4.0/9, erlangC(3, 2), 1e-15, "Q1 C")
	for _, f := range []fact{
		{"Q1 Wq", mmcWait(3, 2), "0.444444"},
		{"Q2 B", erlangB(10, 8), "0.121661"},
		{"Q2 C", erlangC(10, 8), "0.40918"},
		{"Q2 Wq", mmcWait(10, 8), "0.20459"},
		{"Q2 wait p95", quantileOf(mmcWaitTail(10, 8), 0.95), "1.0511"},
		{"Q2 wait p99", quantileOf(mmcWaitTail(10, 8), 0.99), "1.8558"},
		{"Q2 sojourn p50", quantileOf(mmcSojournTail(10, 8), 0.50), "0.9121"},
		{"Q2 sojourn p95", quantileOf(mmcSojournTail(10, 8), 0.95), "3.3283"},
		{"Q2 sojourn p99", quantileOf(mmcSojournTail(10, 8), 0.99), "4.9461"},
		{"Q3 C", erlangC(10, 9), "0.668732"},
		{"Q3 Wq", mmcWait(10, 9), "0.668732"},
		{"Q3 sojourn p95", quantileOf(mmcSojournTail(10, 9), 0.95), "4.3609"},
		{"Q3 sojourn p99", quantileOf(mmcSojournTail(10, 9), 0.99), "6.2499"},
		{"Q4 C", erlangC(100, 80), "0.019646"},
		{"Q4 Wq", mmcWait(100, 80), "0.000982"},
		{"Q8 Erlang C", erlangC(110, 100), "0.23701"},
		{"Q8 Halfin-Whitt", halfinWhitt(1), "0.22336"},
	} {
		f.check(t)
	}
}

func TestOtherClosedFormsAsPublished(t *testing.T) {
	block1, l1, _ := mmck(1, 5, 0.8)
	block10, l10, wq10 := mmck(10, 20, 12)
	block5, _, wq5 := mmck(5, 10, 4)
	for _, f := range []fact{
		{"Q5 M/M/1/5 block", block1, "0.088819"},
		{"Q5 M/M/1/5 L", l1, "1.868332"},
		{"Q5 M/M/10/20 block", block10, "0.179666"},
		{"Q5 M/M/10/20 L", l10, "16.104498"},
		{"Q5 M/M/10/20 Wq", wq10, "0.635969"},
		{"Q5 M/M/5/10 block", block5, "0.042486"},
		{"Q5 M/M/5/10 Wq", wq5, "0.233337"},
		{"Q6 cv2=0", pollaczekKhinchine(0.8, 0), "2.000000"},
		{"Q6 cv2=1", pollaczekKhinchine(0.8, 1), "4.000000"},
		{"Q6 cv2=4", pollaczekKhinchine(0.8, 4), "10.000000"},
		{"Q7 c=1", mdcWait(1, 0.8), "2.000000"},
		{"Q7 c=2", mdcWait(2, 1.6), "0.903284"},
		{"Q7 c=5", mdcWait(5, 4), "0.28906"},
		{"Q7 c=10", mdcWait(10, 8), "0.109828"},
	} {
		f.check(t)
	}
}
