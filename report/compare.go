package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// comparePage is one block per autoscaler: its medians, how sure they are, and
// the difference to the baseline; then what limits the figures, the curves and
// the conclusion.
func comparePage(c *bench.Outcome, wide bool, o Options) page {
	var p page
	width := o.width()
	p.prose(strong, "", compareTitle(c.Comparison), width)
	p.blank()
	p.put(compareGrid(c.Comparison, wide), tableWidth(wide, o))
	p.prose(faint, "", compareNote(c.Comparison, wide), width)
	for _, warning := range c.Comparison.Warnings {
		p.prose(warn, "! ", clean(warning), width)
	}
	p.checks(c, wide, width)
	p.compareChart(c, o)
	if len(c.Comparison.Conclusion) > 0 {
		p.blank()
	}
	for _, sentence := range c.Comparison.Conclusion {
		p.prose(strong, "▌ ", clean(sentence), width)
	}
	return p
}

func compareTitle(c *bench.Comparison) string {
	title := fmt.Sprintf("%s: %s on identical traffic", clean(c.Scenario),
		plural(len(c.Autoscalers), "strategy", "strategies"))
	if len(c.Seeds) == 1 {
		return fmt.Sprintf("%s, seed %d", title, c.Seeds[0])
	}
	return fmt.Sprintf("%s, medians of %d seeds", title, len(c.Seeds))
}

// metricColumn is how one metric is shown.
type metricColumn struct {
	head   string
	metric string
	format func(float64) string
	// apart writes differences as they are, because a relative one would
	// mislead near 0; nil: in percent of the baseline.
	apart func(float64) string
	wide  bool // in the wide format only
	spare int
}

func metricColumns() []metricColumn {
	return []metricColumn{
		{head: "MEAN", metric: "latency_s.mean", format: tightSeconds, wide: true},
		{head: "P50", metric: bench.LatencyP50, format: tightSeconds},
		{head: "P95", metric: "latency_s.p95", format: tightSeconds, wide: true},
		{head: "P99", metric: bench.LatencyP99, format: tightSeconds},
		{head: "LATENCY MAX", metric: "latency_s.max", format: tightSeconds, wide: true},
		{head: "WAIT P99", metric: bench.WaitP99, format: tightSeconds, wide: true},
		{head: "LOST", metric: bench.LostShare, format: tightPercent, apart: points},
		{head: "COLD", metric: bench.Cold, format: amount, apart: amount, spare: 2},
		{head: "PODS", metric: bench.MeanReady, format: bench.Digits},
		{head: "MAX", metric: bench.MaxDesired, format: amount, spare: 1},
		{head: "UPS", metric: "replicas.scale_ups", format: amount, apart: amount, wide: true},
		{head: "DOWNS", metric: "replicas.scale_downs", format: amount, apart: amount, wide: true},
		{head: "FLAPS", metric: "replicas.flaps", format: amount, apart: amount, wide: true},
		{head: "POD-H", metric: bench.PodSeconds, format: bench.PodHours},
		{head: "IDLE-H", metric: "idle_pod_seconds", format: bench.PodHours, wide: true},
		{head: "COST", metric: bench.CostTotal, format: bench.Digits, spare: 3},
		{head: "ORACLE", metric: bench.OracleRatio, format: ratio},
		{head: "REGRET P99", metric: bench.RegretP99, format: tightSeconds, apart: tightSeconds, wide: true},
		{head: "REGRET H", metric: bench.RegretPods, format: bench.PodHours, apart: bench.PodHours, wide: true},
		{head: "REGRET COST", metric: bench.RegretCost, format: bench.Digits, apart: bench.Digits, wide: true},
	}
}

// Units stand close to figures in a table.
func tightSeconds(s float64) string     { return strings.ReplaceAll(bench.Seconds(s), " ", "") }
func tightPercent(share float64) string { return strings.ReplaceAll(bench.Percent(share), " ", "") }

// points writes a difference of shares in percentage points.
func points(share float64) string {
	return strings.TrimSuffix(tightPercent(share), "%") + "pp"
}

// shownColumns leaves out what no autoscaler has.
func shownColumns(c *bench.Comparison, wide bool) []metricColumn {
	var shown []metricColumn
	for _, m := range metricColumns() {
		if m.wide && !wide {
			continue
		}
		for _, s := range c.Autoscalers {
			if s.Metrics[m.metric].Median != nil {
				shown = append(shown, m)
				break
			}
		}
	}
	return shown
}

const (
	baselineMark = "*"
	frontMark    = "◆"
)

// marked is the name of a strategy with its marks behind it.
func marked(c *bench.Comparison, name string) string {
	marks := ""
	if name == c.Baseline {
		marks += baselineMark
	}
	if showsFront(c) && c.OnFront(name) {
		marks += frontMark
	}
	name = fit(clean(name), longestName-3)
	if marks == "" {
		return name
	}
	return name + " " + marks
}

// showsFront says that there is somebody to be better than.
func showsFront(c *bench.Comparison) bool {
	competitors := 0
	for _, s := range c.Autoscalers {
		if s.Autoscaler != bench.Oracle {
			competitors++
		}
	}
	return competitors > 1
}

func compareGrid(c *bench.Comparison, wide bool) grid {
	shown := shownColumns(c, wide)
	g := grid{columns: []column{{head: "STRATEGY", text: true}}}
	for _, m := range shown {
		g.columns = append(g.columns, column{head: m.head, spare: m.spare})
	}
	for _, s := range c.Autoscalers {
		figures, spreads, differences := []string{marked(c, s.Autoscaler)}, []string{"  95 %"}, []string{"  vs " + baselineMark}
		for _, m := range shown {
			e := s.Metrics[m.metric]
			figures = append(figures, optional(e.Median, m.format))
			spreads = append(spreads, m.spread(e))
			differences = append(differences, m.difference(e.Difference))
		}
		g.add(plain, figures...)
		if len(c.Seeds) >= bench.MinSeeds {
			g.add(faint, spreads...)
		}
		if s.Autoscaler != c.Baseline {
			g.add(faint, differences...)
		}
	}
	return g
}

// spread is how far the interval reaches from the median on its longer side.
func (m metricColumn) spread(e bench.Estimate) string {
	if e.Interval == nil {
		return ""
	}
	reach := math.Max(e.Interval.High-*e.Median, *e.Median-e.Interval.Low)
	switch {
	case reach == 0:
		return "±0"
	case m.apart != nil || *e.Median == 0:
		format := m.apart
		if format == nil {
			format = m.format
		}
		return "±" + format(reach)
	}
	return "±" + strings.TrimLeft(tight(signed(reach / *e.Median * 100)), "+")
}

// difference is against the baseline: a mark when there is nothing to claim.
func (m metricColumn) difference(d *bench.Difference) string {
	switch {
	case d == nil || d.N == 0:
		return ""
	case d.Mark != bench.Distinct:
		return string(d.Mark)
	case m.apart != nil || d.RelativePercent == nil:
		format := m.apart
		if format == nil {
			format = m.format
		}
		sign := "+"
		if *d.Median < 0 {
			sign = "-"
		}
		return sign + format(math.Abs(*d.Median))
	}
	return tight(signed(*d.RelativePercent))
}

func tight(text string) string { return strings.ReplaceAll(text, " ", "") }

// compareNote explains the signs that the table uses.
func compareNote(c *bench.Comparison, wide bool) string {
	note := fmt.Sprintf("%s baseline; = identical", baselineMark)
	if len(c.Seeds) > 1 {
		note += "; ~ cannot be told from the baseline"
	}
	if len(c.Seeds) >= bench.MinSeeds {
		note += fmt.Sprintf("; ± longer side of the interval of the median (%s confidence)", achieved(c))
	}
	note += "; PODS ready on average; MAX desired at most; POD-H pod-hours"
	if c.Of(c.Baseline, bench.OracleRatio).Median != nil {
		note += "; ORACLE pod-hours over those of perfect scaling"
		if wide {
			note += "; REGRET what is more than with it"
		}
	}
	if showsFront(c) {
		note += fmt.Sprintf("; %s Pareto front of %s", frontMark, frontWords(c))
	}
	if c.Caveat != "" {
		note += "; " + c.Caveat
	}
	return note
}

// frontWords names what the Pareto front is about.
func frontWords(c *bench.Comparison) string {
	if slices.Contains(c.ParetoMetrics, bench.CostTotal) {
		return "p99, loss and cost"
	}
	return "p99, loss and pod-hours"
}

// achieved is the exact confidence of the intervals over all seeds.
func achieved(c *bench.Comparison) string {
	if e := c.Of(c.Baseline, bench.PodSeconds); e.Interval != nil {
		return bench.Percent(e.Interval.Confidence)
	}
	return absent
}

// compareChart draws the ready replicas of every strategy for the first seed.
func (p *page) compareChart(c *bench.Outcome, o Options) {
	seed := c.Comparison.Seeds[0]
	curves := chart{title: fmt.Sprintf("Ready replicas, seed %d", seed), peak: true, whole: true, rows: 12}
	for _, r := range c.Results {
		if r.Seed != seed || len(r.Timeline.TS) == 0 || !curves.admits(r) {
			continue
		}
		curves.at, curves.durationS = r.Timeline.TS, r.DurationS
		curves.series = append(curves.series, series{clean(r.Autoscaler), floats(r.Timeline.Ready)})
	}
	if len(curves.series) > 0 {
		p.blank()
		p.chart(curves, o)
	}
}

// admits says whether a result was sampled at the chart's instants.
func (c chart) admits(r *sim.Result) bool {
	return len(c.series) == 0 || len(c.at) == len(r.Timeline.TS)
}
