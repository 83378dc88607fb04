package random

import "math"

// The functions of package math may be assembly, or use fused multiply-adds, on
// some architectures, and differ there in the last bit. These are plain IEEE
// operations with every product rounded, so that all machines draw the same.

// ln2Hi has 32 significant bits: its product with an exponent is exact.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = math.Ln2 - ln2Hi
)

// log is the natural logarithm, within 2 units in the last place. x = 2^e (1+f)
// with 1+f in [sqrt(1/2), sqrt(2)) and s = f/(2+f) give
//
//	log(1+f) = 2 atanh(s) = 2s + s r,  r = 2 (s^2/3 + s^4/5 + ...)
//
// and 2s = f - s f, which keeps f, known exactly, as the leading term.
func log(x float64) float64 {
	if !(x > 0) || x > math.MaxFloat64 {
		return logSpecial(x)
	}
	exponent := 0
	if x < 0x1p-1022 {
		x *= 0x1p54
		exponent = -54
	}
	b := math.Float64bits(x)
	// Adding the distance from sqrt(1/2) to 1 makes the exponent field step at
	// sqrt(2) instead of at 2.
	b += math.Float64bits(1) - math.Float64bits(math.Sqrt2/2)
	exponent += int(b>>52) - 1023
	b = b&(1<<52-1) + math.Float64bits(math.Sqrt2/2)
	f := math.Float64frombits(b) - 1
	s := f / (2 + f)
	z := float64(s * s)
	w := float64(z * z)
	// |s| < 0.1716: the first term left out is below 2^-60.
	odd := 2.0/15 + float64(w*(2.0/19+float64(w*(2.0/23))))
	odd = 2.0/7 + float64(w*(2.0/11+float64(w*odd)))
	odd = 2.0/3 + float64(w*odd)
	even := 2.0/13 + float64(w*(2.0/17+float64(w*(2.0/21))))
	even = 2.0/5 + float64(w*(2.0/9+float64(w*even)))
	r := float64(z*odd) + float64(w*even)
	k := float64(exponent)
	small := float64(s*(f-r)) - float64(k*ln2Lo)
	return float64(k*ln2Hi) - (small - f)
}

func logSpecial(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	}
	return x // +Inf and NaN
}

// exp is e^x, within 2 units in the last place (4 where the result is
// subnormal). x = k ln 2 + r with |r| <= ln(2)/2 gives 2^k times the Taylor
// series of e^r up to r^13.
func exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	const toInteger = 0x1.8p52 // adding and taking it away rounds to an integer
	k := (float64(x*math.Log2E) + toInteger) - toInteger
	r := (x - float64(k*ln2Hi)) - float64(k*ln2Lo)
	z := float64(r * r)
	even := 1.0/40320 + float64(z*(1.0/3628800+float64(z*(1.0/479001600))))
	even = 1.0/24 + float64(z*(1.0/720+float64(z*even)))
	odd := 1.0/362880 + float64(z*(1.0/39916800+float64(z*(1.0/6227020800))))
	odd = 1.0/120 + float64(z*(1.0/5040+float64(z*odd)))
	odd = 1.0/6 + float64(z*odd)
	even = 1.0/2 + float64(z*even)
	y := 1 + (r + float64(z*(even+float64(r*odd))))
	return scale(y, int(k))
}

// scale is y 2^k for y near 1, in two steps where 2^k is not a normal number.
func scale(y float64, k int) float64 {
	switch {
	case k < -1022:
		return y * power2(k+60) * 0x1p-60
	case k > 1023:
		return float64(y*power2(k-1)) * 2
	}
	return y * power2(k)
}

func power2(k int) float64 { return math.Float64frombits(uint64(k+1023) << 52) }

// logGamma is the logarithm of the gamma function for x > 0, with an absolute
// error near 1e-15 for x below 100: the recurrence up to 15, then Stirling's
// series with the Bernoulli numbers up to B12.
func logGamma(x float64) float64 {
	product := 1.0
	for x < 15 {
		product *= x
		x++
	}
	z := 1 / float64(x*x)
	series := 1.0/1188 - float64(z*(691.0/360360))
	series = 1.0/1260 - float64(z*(1.0/1680-float64(z*series)))
	series = 1.0/12 - float64(z*(1.0/360-float64(z*series)))
	stirling := float64((x-0.5)*log(x)) - x + 0.91893853320467274178
	return stirling + series/x - log(product)
}
