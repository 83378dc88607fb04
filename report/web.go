package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report/html"
	"github.com/scalelab/scalelab/sim"
)

// writeRunHTML is the page of one run.
func writeRunHTML(w io.Writer, r *sim.Result, o Options) error {
	p := html.Page{
		Title:       clean(r.Scenario) + " / " + clean(r.Autoscaler),
		Description: clean(r.Description),
		Subtitle:    runLine(r),
		Mood:        moods[moodOf(r)],
		Verdict:     []string{verdict(r)},
		Checks:      checks(r),
		Facts:       facts(figureTexts(r)),
		Tables:      []html.Table{tableOf("Latency and wait", distributionGrid(r), ""), tableOf("Phases", phaseGrid(r, true), "")},
		Provenance:  provenance(r, o),
		Data:        html.Data{Runs: []html.Run{curves(r)}, Shown: clean(r.Autoscaler)},
	}
	if text := overload(r.Overload); text != "" {
		p.Verdict = append(p.Verdict, text)
	}
	if r.Manifest != "" {
		p.Differences = []html.Difference{{Title: "The manifest of " + clean(r.Autoscaler), Lines: lines(r.Manifest)}}
	}
	return html.Write(w, &p)
}

// writeCompareHTML is the page of a comparison. Its curves are those of the first
// seed.
func writeCompareHTML(w io.Writer, c *bench.Outcome, o Options) error {
	first := firstSeed(c)
	p := html.Page{
		Title:       clean(c.Comparison.Scenario),
		Description: clean(first[0].Description),
		Subtitle:    compareTitle(c.Comparison),
		Tables:      []html.Table{tableOf("Autoscalers", compareGrid(c.Comparison, true), compareNote(c.Comparison, true))},
		Differences: differences(first, c.Comparison.Baseline),
		Provenance:  provenance(first[0], o),
		Data:        html.Data{Shown: clean(c.Comparison.Baseline), Points: plane(c.Comparison), CostUnit: costUnit(c.Comparison)},
	}
	for _, sentence := range c.Comparison.Conclusion {
		p.Verdict = append(p.Verdict, clean(sentence))
	}
	if len(p.Verdict) == 0 {
		p.Verdict = []string{compareTitle(c.Comparison) + "."}
	}
	for _, warning := range c.Comparison.Warnings {
		p.Warnings = append(p.Warnings, clean(warning))
	}
	for _, r := range first {
		p.Checks = append(p.Checks, checks(r)...)
		p.Data.Runs = append(p.Data.Runs, curves(r))
	}
	return html.Write(w, &p)
}

// firstSeed are the results of the first seed.
func firstSeed(c *bench.Outcome) []*sim.Result {
	var first []*sim.Result
	for _, r := range c.Results {
		if r.Seed == c.Comparison.Seeds[0] {
			first = append(first, r)
		}
	}
	return first
}

func facts(texts [][2]string) []html.Fact {
	var list []html.Fact
	for _, t := range texts {
		list = append(list, html.Fact{Label: t[0], Text: t[1]})
	}
	return list
}

// provenance is what it takes to get the same again.
func provenance(r *sim.Result, o Options) []html.Fact {
	list := []html.Fact{
		{Label: "Again", Text: cmp.Or(clean(o.Command), command(r))},
		{Label: "Seed", Text: fmt.Sprint(r.Seed)},
		{Label: "Fingerprint", Text: clean(r.Fingerprint)},
		{Label: "Format", Text: clean(r.Schema)},
	}
	if o.Version != "" {
		list = append(list, html.Fact{Label: "scalelab", Text: clean(o.Version)})
	}
	return list
}

// command replays a result of which only the names are known.
func command(r *sim.Result) string {
	return fmt.Sprintf("scalelab run %s --autoscaler %s --seed %d", clean(r.Scenario), clean(r.Autoscaler), r.Seed)
}

// moods are what a page calls styles.
var moods = map[style]string{good: "good", bad: "bad", warn: "warn"}

// checks are the assertions of a run.
func checks(r *sim.Result) []html.Check {
	var list []html.Check
	for _, a := range r.Assertions {
		m, st := mark(a)
		c := html.Check{Mood: moods[st], Mark: strings.TrimSpace(m), Text: fmt.Sprintf("%s: %s (%s)", clean(r.Autoscaler), shown(a.Expression), observed(a))}
		list = append(list, c)
	}
	return list
}

// tableOf is a grid as a page has it.
func tableOf(title string, g grid, note string) html.Table {
	t := html.Table{Title: title, Note: note}
	for _, c := range g.columns {
		t.Head = append(t.Head, html.Cell{Name: c.head, Text: c.text})
	}
	for i, row := range g.rows {
		r := html.Row{}
		switch {
		case g.styles[i] == faint:
			r.Class = "faint"
		case i > 0 && g.styles[i-1] == faint:
			r.Class = "lead"
		}
		for n, cell := range row {
			r.Cells = append(r.Cells, html.Cell{Name: cell, Text: g.columns[n].text})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// shortDiff is how many lines of a difference are shown at once.
const shortDiff = 30

// differences are what each manifest has different from the baseline's.
func differences(results []*sim.Result, baseline string) []html.Difference {
	base := ""
	for _, r := range results {
		if r.Autoscaler == baseline {
			base = r.Manifest
		}
	}
	var list []html.Difference
	for _, r := range results {
		switch {
		case r.Manifest == "" || r.Autoscaler == bench.Oracle:
		case r.Autoscaler == baseline || base == "":
			list = append(list, html.Difference{Title: "The manifest of " + clean(r.Autoscaler), Lines: lines(r.Manifest)})
		case r.Manifest == base:
			list = append(list, html.Difference{Title: clean(r.Autoscaler) + ": the same"})
		default:
			diff := lines(udiff.Unified(baseline, r.Autoscaler, base, r.Manifest))
			list = append(list, html.Difference{Title: clean(r.Autoscaler) + ", beside " + clean(baseline), Open: len(diff) <= shortDiff, Lines: diff})
		}
	}
	return list
}

// lines are those of a text, or of a unified diff without its head.
func lines(text string) []html.Line {
	var list []html.Line
	diff := strings.HasPrefix(text, "--- ")
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		l := html.Line{Text: clean(line)}
		switch {
		case !diff:
		case i < 2:
			continue
		case strings.HasPrefix(line, "+"):
			l.Kind = "added"
		case strings.HasPrefix(line, "-"):
			l.Kind = "removed"
		case strings.HasPrefix(line, "@@"):
			l.Kind = "hunk"
		}
		list = append(list, l)
	}
	return list
}

// plane are the autoscalers in the plane of cost and latency.
func plane(c *bench.Comparison) []html.Point {
	var list []html.Point
	for _, s := range c.Autoscalers {
		p := html.Point{Name: clean(s.Autoscaler), Front: slices.Contains(c.Pareto, s.Autoscaler), Cost: s.Metrics[costMetric(c)].Median, P99: s.Metrics[bench.LatencyP99].Median}
		if lost := s.Metrics[bench.LostShare].Median; lost != nil {
			p.Lost = *lost
		}
		if p.Cost != nil && costMetric(c) == bench.PodSeconds {
			p.Cost = new(*p.Cost / 3600)
		}
		list = append(list, p)
	}
	return list
}

// costMetric is the price where there are prices, and pod-seconds elsewhere.
func costMetric(c *bench.Comparison) string {
	if c.Of(c.Baseline, bench.CostTotal).Median != nil {
		return bench.CostTotal
	}
	return bench.PodSeconds
}

func costUnit(c *bench.Comparison) string {
	if costMetric(c) == bench.CostTotal {
		return "cost"
	}
	return "pod-hours"
}

// mostLogged is how many decisions of a run a page tells of; of more, only those
// that changed the count.
const mostLogged = 2500

// curves are what the page draws of a run.
func curves(r *sim.Result) html.Run {
	t := r.Timeline
	run := html.Run{
		Name: clean(r.Autoscaler), End: r.DurationS, T: t.TS,
		Arrived: t.ArrivedRPS, Completed: t.CompletedRPS, Lost: t.LostRPS,
		Desired: t.Desired, Created: t.Created, Ready: t.Ready, Ideal: t.Ideal,
		Queue: t.Queue, P50: t.LatencyP50S, P90: t.LatencyP90S, P99: t.LatencyP99S,
	}
	for _, m := range r.Metrics {
		run.Metrics = append(run.Metrics, html.Metric{Loop: clean(m.Loop), Name: clean(m.Name), Unit: clean(m.Unit),
			Target: m.Target, Seen: m.Seen, Age: m.AgeS, Truth: m.Truth})
	}
	for _, p := range r.Phases {
		run.Phases = append(run.Phases, html.Stretch{Name: clean(p.Name), From: p.FromS, To: p.ToS})
	}
	for _, b := range r.Bands {
		run.Bands = append(run.Bands, html.Stretch{Name: clean(b.Name), From: b.FromS, To: b.ToS})
	}
	shown := r.Decisions
	if len(shown) > mostLogged {
		shown = changing(shown)
		shown = shown[:min(len(shown), mostLogged)]
	}
	run.Omitted = len(r.Decisions) - len(shown)
	for _, d := range shown {
		entry := html.Decision{T: d.TS, From: d.Current, To: d.Desired, Message: clean(d.Message), Again: d.Again, Until: d.UntilS}
		for _, s := range d.Steps {
			entry.Steps = append(entry.Steps, html.Step{Stage: clean(string(s.Stage)), Replicas: s.Replicas, Detail: clean(s.Detail)})
		}
		run.Decisions = append(run.Decisions, entry)
	}
	if s := r.PodStarts; s != nil {
		run.Starts = &html.Starts{Count: s.Count}
		for _, p := range s.Pods {
			run.Starts.Pods = append(run.Starts.Pods, html.Start{Pod: p.Pod, Created: p.CreatedS,
				Scheduled: p.ScheduledS, Started: p.StartedS, Ready: p.ReadyS, Routable: p.RoutableS})
		}
	}
	if c := r.Latencies; c != nil {
		run.Curve = &html.Curve{Q: c.Q, S: c.S}
	}
	return run
}
