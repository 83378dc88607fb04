package cluster

import "math/bits"

// virtual is an amount of work: nanoseconds at speed 1, with 64 bits of
// fraction.
type virtual struct{ whole, fraction uint64 }

// tolerance is 2^-20 ns. With so little work left a request is done, so that
// the departure which falls on a whole nanosecond does not slip to the next one
// when a speed such as 1/3 is rounded: each rounding loses less than 2^-64 ns.
var tolerance = virtual{fraction: 1 << (64 - 20)}

func (v virtual) plus(o virtual) virtual {
	fraction, carry := bits.Add64(v.fraction, o.fraction, 0)
	return virtual{v.whole + o.whole + carry, fraction}
}

// minus is never less than nothing.
func (v virtual) minus(o virtual) virtual {
	if v.before(o) {
		return virtual{}
	}
	fraction, borrow := bits.Sub64(v.fraction, o.fraction, 0)
	return virtual{v.whole - o.whole - borrow, fraction}
}

func (v virtual) before(o virtual) bool {
	return v.whole < o.whole || v.whole == o.whole && v.fraction < o.fraction
}

// ceil is in whole nanoseconds.
func (v virtual) ceil() uint64 {
	if v.fraction > 0 {
		return v.whole + 1
	}
	return v.whole
}

// processor is the CPU of a pod in thousandths of a core. n requests in service
// run at the speed min(1, processor / 1000n) each.
type processor uint64

// work is what each of n requests in service receives in ns nanoseconds,
// rounded down.
func (c processor) work(ns uint64, n int) virtual {
	all := 1000 * uint64(n)
	if all <= uint64(c) {
		return virtual{whole: ns}
	}
	high, low := bits.Mul64(ns, uint64(c))
	whole, rest := bits.Div64(high, low, all)
	fraction, _ := bits.Div64(rest, 0, all)
	return virtual{whole, fraction}
}

// time is how many whole nanoseconds n requests in service need until each has
// received the work; the largest number when that is more than 584 years.
func (c processor) time(work virtual, n int) uint64 {
	all := 1000 * uint64(n)
	if all <= uint64(c) {
		return work.ceil()
	}
	// work * all is a number of three words, and has to be divided by c.
	carried, low := bits.Mul64(work.fraction, all)
	high, middle := bits.Mul64(work.whole, all)
	middle, carry := bits.Add64(middle, carried, 0)
	high += carry
	if high >= uint64(c) {
		return 1<<64 - 1
	}
	ns, rest := bits.Div64(high, middle, uint64(c))
	if rest > 0 || low > 0 {
		ns++
	}
	return ns
}
