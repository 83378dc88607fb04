package traffic

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// layouts are the calendar forms; fractions of a second are read after each.
var layouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
}

const timeForms = "a time such as 2006-01-02T15:04:05Z, 2006-01-02 15:04:05, Unix seconds or milliseconds, or seconds from the start"

// The sizes from which a plain number is an instant: 1e8 s is March 1973, 1e11 ms
// too; 1e11 s would be the year 5138.
const (
	unixSeconds = 1e8
	unixMillis  = 1e11
	unixEnd     = 1e14
)

// timeForm is how a column writes its instants, read off its first cell.
type timeForm struct {
	layout string        // "" for numbers
	unit   time.Duration // of numbers
	// absolute instants are nanoseconds since 1970, others since the start.
	absolute bool
}

// detectTime finds the form of a cell; unit is nil or what 1 means. A cell of a
// known form may still be out of range, which parse says.
func detectTime(text string, unit *time.Duration) (form timeForm, problem string) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		for _, layout := range layouts {
			if _, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
				if unit != nil {
					return timeForm{}, fmt.Sprintf("found %q, expected a plain number: unit is given", text)
				}
				return timeForm{layout: layout, absolute: true}, ""
			}
		}
		return timeForm{}, fmt.Sprintf("found %q, expected %s", text, timeForms)
	}
	form = timeForm{unit: time.Second}
	switch {
	case unit != nil:
		form.unit = *unit
	case number >= unixMillis && number < unixEnd:
		form.unit = time.Millisecond
	}
	form.absolute = number*form.unit.Seconds() >= unixSeconds
	return form, ""
}

// parse reads an instant in nanoseconds, since 1970 or since the start.
func (f timeForm) parse(text string) (ns int64, problem string) {
	if f.layout == "" {
		return parseTicks(text, f.unit)
	}
	t, err := time.ParseInLocation(f.layout, text, time.UTC)
	if err != nil {
		return 0, fmt.Sprintf("found %q, expected a time like %s, the form of the first row", text, f.layout)
	}
	if t.Year() < 1970 || t.Year() > 2115 {
		return 0, fmt.Sprintf("found %q, expected a year from 1970 to 2115", text)
	}
	return t.UnixNano(), ""
}

// show writes an instant as a person reads it.
func (f timeForm) show(ns int64) string {
	if !f.absolute {
		return time.Duration(ns).String()
	}
	return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.999999999")
}

// parseTicks reads a decimal number of units as nanoseconds, rounded down. Plain
// decimals are exact (a float64 resolves a Unix time to 240 ns only); exponents
// go through a float64.
func parseTicks(text string, unit time.Duration) (ns int64, problem string) {
	digits, divisor, plain := splitDecimal(text)
	if plain {
		high, low := bits.Mul64(digits, uint64(unit))
		if high >= divisor {
			return 0, hugeTime(text)
		}
		quotient, _ := bits.Div64(high, low, divisor)
		if quotient > math.MaxInt64/2 {
			return 0, hugeTime(text)
		}
		return int64(quotient), ""
	}
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case strings.ContainsAny(text, "xX_") || err != nil && !math.IsInf(number, 0):
		return 0, fmt.Sprintf("found %q, expected a number", text)
	case math.IsNaN(number):
		return 0, fmt.Sprintf("found %q, expected a number", text)
	case number < 0:
		return 0, fmt.Sprintf("found %s, expected 0 or more", text)
	}
	ticks := number * float64(unit)
	if !(ticks < math.MaxInt64/2) {
		return 0, hugeTime(text)
	}
	return int64(ticks), ""
}

func hugeTime(text string) string {
	return fmt.Sprintf("found %s, expected an instant before the year 2116", text)
}

// splitDecimal reads "12.034" as 12034 and 1000. Digits of the fraction beyond
// the 19th of the whole number are dropped; anything but digits and one point,
// or a longer whole number, is not plain.
func splitDecimal(text string) (digits, divisor uint64, plain bool) {
	divisor = 1
	count, point := 0, false
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '.' && !point:
			point = true
		case c < '0' || c > '9':
			return 0, 0, false
		case count < 19:
			count++
			digits = digits*10 + uint64(c-'0')
			if point {
				divisor *= 10
			}
		case !point:
			return 0, 0, false
		}
	}
	return digits, divisor, count > 0
}
