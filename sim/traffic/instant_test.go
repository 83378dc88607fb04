package traffic

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstants(t *testing.T) {
	for text, c := range map[string]struct {
		unit *time.Duration
		ns   int64
		show string
	}{
		"0":                              {nil, 0, "0s"},
		".5":                             {nil, 5e8, "500ms"},
		"12.034":                         {nil, 12_034_000_000, "12.034s"},
		"99999999":                       {nil, 99_999_999e9, "27777h46m39s"},
		"100000000":                      {nil, 1e17, "1973-03-03 09:46:40"},
		"1700079423.979960123":           {nil, 1_700_079_423_979_960_123, "2023-11-15 20:17:03.979960123"},
		"1700079423.97996012345678":      {nil, 1_700_079_423_979_960_123, "2023-11-15 20:17:03.979960123"},
		"1700079423979":                  {nil, 1_700_079_423_979_000_000, "2023-11-15 20:17:03.979"},
		"1.7e9":                          {nil, 17e17, "2023-11-14 22:13:20"},
		"+5":                             {nil, 5e9, "5s"},
		"90":                             {ptr(time.Minute), 5400e9, "1h30m0s"},
		"1700079423":                     {ptr(time.Second), 1_700_079_423e9, "2023-11-15 20:17:03"},
		"2023-11-16 18:17:03.9799600":    {nil, 1_700_158_623_979_960_000, "2023-11-16 18:17:03.97996"},
		"2023-11-16T18:17:03Z":           {nil, 1_700_158_623e9, "2023-11-16 18:17:03"},
		"2023-11-16T18:17:03.5+02:00":    {nil, 1_700_151_423_500_000_000, "2023-11-16 16:17:03.5"},
		"2023-11-16T18:17:03":            {nil, 1_700_158_623e9, "2023-11-16 18:17:03"},
		"2023-11-16 18:17:03.25+00:00":   {nil, 1_700_158_623_250_000_000, "2023-11-16 18:17:03.25"},
		"0.000000000000000000000000001":  {nil, 0, "0s"},
		"00000000000000000000000000012":  {nil, 12e9, "12s"},
		"0.1234567890123456789012345678": {nil, 123_456_789, "123.456789ms"},
	} {
		t.Run(text, func(t *testing.T) {
			form, problem := detectTime(text, c.unit)
			require.Empty(t, problem)
			ns, problem := form.parse(text)
			require.Empty(t, problem)
			assert.Equal(t, c.ns, ns)
			assert.Equal(t, c.show, form.show(ns))
		})
	}
}

func TestInstantsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                    `found "", expected ` + timeForms,
		"12:30":               `found "12:30", expected ` + timeForms,
		"2023-02-30 00:00:00": `found "2023-02-30 00:00:00", expected ` + timeForms,
		"inf":                 "found inf, expected an instant before the year 2116",
		"1e200":               "found 1e200, expected an instant before the year 2116",
		"5000000000":          "found 5000000000, expected an instant before the year 2116",
		"1066-10-14 09:00:00": `found "1066-10-14 09:00:00", expected a year from 1970 to 2115`,
		"-3":                  "found -3, expected 0 or more",
		"NaN":                 `found "NaN", expected a number`,
		"0x10p0":              `found "0x10p0", expected a number`,
	} {
		form, problem := detectTime(text, nil)
		if problem == "" {
			_, problem = form.parse(text)
		}
		assert.Equal(t, want, problem, text)
	}
	_, problem := parseTicks("99999999999999999999", time.Hour)
	assert.Equal(t, hugeTime("99999999999999999999"), problem)
	_, problem = parseTicks("999999999999999999", maxLength)
	assert.Equal(t, hugeTime("999999999999999999"), problem)
}

// What is read as an instant is not negative, and reads the same again once it
// is written out.
func FuzzInstant(f *testing.F) {
	for _, text := range []string{"0", "1700000000", "1700000000.123456789", "1.7e12", "2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03+01:00", "-1", "NaN", "1e999", "0x1p3", ".", "1_000", "١"} {
		f.Add(text, int64(0))
		f.Add(text, int64(time.Minute))
	}
	f.Fuzz(func(t *testing.T, text string, unit int64) {
		var given *time.Duration
		if unit > 0 {
			given = ptr(time.Duration(unit))
		}
		form, problem := detectTime(text, given)
		if problem != "" {
			return
		}
		ns, problem := form.parse(text)
		if problem != "" {
			return
		}
		require.GreaterOrEqual(t, ns, int64(0))
		if form.absolute {
			again, problem := detectTime(form.show(ns), nil)
			require.Empty(t, problem)
			back, problem := again.parse(form.show(ns))
			require.Empty(t, problem)
			require.Equal(t, ns, back)
		}
	})
}
