package random

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/stat/distuv"
)

// The first numbers of a stream; a change makes every fingerprint in the world
// change, and has to be meant.
func TestStreamGoldenValues(t *testing.T) {
	stream := func() *Stream { s := Seed(42).Key("traffic", 0).Stream(); return &s }
	s := stream()
	assert.Equal(t, []uint64{0x93a01bad13af7aec, 0xc1c287cd1dd91028, 0xbf6985f6bd14e0c7}, []uint64{s.Uint64(), s.Uint64(), s.Uint64()})
	item := Seed(42).Key("traffic", 0).At(7)
	assert.Equal(t, uint64(0x396cf88ecc33817), item.Uint64())
	s = stream()
	assert.Equal(t, []float64{0.5766618058730141, 2.512102559235961, -0.5262110901303336}, []float64{s.Float64(), s.Exp(), s.Norm()})
	assert.Equal(t, 916, s.IntN(1000))
}

// SplitMix64 with state 1234567, as published with the reference code.
func TestStreamIsSplitMix64(t *testing.T) {
	s := Stream{state: 1234567}
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		assert.Equal(t, want, s.Uint64())
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, seed := range []Seed{0, 1, 2, 1 << 63} {
		for _, name := range []string{"", "a", "b", "ab", "ba", "traffic", "service"} {
			for index := range uint64(50) {
				key := seed.Key(name, index)
				for _, s := range []Stream{key.Stream(), key.At(0), key.At(1)} {
					first := s.Uint64()
					assert.Empty(t, seen[first], "%d %q %d", seed, name, index)
					seen[first] = fmt.Sprintf("%d %q %d", seed, name, index)
				}
			}
		}
	}
}

func TestAtDependsOnKeyAndIndexOnly(t *testing.T) {
	key := Seed(3).Key("service", 1)
	before := key.At(5)
	for i := range uint64(5) {
		s := key.At(i)
		s.Uint64()
	}
	after := key.At(5)
	assert.Equal(t, before.Uint64(), after.Uint64())
}

// Neighbouring streams must look independent: half the bits differ, and the
// numbers do not correlate.
func TestNeighbouringStreamsAreIndependent(t *testing.T) {
	const n = 100_000
	pairs := map[string]func(i uint64) (Stream, Stream){
		"index of the key": func(i uint64) (Stream, Stream) {
			return Seed(1).Key("x", i).Stream(), Seed(1).Key("x", i+1).Stream()
		},
		"item":  func(i uint64) (Stream, Stream) { k := Seed(1).Key("x", 0); return k.At(i), k.At(i + 1) },
		"seed":  func(i uint64) (Stream, Stream) { return Seed(i).Key("x", 0).Stream(), Seed(i+1).Key("x", 0).Stream() },
		"name":  func(i uint64) (Stream, Stream) { return Seed(i).Key("a", 0).Stream(), Seed(i).Key("b", 0).Stream() },
		"stage": func(i uint64) (Stream, Stream) { s := Seed(i).Key("a", 0).Stream(); r := s; s.Uint64(); return s, r },
	}
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			flipped, product := 0, 0.0
			for i := range uint64(n) {
				s, r := pair(i)
				flipped += bits.OnesCount64(s.Uint64() ^ r.Uint64())
				product += (s.Float64() - 0.5) * (r.Float64() - 0.5)
			}
			assert.InDelta(t, 32, float64(flipped)/n, 5*4/math.Sqrt(n))
			assert.InDelta(t, 0, product/n*12, 5/math.Sqrt(n))
		})
	}
}

func TestIntN(t *testing.T) {
	s := Seed(1).Key("int", 0).Stream()
	counts := make([]int, 7)
	for range 70_000 {
		counts[s.IntN(7)]++
	}
	for _, n := range counts {
		assert.InDelta(t, 10_000, n, 5*93)
	}
	assert.Equal(t, 0, s.IntN(1))
	// A bound just above 2^62: a quarter of the plain products would be biased.
	low := 0
	const bound = 3 << 61
	for range 30_000 {
		if s.IntN(bound) < bound/2 {
			low++
		}
	}
	assert.InDelta(t, 15_000, low, 5*87)
	assert.PanicsWithValue(t, "random: IntN(0), expected a positive bound", func() { s.IntN(0) })
	assert.PanicsWithValue(t, "random: IntN(-3), expected a positive bound", func() { s.IntN(-3) })
}

// Every outcome of Two occurs as often as every other one: a chi-square test with
// a chance of one in a million to fail.
func TestTwo(t *testing.T) {
	const rounds = 200_000
	for _, n := range []int{2, 3, 7, 40} {
		s := Seed(uint64(n)).Key("two", 0).Stream()
		counts := make([]float64, n*n*2)
		for range rounds {
			a, b, coin := s.Two(n)
			assert.NotEqual(t, a, b)
			counts[2*(n*a+b)+coin]++
		}
		outcomes := float64(n * (n - 1) * 2)
		sum := 0.0
		for i, count := range counts {
			if a, b := i/2/n, i/2%n; a != b {
				sum += (count - rounds/outcomes) * (count - rounds/outcomes) / (rounds / outcomes)
			}
		}
		assert.Less(t, sum, distuv.ChiSquared{K: outcomes - 1}.Quantile(1-1e-6), n)
	}
	s := Seed(1).Key("two", 0).Stream()
	a, b, _ := s.Two(1)
	assert.Equal(t, [2]int{0, 0}, [2]int{a, b})
	assert.PanicsWithValue(t, "random: Two(0), expected a positive bound", func() { s.Two(0) })
}

func TestFloat64AndExpStayInRange(t *testing.T) {
	s := Seed(5).Key("range", 0).Stream()
	for range 100_000 {
		u := s.Float64()
		assert.True(t, u >= 0 && u < 1)
		e := s.Exp()
		assert.True(t, e >= 0 && e < 100)
	}
}

// Counts in 1,000 cells of equal probability give a chi-square statistic with
// 999 degrees of freedom.
func TestDrawsFollowTheirLaws(t *testing.T) {
	const n, cells = 2_000_000, 1000
	limit := distuv.ChiSquared{K: cells - 1}.Quantile(0.9999)
	half, two := NewGamma(0.4), NewGamma(2.5)
	laws := map[string]struct {
		draw func(*Stream) float64
		cdf  func(float64) float64
	}{
		"uniform":     {(*Stream).Float64, func(x float64) float64 { return x }},
		"exponential": {(*Stream).Exp, distuv.Exponential{Rate: 1}.CDF},
		"normal":      {(*Stream).Norm, distuv.UnitNormal.CDF},
		"gamma 0.4":   {half.Draw, distuv.Gamma{Alpha: 0.4, Beta: 1}.CDF},
		"gamma 2.5":   {two.Draw, distuv.Gamma{Alpha: 2.5, Beta: 1}.CDF},
	}
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			draws := n
			if strings.HasPrefix(name, "gamma") {
				draws = n / 10 // the incomplete gamma function is slow
			}
			s := Seed(11).Key(name, 0).Stream()
			var counts [cells]float64
			for range draws {
				counts[min(cells-1, int(law.cdf(law.draw(&s))*cells))]++
			}
			statistic, expected := 0.0, float64(draws)/cells
			for _, c := range counts {
				statistic += (c - expected) * (c - expected) / expected
			}
			assert.Less(t, statistic, limit)
		})
	}
}

func TestNormalTail(t *testing.T) {
	s := Seed(2).Key("tail", 0).Stream()
	const n = 20_000_000
	beyond := 0
	for range n {
		if x := s.Norm(); math.Abs(x) > base {
			beyond++
		}
	}
	expected := 2 * distuv.UnitNormal.Survival(base) * n
	assert.InDelta(t, expected, beyond, 5*math.Sqrt(expected))
}

// The stack of layers closes at density 1 exactly when base and area are right.
func TestZigguratCloses(t *testing.T) {
	top := layers - 1
	assert.InDelta(t, 1, ziggurat.height[top]+layerArea/ziggurat.edge[top], 1e-12)
	assert.Equal(t, 0.0, ziggurat.edge[layers])
	tail := math.Sqrt(math.Pi/2) * math.Erfc(base/math.Sqrt2)
	assert.InDelta(t, layerArea, base*math.Exp(-base*base/2)+tail, 1e-16)

	top = expLayers - 1
	assert.InDelta(t, 1, expZiggurat.height[top]+expArea/expZiggurat.edge[top], 1e-12)
	assert.Equal(t, 0.0, expZiggurat.edge[expLayers])
	assert.InDelta(t, expArea, (expBase+1)*math.Exp(-expBase), 1e-16)
}

func TestExponentialTail(t *testing.T) {
	s := Seed(2).Key("exponential tail", 0).Stream()
	const n = 10_000_000
	beyond, far := 0, 0
	for range n {
		switch x := s.Exp(); {
		case x > expBase+1:
			far++
			fallthrough
		case x > expBase:
			beyond++
		}
	}
	expected := math.Exp(-expBase) * n
	assert.InDelta(t, expected, beyond, 5*math.Sqrt(expected))
	assert.InDelta(t, expected/math.E, far, 5*math.Sqrt(expected/math.E))
}

func TestGammaRefusesNonsense(t *testing.T) {
	for _, shape := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		assert.Panics(t, func() { NewGamma(shape) })
	}
}
