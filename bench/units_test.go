package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1.00", 0.9996: "1.00", 9.995: "9.99", 0.012345: "0.0123", 48.04: "48.0", 123.4: "123",
		999.6: "1,000", 1234.5: "1,234", 1234567: "1,234,567", -1234: "-1,234", -0.5: "-0.500", 1e-9: "0.00000000100",
		math.Inf(1): "+Inf",
	} {
		assert.Equal(t, want, Digits(v), "%v", v)
	}
	assert.Equal(t, "NaN", Digits(math.NaN()))
}

func TestThousands(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "-999": "-999", "-1000000": "-1,000,000", "12345.678": "12,345.678",
	} {
		assert.Equal(t, want, Thousands(number))
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 s", 0.0000123: "12.3 µs", 0.0009996: "1.00 ms", 0.0123: "12.3 ms", 0.9994: "999 ms",
		0.9996: "1.00 s", 2.1: "2.10 s", 61.2: "61.2 s", 3600: "3,600 s", -0.05: "-50.0 ms",
	} {
		assert.Equal(t, want, Seconds(s), "%v", s)
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0 %", 1: "100 %", 3e-9: "<0.01 %", 0.0041: "0.41 %", 0.123: "12.3 %", 0.9995: "99.95 %",
		0.999999: ">99.99 %", 2.5: "250.0 %",
	} {
		assert.Equal(t, want, Percent(share), "%v", share)
	}
}

func TestPodHours(t *testing.T) { assert.Equal(t, "2.50", PodHours(9000)) }
