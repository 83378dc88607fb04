package report

import (
	"math"
	"strconv"
	"time"

	"github.com/scalelab/scalelab/bench"
)

// absent stands for a figure that does not exist; 0 would be a claim.
const absent = "-"

// clock writes seconds since the start as people read a clock: 34m15s, 2h,
// 13d4h. Fractions are kept to the millisecond.
func clock(s float64) string {
	rest := time.Duration(math.Round(s*1e3)) * time.Millisecond
	if rest < 0 {
		return "-" + clock(-s)
	}
	text := ""
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if n := rest / unit.size; n > 0 {
			text += strconv.Itoa(int(n)) + unit.name
			rest -= n * unit.size
		}
	}
	if rest > 0 || text == "" {
		text += strconv.FormatFloat(rest.Seconds(), 'f', -1, 64) + "s"
	}
	return text
}

// count writes a whole number with commas between thousands.
func count[T uint64 | int64 | int32 | int](n T) string {
	return bench.Thousands(strconv.FormatInt(int64(n), 10))
}

// amount writes a figure that is mostly a whole number: 24, 4.5, 1,204. A median
// may lie between two whole numbers, which matters for small ones only.
func amount(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 100 {
		return bench.Thousands(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return bench.Thousands(strconv.FormatFloat(v, 'f', 1, 64))
}

// ratio writes a factor: 1.62x.
func ratio(v float64) string { return bench.Digits(v) + "x" }

// optional formats a figure that may be absent.
func optional(v *float64, format func(float64) string) string {
	if v == nil {
		return absent
	}
	return format(*v)
}

// share is part of whole as a percentage, or absent when there is no whole.
func share(part, whole float64) string {
	if whole == 0 {
		return absent
	}
	return bench.Percent(part / whole)
}

// signed writes a relative difference in percent: +12 %, -3.4 %.
func signed(percent float64) string {
	digits := 0
	if math.Abs(percent) < 9.95 {
		digits = 1
	}
	sign := "+"
	if percent < 0 {
		sign = "-"
	}
	if size := math.Abs(percent); size < 0.05 {
		return sign + "<0.1 %"
	} else if size >= 1000 {
		return sign + ">999 %"
	} else {
		return sign + strconv.FormatFloat(size, 'f', digits, 64) + " %"
	}
}

// plural picks the form of a noun.
func plural(n int, one, several string) string {
	if n == 1 {
		return count(n) + " " + one
	}
	return count(n) + " " + several
}
