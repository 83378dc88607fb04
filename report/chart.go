package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/guptarohit/asciigraph"

	"github.com/scalelab/scalelab/bench"
)

// series is one curve: a value per instant of the timeline.
type series struct {
	name   string
	values []float64
}

// chart is curves over the same time, drawn with asciigraph. Every curve has
// its own strokes, so that they are told apart without colours.
type chart struct {
	title     string
	at        []float64 // instants in seconds, ascending
	durationS float64
	series    []series // earlier ones are drawn over later ones
	// peak keeps the highest of the values that share a column, for counts;
	// otherwise their mean is drawn, for rates.
	peak  bool
	whole bool // values are counts: no fractions on the axis
	rows  int  // most rows above 0
}

// stroke is how a curve is drawn.
type stroke struct {
	sample string
	chars  asciigraph.CharSet
	color  asciigraph.AnsiColor
}

var strokes = []stroke{
	{"──", asciigraph.DefaultCharSet, asciigraph.Green},
	{"━━", box("━┃┓┏┛┗"), asciigraph.Blue},
	{"══", box("═║╗╔╝╚"), asciigraph.Red},
	{"┄┄", box("┄┆┐┌┘└"), asciigraph.Yellow},
	{"**", asciigraph.CreateCharSet("*"), asciigraph.Fuchsia},
	{"oo", asciigraph.CreateCharSet("o"), asciigraph.Aqua},
}

// box makes strokes of a horizontal, a vertical, and the corners that join
// left-down, down-right, left-up and up-right.
func box(strokes string) asciigraph.CharSet {
	r := []rune(strokes)
	return asciigraph.CharSet{
		Horizontal: string(r[0]), VerticalLine: string(r[1]),
		ArcDownLeft: string(r[2]), ArcDownRight: string(r[3]),
		ArcUpLeft: string(r[4]), ArcUpRight: string(r[5]),
		EndCap: string(r[0]), StartCap: string(r[0]),
	}
}

// labelWidth makes the time axes of all charts of a page line up.
const labelWidth = 6

// chart adds a title, a legend when there are several curves, the curves and a
// time axis. It adds nothing when there is nothing to draw.
func (p *page) chart(c chart, o Options) {
	if len(c.at) == 0 || len(c.series) == 0 || c.durationS <= 0 {
		return
	}
	drawn := c.series[:min(len(c.series), len(strokes))]
	c.heading(p, drawn, o)
	if rest := c.series[len(drawn):]; len(rest) > 0 {
		p.prose(faint, "", fmt.Sprintf("not drawn: %s", strings.Join(names(rest), ", ")), o.width())
	}
	width := o.width() - labelWidth - 3
	for _, row := range c.plot(drawn, width, o) {
		p.add(plain, row)
	}
	rule, labels := timeAxis(c.durationS, width)
	pad := strings.Repeat(" ", labelWidth+2)
	p.add(plain, pad+"└"+rule)
	p.add(plain, pad+" "+labels)
}

// heading is the title and, when there are several curves, their strokes.
func (c chart) heading(p *page, drawn []series, o Options) {
	title := fit(c.title, o.width())
	text, used := title+"   ", columns(title)+3
	if o.Color {
		text = escapes[strong] + title + reset + "   "
	}
	if len(drawn) == 1 {
		drawn = nil
	}
	for i, s := range drawn {
		name := fit(s.name, longestName)
		item := columns(name) + 5
		if used+item-2 > o.width() {
			p.add(plain, text)
			text, used = "", 0
		}
		sample := strokes[i].sample
		if o.Color {
			sample = strokes[i].color.String() + sample + reset
		}
		text += sample + " " + name + "  "
		used += item
	}
	p.add(plain, text)
}

// plot draws the curves, the first curve last so that it stays visible.
func (c chart) plot(drawn []series, width int, o Options) []string {
	var data [][]float64
	var chars []asciigraph.CharSet
	var colors []asciigraph.AnsiColor
	top := 0.0
	for i := len(drawn) - 1; i >= 0; i-- {
		values := c.resample(drawn[i].values, width)
		for _, v := range values {
			top = math.Max(top, v)
		}
		data = append(data, values)
		chars = append(chars, strokes[i].chars)
		colors = append(colors, strokes[i].color)
	}
	upper, rows := scale(top, c.rows, c.whole)
	options := []asciigraph.Option{
		asciigraph.LowerBound(0), asciigraph.UpperBound(upper), asciigraph.Height(rows),
		asciigraph.SeriesChars(chars...),
		asciigraph.YAxisValueFormatter(func(v float64) string {
			return fmt.Sprintf("%*s", labelWidth, axisLabel(v))
		}),
	}
	if o.Color {
		options = append(options, asciigraph.SeriesColors(colors...))
	}
	return strings.Split(asciigraph.PlotMany(data, options...), "\n")
}

// resample gives one value per column, and one more at the end because a curve
// of n points has n-1 strokes. A column without a sample shows the next one,
// which stands for the interval before it.
func (c chart) resample(values []float64, width int) []float64 {
	columns := make([]float64, width+1)
	next := 0
	for i := range width {
		end := c.durationS * float64(i+1) / float64(width)
		sum, most, n := 0.0, 0.0, 0
		for next < len(c.at) && c.at[next] <= end {
			sum += values[next]
			most = math.Max(most, values[next])
			n++
			next++
		}
		switch {
		case n > 0 && c.peak:
			columns[i] = most
		case n > 0:
			columns[i] = sum / float64(n)
		default:
			columns[i] = values[min(next, len(values)-1)]
		}
	}
	columns[width] = columns[width-1]
	return columns
}

// scale picks the top of an axis and its number of rows so that every row is a
// round number: at most so many rows of 1, 2, 2.5, 4 or 5 times a power of ten.
func scale(top float64, most int, whole bool) (upper float64, rows int) {
	if top <= 0 {
		return 1, 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top/float64(most))))
	for _, factor := range []float64{1, 2, 2.5, 4, 5, 10} {
		candidate := step * factor
		if whole && candidate != math.Trunc(candidate) {
			continue
		}
		rows = int(math.Ceil(top/candidate - 1e-9))
		if rows <= most {
			return candidate * float64(rows), rows
		}
	}
	return 1, 1 // whole numbers below one row
}

// axisLabel is short: 12, 2.5, 1.2k, 3.4M.
func axisLabel(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1e6:
		return trimmed(v/1e6) + "M"
	case size >= 1e4:
		return trimmed(v/1e3) + "k"
	}
	return trimmed(v)
}

func trimmed(v float64) string {
	text := bench.Digits(v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// tickSteps are the distances between two marks of a time axis, in seconds.
var tickSteps = []float64{
	0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
	3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400,
}

// timeAxis is the line below the curves and its labels: marks at round times, at
// least eight columns apart.
func timeAxis(durationS float64, width int) (rule, labels string) {
	step := durationS
	for _, candidate := range tickSteps {
		if durationS/candidate <= float64(width/8) {
			step = candidate
			break
		}
	}
	marks, text := []rune(strings.Repeat("─", width)), []rune(strings.Repeat(" ", width))
	free := 0
	for i := 0; float64(i)*step <= durationS*(1+1e-9); i++ {
		at := min(width-1, int(math.Round(float64(i)*step/durationS*float64(width))))
		marks[at] = '┬'
		label := []rune(clock(float64(i) * step))
		start := min(max(0, at-len(label)/2), width-len(label))
		if start < free {
			continue
		}
		copy(text[start:], label)
		free = start + len(label) + 1
	}
	return string(marks), string(text)
}

func names(curves []series) []string {
	list := make([]string, len(curves))
	for i, s := range curves {
		list[i] = s.name
	}
	return list
}

func floats[T int32 | float64](values []T) []float64 {
	converted := make([]float64, len(values))
	for i, v := range values {
		converted[i] = float64(v)
	}
	return converted
}
