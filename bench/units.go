package bench

import (
	"math"
	"strconv"
	"strings"
)

// Digits writes v with three significant digits, without an exponent, and with
// commas between thousands: 0.0123, 1.20, 48.0, 1,234.
func Digits(v float64) string {
	if v == 0 {
		return "0"
	}
	scientific := strconv.FormatFloat(v, 'e', 2, 64)
	_, power, found := strings.Cut(scientific, "e")
	if !found {
		return scientific // NaN, Inf
	}
	exponent, _ := strconv.Atoi(power) // FormatFloat writes a whole number here
	return Thousands(strconv.FormatFloat(v, 'f', max(0, 2-exponent), 64))
}

// Thousands puts commas between the thousands of a decimal number.
func Thousands(number string) string {
	whole, fraction, _ := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// Seconds writes a time in µs, ms or s, whichever reads best, with three
// significant digits: 0.0123 is "12.3 ms", 0.9996 is "1.00 s".
func Seconds(s float64) string {
	switch size := math.Abs(s); {
	case size == 0:
		return "0 s"
	case size < 0.9995e-3:
		return Digits(s*1e6) + " µs"
	case size < 0.9995:
		return Digits(s*1e3) + " ms"
	}
	return Digits(s) + " s"
}

// Percent writes a share as a percentage: 0.0041 is "0.41 %". It never rounds
// something to nothing, nor nearly all to all: 3e-9 is "<0.01 %" and 0.99999
// is ">99.99 %".
func Percent(share float64) string {
	percent := share * 100
	switch {
	case percent == 0 || percent == 100:
		return strconv.FormatFloat(percent, 'f', 0, 64) + " %"
	case percent > 0 && percent < 0.01:
		return "<0.01 %"
	case percent > 99.99 && percent < 100:
		return ">99.99 %"
	case percent >= 99.9 && percent < 100, percent < 1:
		return strconv.FormatFloat(percent, 'f', 2, 64) + " %"
	}
	return strconv.FormatFloat(percent, 'f', 1, 64) + " %"
}

// PodHours writes pod-seconds as hours with three significant digits.
func PodHours(podSeconds float64) string { return Digits(podSeconds / 3600) }
