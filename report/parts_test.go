package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestClock(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0s", 0.25: "0.25s", 1: "1s", 2055: "34m15s", 7200: "2h", 4215.5: "1h10m15.5s", 86400: "1d", 13*86400 + 4*3600: "13d4h",
		-60: "-1m", 0.0004: "0s",
	} {
		assert.Equal(t, want, clock(s), "%v", s)
	}
}

func TestSigned(t *testing.T) {
	for percent, want := range map[float64]string{
		12.4: "+12 %", -3.44: "-3.4 %", 0.01: "+<0.1 %", 5000: "+>999 %", -61: "-61 %", 9.96: "+10 %",
	} {
		assert.Equal(t, want, signed(percent), "%v", percent)
	}
}

func TestAmount(t *testing.T) {
	assert.Equal(t, "24", amount(24))
	assert.Equal(t, "4.5", amount(4.5))
	assert.Equal(t, "1,204", amount(1203.5))
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "hpa-70", "hpa-70"},
		{"escape sequence", "a\x1b[31mb", "a\uFFFD[31mb"},
		{"eight-bit escape", "a\u009b31m", "a\uFFFD31m"},
		{"line breaks", "a\r\nb\tc\u2028d", "a\uFFFD b c d"},
		{"right to left", "a\u202eb\u2066c\u200fd", "abcd"},
		{"invisible", "a\u200bb\ufeff", "ab"},
		{"invalid bytes", "a\xff\xfeb", "a\uFFFDb"},
		{"letters of the world", "日本語 é", "日本語 é"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, clean(c.text)) })
	}
}

func TestFitAndWrap(t *testing.T) {
	assert.Equal(t, "short", fit("short", 5))
	assert.Equal(t, "shor…", fit("shorter", 5))
	assert.Equal(t, "日…", fit("日本語", 4), "wide letters are never cut in half")
	assert.Equal(t, []string{"one two", "three", "elephan…"}, wrap("one  two three elephantine", 8))
	assert.Equal(t, []string{"p99", "12.3 ms,", "and"}, wrap("p99 12.3 ms, and", 8), "a unit stays with its figure")
	assert.Equal(t, []string{"%"}, wrap("%", 8))
	assert.Empty(t, wrap("  ", 8))
}

func TestCode(t *testing.T) {
	for text, want := range map[string]string{
		"a": "`a`", "a`b": "`` a`b ``", "a``b": "``` a``b ```", "": "", " \n ": "", "a|b": "`a|b`",
	} {
		assert.Equal(t, want, code(text))
	}
	assert.Equal(t, "`a\\|b`", codeCell("a|b"))
	assert.Equal(t, `see https\://x.y \@<!-- -->me \*b\*: 5`, escapeProse("see https://x.y @me *b*: 5"))
}

// Whatever stands in a name, the page is as wide as the terminal and controls
// nothing.
func TestAnyNameFits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := strategies[0].result(1)
		name := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		r.Scenario = name.Draw(rt, "scenario")
		r.Autoscaler = name.Draw(rt, "autoscaler")
		r.Phases[0].Name = name.Draw(rt, "phase")
		r.Decisions[1].Message = name.Draw(rt, "message")
		requireFits(t, runText(t, r, Table, Options{}), 80)
		requireSquare(t, runText(t, r, Markdown, Options{}))
		runText(t, r, YAML, Options{})
		other := strategies[1].result(1)
		other.Scenario = r.Scenario
		if other.Autoscaler != r.Autoscaler {
			requireFits(t, compareText(t, outcomeAgainst(t, r.Autoscaler, r, other), Table, Options{}), 80)
		}
	})
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		name  string
		top   float64
		whole bool
		upper float64
		rows  int
	}{
		{"nothing", 0, true, 1, 1},
		{"one pod", 1, true, 1, 1},
		{"seven pods", 7, true, 7, 7},
		{"a round top", 20, true, 20, 10},
		{"counts skip 2.5", 24, true, 24, 6},
		{"rates may use it", 24, false, 25, 10},
		{"a small rate", 0.031, false, 0.032, 8},
		{"a large one", 123456, false, 140000, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			upper, rows := scale(c.top, 10, c.whole)
			assert.InDelta(t, c.upper, upper, 1e-9)
			assert.Equal(t, c.rows, rows)
		})
	}
}

func TestAxisLabel(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 2.5: "2.5", 900: "900", 1250: "1,250", 12500: "12.5k", 140000: "140k", 2.5e6: "2.5M"} {
		assert.Equal(t, want, axisLabel(v))
	}
}

func TestTimeAxis(t *testing.T) {
	rule, labels := timeAxis(7200, 40)
	assert.Equal(t, "┬─────────┬─────────┬─────────┬────────┬", rule)
	assert.Equal(t, "0s       30m       1h       1h30m     2h", strings.TrimRight(labels, " "))
	for _, duration := range []float64{0.5, 7, 61, 3600, 86399, 14 * 86400, 366 * 86400} {
		rule, labels := timeAxis(duration, 70)
		assert.Len(t, []rune(rule), 70)
		assert.Len(t, []rune(labels), 70)
		assert.GreaterOrEqual(t, strings.Count(rule, "┬"), 4, "%v s", duration)
		assert.LessOrEqual(t, strings.Count(rule, "┬"), 10, "%v s", duration)
	}
}

func TestResample(t *testing.T) {
	c := chart{at: []float64{1, 2, 3, 4}, durationS: 4}
	assert.Equal(t, []float64{2, 6, 6}, c.resample([]float64{1, 3, 4, 8}, 2), "means of two samples")
	c.peak = true
	assert.Equal(t, []float64{3, 8, 8}, c.resample([]float64{1, 3, 4, 8}, 2), "the higher of two")
	assert.Equal(t, []float64{1, 1, 3, 3, 4, 4, 8, 8, 8}, c.resample([]float64{1, 3, 4, 8}, 8), "fewer samples than columns")
	c.durationS = 8
	assert.Equal(t, []float64{3, 8, 8, 8, 8}, c.resample([]float64{1, 3, 4, 8}, 4), "the last one holds")
}

func TestChartsOfManyCurves(t *testing.T) {
	c := chart{title: "many", at: []float64{1, 2}, durationS: 2, rows: 10, whole: true}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		c.series = append(c.series, series{name, []float64{1, 2}})
	}
	var p page
	p.chart(c, Options{})
	assert.Equal(t, "many   ── a  ━━ b  ══ c  ┄┄ d  ** e  oo f  ", p[0].text)
	assert.Equal(t, "not drawn: g, h", p[1].text)

	p = nil
	p.chart(chart{title: "nothing", durationS: 2}, Options{})
	assert.Empty(t, p)
}

func TestGridDropsColumns(t *testing.T) {
	g := grid{columns: []column{{head: "NAME", text: true}, {head: "FIRST", spare: 1}, {head: "SECOND", spare: 2}, {head: "STAYS"}}}
	g.add(plain, "a-name-of-25-letters-xxxxx", "1", "2", "3")
	_, gap, dropped := g.fitted(80)
	assert.Equal(t, 2, gap)
	assert.Empty(t, dropped)
	fitted, gap, dropped := g.fitted(43)
	assert.Equal(t, 1, gap)
	assert.Empty(t, dropped)
	assert.LessOrEqual(t, fitted.width(1), 43, "the name is shortened")
	fitted, _, dropped = g.fitted(25)
	assert.Equal(t, []string{"SECOND"}, dropped)
	assert.Equal(t, 25, fitted.width(1))
	_, _, dropped = g.fitted(3)
	assert.Equal(t, []string{"SECOND", "FIRST"}, dropped, "what must stay stays, too wide or not")
}
