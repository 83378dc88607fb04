package report

import (
	"fmt"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// indent is where the text beside a label starts.
const indent = 11

// runPage is one run: the verdict first, then the figures behind it, what the
// autoscaler did, and the curves.
func runPage(r *sim.Result, wide bool, o Options) page {
	var p page
	width := o.width()
	p.add(strong, fit(clean(r.Scenario)+" / "+clean(r.Autoscaler), width))
	p.prose(faint, "", runLine(r), width)
	p.blank()
	p.prose(moodOf(r), "▌ ", verdict(r), width)
	if text := overload(r.Overload); text != "" {
		p.prose(plain, "  ", text, width)
	}
	p.blank()
	p.figures(r, width)
	p.assertions(r, width)
	p.phases(r, wide, o)
	p.fleet(r, wide, o)
	p.decisions(r, wide, o)
	p.prose(faint, "fingerprint  ", clean(r.Fingerprint), width)
	p.runCharts(r, o)
	return p
}

// moodOf is how the verdict on a run looks.
func moodOf(r *sim.Result) style {
	if failed, _ := failedAssertions(r); r.Requests.Lost() > 0 || failed > 0 {
		return bad
	}
	return good
}

// runLine says what was run, so that it can be run again.
func runLine(r *sim.Result) string {
	return fmt.Sprintf("seed %d · %s from %s · %s actuator", r.Seed, clock(r.DurationS), clean(r.Start), clean(r.Actuator))
}

// verdict is the outcome in one or two sentences.
func verdict(r *sim.Result) string {
	q := r.Requests
	spent := fmt.Sprintf("%s pod-hours, at most %s", bench.PodHours(r.PodSeconds),
		plural(int(r.Replicas.MaxDesired), "replica", "replicas"))
	text := ""
	switch {
	case q.Arrived == 0:
		text = "No request arrived; " + spent + "."
	case q.Lost() == 0:
		text = fmt.Sprintf("No request of %s was lost; p99 latency %s; %s.", count(q.Arrived), latencyP99(r), spent)
	default:
		text = fmt.Sprintf("%s of %s requests lost (%s); p99 latency %s; %s.",
			bench.Percent(float64(q.Lost())/float64(q.Arrived)), count(q.Arrived), count(q.Lost()), latencyP99(r), spent)
	}
	return text + assertionVerdict(r)
}

func latencyP99(r *sim.Result) string {
	if r.LatencyS == nil {
		return absent
	}
	return bench.Seconds(r.LatencyS.P99)
}

// label adds text beside a label.
func (p *page) label(name, text string, width int) {
	p.prose(plain, fmt.Sprintf("%-*s", indent, name), text, width)
}

// figures are the counters, percentiles, replicas and the bill.
func (p *page) figures(r *sim.Result, width int) {
	for _, f := range figureTexts(r) {
		p.label(f[0], f[1], width)
	}
	p.blank()
	p.put(distributionGrid(r), width)
	p.blank()
}

// figureTexts are pairs of label and text.
func figureTexts(r *sim.Result) [][2]string {
	q, n := r.Requests, float64(r.Requests.Arrived)
	texts := [][2]string{
		{"Requests", fmt.Sprintf("%s arrived: %s completed (%s), %s lost (%s), %s in flight at the end",
			count(q.Arrived), count(q.Completed), share(float64(q.Completed), n),
			count(q.Lost()), share(float64(q.Lost()), n), count(q.InFlight))},
		{"Lost", fmt.Sprintf("%s timed out, %s rejected, %s failed", count(q.TimedOut), count(q.Rejected), count(q.Failed))},
		{"Cold", fmt.Sprintf("%s completed after waiting for a pod to start (%s); %s retried",
			count(q.Cold), share(float64(q.Cold), n), count(q.Retried))},
	}
	if a := r.Activator; a != nil {
		text := fmt.Sprintf("%s requests by way of it, %s of them buffered", count(a.Requests), count(a.Buffered))
		if w := a.WaitS; w != nil {
			text += fmt.Sprintf(": %s on average, p99 %s, at most %s", bench.Seconds(w.Mean), bench.Seconds(w.P99), bench.Seconds(w.Max))
		}
		texts = append(texts, [2]string{"Activator", text})
	}
	texts = append(texts, [][2]string{
		{"Replicas", fmt.Sprintf("%s ready on average, never below %s; %s desired on average, never above %s",
			bench.Digits(r.Replicas.MeanReady), count(r.Replicas.MinReady),
			bench.Digits(r.Replicas.MeanDesired), count(r.Replicas.MaxDesired))},
		{"Scaling", fmt.Sprintf("%s, %s; %s of direction", plural(r.Replicas.ScaleUps, "scale-up", "scale-ups"),
			plural(r.Replicas.ScaleDowns, "scale-down", "scale-downs"), plural(r.Replicas.Flaps, "change", "changes"))},
		{"Bill", bill(r)},
	}...)
	if n := r.Nodes; n != nil {
		texts = append(texts, [2]string{"Nodes", nodesText(r, n)})
	}
	return texts
}

// nodesText says how many nodes there were.
func nodesText(r *sim.Result, n *sim.NodeSummary) string {
	most, waited := int32(0), int32(0)
	for i := range r.Timeline.Nodes {
		most = max(most, r.Timeline.Nodes[i])
	}
	for i := range r.Timeline.Pending {
		waited = max(waited, r.Timeline.Pending[i])
	}
	return fmt.Sprintf("%s node-hours, at most %s ready; %s requested after the start; at most %s waited for room",
		bench.Digits(n.NodeSeconds/3600), count(most), count(n.Requested), plural(int(waited), "pod", "pods"))
}

func distributionGrid(r *sim.Result) grid {
	g := grid{columns: []column{{head: "", text: true}, {head: "MEAN"}, {head: "P50"}, {head: "P90"},
		{head: "P95"}, {head: "P99"}, {head: "P99.9"}, {head: "MAX"}}}
	for _, row := range []struct {
		name string
		d    *sim.Distribution
	}{{"Latency", r.LatencyS}, {"Wait", r.WaitS}} {
		cells := []string{row.name, absent, absent, absent, absent, absent, absent, absent}
		if d := row.d; d != nil {
			for i, v := range []float64{d.Mean, d.P50, d.P90, d.P95, d.P99, d.P999, d.Max} {
				cells[i+1] = bench.Seconds(v)
			}
		}
		g.add(plain, cells...)
	}
	return g
}

func (p *page) phases(r *sim.Result, wide bool, o Options) {
	if len(r.Phases) == 0 {
		return
	}
	p.put(phaseGrid(r, wide), tableWidth(wide, o))
	p.blank()
}

// tableWidth is no limit for the wide format.
func tableWidth(wide bool, o Options) int {
	if wide {
		return 1 << 20
	}
	return o.width()
}

func phaseGrid(r *sim.Result, wide bool) grid {
	g := grid{columns: []column{{head: "PHASE", text: true}, {head: "FROM"}, {head: "TO"}, {head: "REQUESTS"},
		{head: "LOST"}, {head: "COLD", spare: 1}, {head: "P50"}, {head: "P99"}}}
	if wide {
		g.columns = append(g.columns, column{head: "MEAN"}, column{head: "P90"}, column{head: "P95"}, column{head: "P99.9"},
			column{head: "MAX"}, column{head: "WAIT P50"}, column{head: "WAIT P99"}, column{head: "IN FLIGHT"}, column{head: "RETRIED"})
	}
	for _, phase := range r.Phases {
		q := phase.Requests
		l := times(phase.LatencyS)
		cells := []string{clean(phase.Name), clock(phase.FromS), clock(phase.ToS), count(q.Arrived),
			share(float64(q.Lost()), float64(q.Arrived)), count(q.Cold), l.P50, l.P99}
		if wide {
			w := times(phase.WaitS)
			cells = append(cells, l.Mean, l.P90, l.P95, l.P999, l.Max, w.P50, w.P99, count(q.InFlight), count(q.Retried))
		}
		g.add(plain, cells...)
	}
	return g
}

// timeTexts is a Distribution in words.
type timeTexts struct{ Mean, P50, P90, P95, P99, P999, Max string }

func times(d *sim.Distribution) timeTexts {
	if d == nil {
		return timeTexts{absent, absent, absent, absent, absent, absent, absent}
	}
	return timeTexts{bench.Seconds(d.Mean), bench.Seconds(d.P50), bench.Seconds(d.P90), bench.Seconds(d.P95),
		bench.Seconds(d.P99), bench.Seconds(d.P999), bench.Seconds(d.Max)}
}

// runCharts are the replica curve and the rate, over one time axis.
func (p *page) runCharts(r *sim.Result, o Options) {
	t := r.Timeline
	if len(t.TS) == 0 {
		return
	}
	p.blank()
	p.chart(chart{title: "Replicas", at: t.TS, durationS: r.DurationS, peak: true, whole: true, rows: 10, series: []series{
		{"ready", floats(t.Ready)}, {"desired", floats(t.Desired)},
	}}, o)
	p.bands(r, o)
	p.blank()
	p.chart(chart{title: "Requests per second", at: t.TS, durationS: r.DurationS, rows: 8,
		series: []series{{"arrived", t.ArrivedRPS}}}, o)
}

// check finds timelines whose columns differ in length; those cannot be drawn.
func check(r *sim.Result) error {
	t, n := r.Timeline, len(r.Timeline.TS)
	var wrong []string
	for _, c := range []struct {
		name string
		n    int
	}{{"desired", len(t.Desired)}, {"created", len(t.Created)}, {"ready", len(t.Ready)},
		{"arrived_rps", len(t.ArrivedRPS)}, {"completed_rps", len(t.CompletedRPS)},
		{"queue", len(t.Queue)}, {"latency_p99_s", len(t.LatencyP99S)}} {
		if c.n != n {
			wrong = append(wrong, fmt.Sprintf("%s has %d", c.name, c.n))
		}
	}
	for _, c := range []struct {
		name string
		n    int
	}{{"ideal", len(t.Ideal)}, {"lost_rps", len(t.LostRPS)}, {"latency_p50_s", len(t.LatencyP50S)}, {"latency_p90_s", len(t.LatencyP90S)}} {
		if c.n != n && c.n != 0 { // left out by results of older versions
			wrong = append(wrong, fmt.Sprintf("%s has %d", c.name, c.n))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("timeline of %s, seed %d: t_s has %d entries, but %s",
			r.Autoscaler, r.Seed, n, strings.Join(wrong, ", "))
	}
	return nil
}
