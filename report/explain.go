package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// ExplainFormats are the formats that WriteExplanation knows.
func ExplainFormats() []string { return []string{Table, JSON, Markdown} }

// WriteExplanation writes why the count was what it was, in a format. It is an
// error when the format is unknown or w cannot be written.
func WriteExplanation(w io.Writer, e *Explanation, format string, o Options) error {
	switch format {
	case Table:
		return writePage(w, explainPage(e, o), o)
	case JSON:
		return writeJSON(w, e)
	case Markdown:
		return writeMarkdown(w, explainBlocks(e))
	}
	return unknownFormat(format, ExplainFormats())
}

func explainPage(e *Explanation, o Options) page {
	var p page
	width := o.width()
	p.add(strong, fit(clean(e.Scenario)+" / "+clean(e.Autoscaler), width))
	p.prose(faint, "", e.line(), width)
	p.blank()
	if len(e.Changes) > 0 {
		p.prose(strong, "", changesTitle(e), width)
		p.put(decisionGrid(e.Changes, false, width), width)
		p.blank()
	}
	p.moment(e.Truth, width)
	if text := overload(e.Overload); text != "" {
		p.label("Overload", text, width)
	}
	for _, f := range e.InForce {
		p.blank()
		p.prose(strong, "▌ ", f.headline(), width)
		p.prose(plain, "", f.standing(e.AtS), width)
		p.blank()
		p.put(stepGrid(f, width), width)
		if text := f.untouched(); text != "" {
			p.prose(faint, "", text, width)
		}
	}
	if len(e.InForce) == 0 {
		p.blank()
		p.prose(strong, "▌ ", nobodyDecided, width)
	}
	return p
}

const nobodyDecided = "No control loop had decided by then."

// line says which run it is, and why this instant.
func (e *Explanation) line() string {
	text := fmt.Sprintf("seed %d · at %s", e.Seed, clock(e.AtS))
	if w := e.Worst; w != nil {
		p99 := bench.Seconds(w.LatencyP99S)
		if w.AtS == e.AtS {
			text += ", when the p99 latency was the worst: " + p99
		} else {
			text += fmt.Sprintf(", the last scale-up before the worst p99 latency: %s at %s", p99, clock(w.AtS))
		}
	}
	return text
}

func changesTitle(e *Explanation) string {
	return plural(len(e.Changes), "decision", "decisions") + " changed the count"
}

// moment says what was true.
func (p *page) moment(m *Moment, width int) {
	if m == nil {
		return
	}
	for _, t := range m.texts() {
		p.label(t[0], clean(t[1]), width)
	}
}

// texts are pairs of label and text.
func (m *Moment) texts() [][2]string {
	rates := fmt.Sprintf("%s requests per second arrived, %s were completed", trimmed(m.ArrivedRPS), trimmed(m.CompletedRPS))
	if m.LostRPS != nil {
		rates += fmt.Sprintf(", %s lost", trimmed(*m.LostRPS))
	}
	rates += "; p99 latency " + optional(m.LatencyP99S, bench.Seconds)
	texts := [][2]string{
		{"Traffic", fmt.Sprintf("%s to %s: %s", clock(m.FromS), clock(m.ToS), rates)},
		{"Pods", fmt.Sprintf("at %s: %s desired, %s created, %s ready; %s", clock(m.ToS), count(m.Desired), count(m.Created), count(m.Ready),
			plural(int(m.Queue), "request waits", "requests wait"))},
	}
	for _, s := range m.Metrics {
		texts = append(texts, [2]string{"Metric", s.text()})
	}
	return texts
}

// text is what a metric was, and what was seen of it.
func (s *Measure) text() string {
	figure := func(v *float64) string {
		return optional(v, func(v float64) string { return strings.TrimSpace(trimmed(v) + " " + s.Unit) })
	}
	text := s.Name + ": " + figure(s.Truth) + " in truth"
	if s.Seen != nil {
		text += ", " + figure(s.Seen) + " as " + s.Loop + " last saw it"
		if s.AgeS != nil {
			text += fmt.Sprintf(" (of %s ago)", clock(*s.AgeS))
		}
	}
	if s.Target != nil {
		text += ", target " + figure(s.Target)
	}
	return text
}

// headline is the decision in one sentence.
func (f *InForce) headline() string {
	return clean(f.Decision.Autoscaler) + ": " + strings.TrimSuffix(clean(f.Decision.Message), ".") + "."
}

// standing says when it was decided, how often, and what came next.
func (f *InForce) standing(atS float64) string {
	text := "Decided at " + clock(f.SaidS)
	if f.SaidS < atS {
		text += fmt.Sprintf(", %s before", clock(atS-f.SaidS))
	}
	if f.Times > 1 {
		text += fmt.Sprintf(", for the %s time in a row since %s", ordinal(f.Times), clock(f.Decision.TS))
	}
	switch {
	case f.NextS == nil:
		text += "; it was the loop's last"
	case f.NextSame:
		text += fmt.Sprintf("; it was said again at %s, and until %s", clock(*f.NextS), clock(f.Decision.UntilS))
	default:
		text += fmt.Sprintf("; the next decision came at %s", clock(*f.NextS))
	}
	return text + "."
}

// ordinal writes 2nd, 3rd, 11th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		suffix = map[int]string{1: "st", 2: "nd", 3: "rd"}[n%10]
	}
	if suffix == "" {
		suffix = "th"
	}
	return count(n) + suffix
}

// explainBlocks is an explanation for a pull request.
func explainBlocks(e *Explanation) []string {
	blocks := []string{"### " + code(e.Scenario) + " / " + code(e.Autoscaler), escapeProse(e.line())}
	if len(e.Changes) > 0 {
		blocks = append(blocks, changesBlock(changesTitle(e), e.Changes)...)
	}
	if e.Truth != nil {
		g := grid{columns: []column{{head: "", text: true}, {head: "", text: true}}}
		for _, t := range e.Truth.texts() {
			g.add(plain, t[0], escapeProse(t[1]))
		}
		if text := overload(e.Overload); text != "" {
			g.add(plain, "Overload", escapeProse(text))
		}
		blocks = append(blocks, g.markdown())
	}
	for _, f := range e.InForce {
		g := stepGrid(f, 0)
		for _, row := range g.rows {
			row[0], row[2] = escapeProse(row[0]), escapeProse(row[2])
		}
		blocks = append(blocks, "**"+escapeProse(f.headline())+"** "+escapeProse(f.standing(e.AtS)), g.markdown())
		if text := f.untouched(); text != "" {
			blocks = append(blocks, text)
		}
	}
	if len(e.InForce) == 0 {
		blocks = append(blocks, nobodyDecided)
	}
	return blocks
}

// changesBlock is a table of decisions that is folded away.
func changesBlock(title string, changes []sim.Decision) []string {
	g := decisionGrid(changes, true, 0)
	for i, row := range g.rows {
		row[1], row[3], row[4] = codeCell(changes[i].Autoscaler), codeCell(string(changes[i].Reason)), escapeProse(changes[i].Message)
	}
	return []string{"<details><summary>" + title + "</summary>", g.markdown(), "</details>"}
}
