package random

import (
	"fmt"
	"math/bits"
)

// Seed is the scenario's seed; every stream of random numbers derives from it.
type Seed uint64

// Key is the root of one consumer's random numbers.
type Key uint64

// golden is 2^64 divided by the golden ratio, made odd: the step of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// Key hashes the seed with a consumer's name and index, so that no consumer's
// numbers depend on what another one draws. The name goes through FNV-1a.
func (s Seed) Key(name string, index uint64) Key {
	h := mix(uint64(s) + golden)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return Key(mix(mix(h) ^ mix(index+golden)))
}

// Stream is the key's own sequence.
func (k Key) Stream() Stream { return Stream{state: uint64(k)} }

// At is the stream of the i-th item, such as a request: a function of the key
// and i only, whatever was drawn for the items before it. Items are far apart on
// SplitMix64's orbit, at odd multiples of its step.
func (k Key) At(i uint64) Stream { return Stream{state: uint64(k) + (i+1)*apart} }

// apart is the step from one item to the next: 2^64 divided by the square of the
// plastic number, made odd. Of 2^44 items, no two are closer to one another on the
// orbit than 2^17 draws.
const apart = 0x91e10da5c79e7b1d

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014, with the
// constants of Stafford's variant 13): a bijection that flips every output bit
// with probability close to one half for each input bit.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Stream is a sequence of random numbers (SplitMix64). It is a small value: a
// copy draws the same numbers again.
type Stream struct{ state uint64 }

// Uint64 draws 64 random bits.
func (s *Stream) Uint64() uint64 {
	s.state += golden
	return mix(s.state)
}

// Float64 draws uniformly from [0, 1) in steps of 2^-53.
func (s *Stream) Float64() float64 {
	return float64(s.Uint64()>>11) * 0x1p-53
}

// IntN draws uniformly from [0, n), without bias (Lemire 2019). It panics when
// n is not positive.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("random: IntN(%d), expected a positive bound", n))
	}
	high, low := bits.Mul64(s.Uint64(), uint64(n))
	if low < uint64(n) {
		// Of the 2^64 products, 2^64 mod n are too many; they are drawn again.
		for excess := -uint64(n) % uint64(n); low < excess; {
			high, low = bits.Mul64(s.Uint64(), uint64(n))
		}
	}
	return int(high)
}

// Two draws two different numbers from [0, n), in order, and a coin, 0 or 1, all
// from one item of the stream. Each outcome has its probability to within n² in 2^64. With
// n of 1, both are 0. It panics when n is not positive.
func (s *Stream) Two(n int) (a, b, coin int) {
	if n <= 0 {
		panic(fmt.Sprintf("random: Two(%d), expected a positive bound", n))
	}
	first, rest := bits.Mul64(s.Uint64(), uint64(n))
	second, rest := bits.Mul64(rest, uint64(n-1))
	a, b = int(first), int(second)
	if n > 1 && b >= a {
		b++
	}
	return a, b, int(rest >> 63)
}
