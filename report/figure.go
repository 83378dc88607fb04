package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report/plot"
	"github.com/scalelab/scalelab/sim"
)

// drawFigure writes a picture in one of the formats PNG and SVG.
func drawFigure(w io.Writer, f plot.Figure, format string) error {
	if format == PNG {
		return plot.WritePNG(w, f)
	}
	return plot.WriteSVG(w, f)
}

// runFigure is the replica curve above the rates, with the phases marked.
func runFigure(r *sim.Result) plot.Figure {
	t := r.Timeline
	replicas := []plot.Line{{Name: "ready", X: t.TS, Y: floats(t.Ready)}, {Name: "desired", X: t.TS, Y: floats(t.Desired)}}
	rates := []plot.Line{{Name: "served", X: t.TS, Y: t.CompletedRPS}, {Name: "arrived", X: t.TS, Y: t.ArrivedRPS}}
	figure := plot.Figure{
		Title: clean(r.Scenario) + " / " + clean(r.Autoscaler),
		Note:  runLine(r) + " · " + strings.TrimSuffix(verdict(r), "."),
		Panels: []plot.Panel{
			plot.Curves{X: timeline(r.DurationS), Y: upwards("replicas", replicas, true), Lines: replicas, Marks: phaseMarks(r), Spans: bandSpans(r)},
			plot.Curves{X: timeline(r.DurationS), Y: upwards("requests per second", rates, false), Lines: rates, Marks: phaseMarks(r)},
		},
	}
	if p, ok := latencyPanel([]*sim.Result{r}); ok {
		figure.Panels = append(figure.Panels, p)
	}
	return figure
}

// latencyPanel is the latency below which each share of the requests stays, one
// line per result: a distribution function on its side, stretched towards 100 % so
// that every further nine takes as much room. False when nobody has one.
func latencyPanel(results []*sim.Result) (plot.Curves, bool) {
	var lines []plot.Line
	least, most, right := math.Inf(1), 0.0, 1.0
	for _, r := range results {
		l := plot.Line{Name: clean(r.Autoscaler)} // an empty one keeps the colours of the others
		if r.Latencies != nil {
			for i, q := range r.Latencies.Q {
				if s := r.Latencies.S[i]; q < 1 && s > 0 {
					l.X, l.Y = append(l.X, nines(q)), append(l.Y, s)
					least, most, right = math.Min(least, s), math.Max(most, s), math.Max(right, nines(q))
				}
			}
		}
		lines = append(lines, l)
	}
	if most == 0 {
		return plot.Curves{}, false
	}
	x := plot.Axis{Label: "share of the requests", Max: right}
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		if nines(q) <= right+1e-9 {
			x.Ticks = append(x.Ticks, plot.Tick{At: nines(q), Label: strconv.FormatFloat(q*100, 'g', 6, 64) + "%"})
		}
	}
	return plot.Curves{X: x, Y: decades("latency", least, most, secondsLabel), Lines: lines, Joined: true}, true
}

// nines is 1 for 90 %, 2 for 99 % and so on.
func nines(q float64) float64 { return -math.Log10(1 - q) }

// compareFigure is the ready replicas of every strategy for the first seed,
// above latency against cost over all seeds.
func compareFigure(o *bench.Outcome) plot.Figure {
	c := o.Comparison
	var lines []plot.Line
	var first *sim.Result
	colours := map[string]int{}
	for _, r := range o.Results {
		if r.Seed != c.Seeds[0] {
			continue
		}
		if first == nil {
			first = r
		}
		colours[r.Autoscaler] = len(lines)
		lines = append(lines, plot.Line{Name: clean(r.Autoscaler), X: r.Timeline.TS, Y: floats(r.Timeline.Ready)})
	}
	figure := plot.Figure{Title: compareTitle(c), Note: strings.Join(cleaned(c.Conclusion), " "), Panels: []plot.Panel{
		plot.Curves{X: timeline(first.DurationS), Y: upwards(fmt.Sprintf("ready replicas, seed %d", first.Seed), lines, true), Lines: lines, Marks: phaseMarks(first)},
	}}
	if p, ok := latencyPanel(firstSeed(o)); ok {
		figure.Panels = append(figure.Panels, p)
	}
	if s, ok := priceScatter(c, colours); ok {
		figure.Panels = append(figure.Panels, s)
	}
	return figure
}

// priceScatter is the median latency p99 of every strategy against its median
// cost, with their intervals; false when nobody has both.
func priceScatter(c *bench.Comparison, colours map[string]int) (plot.Scatter, bool) {
	metric, label, unit := bench.PodSeconds, "pod-hours", 3600.0
	if c.ParetoMetrics[len(c.ParetoMetrics)-1] == bench.CostTotal {
		metric, label, unit = bench.CostTotal, "cost", 1
	}
	s := plot.Scatter{}
	kinds := [3]string{"Pareto front", "beaten by another", bench.Oracle}
	for _, a := range c.Autoscalers {
		price, latency := a.Metrics[metric], a.Metrics[bench.LatencyP99]
		if price.Median == nil || latency.Median == nil {
			continue
		}
		q := plot.Point{Name: scatterName(a), X: *price.Median / unit, Y: *latency.Median,
			XRange: reach(price.Interval, unit), YRange: reach(latency.Interval, 1), Kind: plot.Hollow, Index: colours[a.Autoscaler]}
		switch {
		case a.Autoscaler == bench.Oracle:
			q.Kind = plot.Diamond
		case c.OnFront(a.Autoscaler):
			q.Kind = plot.Filled
		}
		s.Kinds[q.Kind] = kinds[q.Kind]
		s.Points = append(s.Points, q)
	}
	s.X = figures(label, horizontals(s.Points), trimmed)
	s.Y = figures("latency p99", verticals(s.Points), secondsLabel)
	return s, len(s.Points) > 0
}

// scatterName adds what the two axes do not show.
func scatterName(a bench.Summary) string {
	name := fit(clean(a.Autoscaler), longestName)
	if lost := a.Metrics[bench.LostShare].Median; lost != nil && *lost > 0 {
		name += " (" + tightPercent(*lost) + " lost)"
	}
	return name
}

func reach(i *bench.Interval, unit float64) *[2]float64 {
	if i == nil {
		return nil
	}
	return &[2]float64{i.Low / unit, i.High / unit}
}

func cleaned(texts []string) []string {
	safe := make([]string, len(texts))
	for i, text := range texts {
		safe[i] = clean(text)
	}
	return safe
}

func phaseMarks(r *sim.Result) []plot.Mark {
	var marks []plot.Mark
	for _, p := range r.Phases {
		marks = append(marks, plot.Mark{At: p.FromS, Name: clean(p.Name)})
	}
	return marks
}

// bandSpans are the bands of a run: what befell it, and states of its autoscaler.
func bandSpans(r *sim.Result) []plot.Span {
	var spans []plot.Span
	for _, b := range r.Bands {
		spans = append(spans, plot.Span{From: b.FromS, To: b.ToS, Name: clean(b.Name)})
	}
	return spans
}

func horizontals(points []plot.Point) (values []float64) {
	for _, q := range points {
		values = append(values, withRange(q.X, q.XRange)...)
	}
	return values
}

func verticals(points []plot.Point) (values []float64) {
	for _, q := range points {
		values = append(values, withRange(q.Y, q.YRange)...)
	}
	return values
}

func withRange(v float64, r *[2]float64) []float64 {
	if r == nil {
		return []float64{v}
	}
	return []float64{v, r[0], r[1]}
}

// secondsLabel is short: 5s, 250ms, 40µs.
func secondsLabel(s float64) string {
	switch {
	case s == 0 || s >= 0.9995:
		return trimmed(s) + "s"
	case s >= 0.9995e-3:
		return trimmed(s*1e3) + "ms"
	}
	return trimmed(s*1e6) + "µs"
}

// timeline is an axis of at most twelve round instants.
func timeline(durationS float64) plot.Axis {
	axis := plot.Axis{Max: max(durationS, 1e-3)}
	step := axis.Max
	for _, candidate := range tickSteps {
		if axis.Max/candidate <= 12 {
			step = candidate
			break
		}
	}
	for i := 0; float64(i)*step <= axis.Max*(1+1e-9); i++ {
		axis.Ticks = append(axis.Ticks, plot.Tick{At: float64(i) * step, Label: clock(float64(i) * step)})
	}
	return axis
}

// upwards is an axis from 0 to above the highest value of the lines.
func upwards(label string, lines []plot.Line, whole bool) plot.Axis {
	top := 0.0
	for _, l := range lines {
		for _, v := range l.Y {
			top = math.Max(top, v)
		}
	}
	upper, rows := scale(top, 8, whole)
	return ruled(label, upper*(1+0.12), upper, rows, axisLabel) // room for the names of the phases
}

func ruled(label string, end, upper float64, rows int, format func(float64) string) plot.Axis {
	axis := plot.Axis{Label: label, Max: end}
	for i := range rows + 1 {
		at := upper * float64(i) / float64(rows)
		axis.Ticks = append(axis.Ticks, plot.Tick{At: at, Label: format(at)})
	}
	return axis
}

// figures is an axis from 0, or a logarithmic one where the values lie far
// apart.
func figures(label string, values []float64, format func(float64) string) plot.Axis {
	least, most := math.Inf(1), 0.0
	for _, v := range values {
		least, most = math.Min(least, v), math.Max(most, v)
	}
	if least > 0 && most/least >= 30 {
		return decades(label, least, most, format)
	}
	upper, rows := scale(most, 7, false)
	return ruled(label, upper*(1+0.05), upper, rows, format)
}

// decades has ticks at 1, 2 and 5 times the powers of ten.
func decades(label string, least, most float64, format func(float64) string) plot.Axis {
	axis := plot.Axis{Label: label + " (logarithmic)", Min: least / 1.3, Max: most * 1.3, Log: true}
	for power := math.Floor(math.Log10(axis.Min)); power <= math.Log10(axis.Max); power++ {
		for _, factor := range []float64{1, 2, 5} {
			if at := factor * math.Pow(10, power); at >= axis.Min && at <= axis.Max {
				axis.Ticks = append(axis.Ticks, plot.Tick{At: at, Label: format(at)})
			}
		}
	}
	return axis
}
