package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// writeMarkdown writes blocks with an empty line between them.
func writeMarkdown(w io.Writer, blocks []string) error {
	for i, block := range blocks {
		blocks[i] = strings.TrimRight(block, "\n")
	}
	_, err := io.WriteString(w, strings.Join(blocks, "\n\n")+"\n")
	return err
}

// escapeProse makes a sentence that contains names harmless in Markdown:
// markup is escaped, and nobody is mentioned.
func escapeProse(text string) string {
	var safe strings.Builder
	text = clean(text)
	for i, r := range text {
		switch {
		case r == '@' || r == '#':
			safe.WriteString(`\` + string(r) + "<!-- -->")
		case strings.ContainsRune("\\`*_{}[]<>|~!&", r), strings.HasPrefix(text[i:], "://"):
			safe.WriteString(`\` + string(r))
		default:
			safe.WriteRune(r)
		}
	}
	return safe.String()
}

// runBlocks is one run for a pull request.
func runBlocks(r *sim.Result) []string {
	blocks := []string{
		"### " + code(r.Scenario) + " / " + code(r.Autoscaler),
		"**" + escapeProse(verdict(r)) + "**",
	}
	if text := overload(r.Overload); text != "" {
		blocks = append(blocks, escapeProse(text))
	}
	blocks = append(blocks, escapeProse(runLine(r)))
	figures := grid{columns: []column{{head: "", text: true}, {head: "", text: true}}}
	for _, f := range figureTexts(r) {
		figures.add(plain, f[0], escapeProse(f[1]))
	}
	blocks = append(blocks, figures.markdown(), distributionGrid(r).markdown())
	if len(r.Assertions) > 0 {
		blocks = append(blocks, assertionGrid(r).markdown())
	}
	if len(r.Phases) > 0 {
		g := phaseGrid(r, true)
		for i, row := range g.rows {
			row[0] = codeCell(r.Phases[i].Name)
		}
		blocks = append(blocks, g.markdown())
	}
	for _, list := range worstServices(r) {
		for i, row := range list.grid.rows {
			row[0] = codeCell(list.services[i].Service)
		}
		blocks = append(blocks, escapeProse(list.title), list.grid.markdown())
	}
	if changes := changing(r.Decisions); len(changes) > 0 {
		title := plural(len(changes), "decision", "decisions") + " that changed the count"
		blocks = append(blocks, changesBlock(title, changes)...)
	}
	return append(blocks, "fingerprint "+code(r.Fingerprint))
}

// compareBlocks is a comparison for a pull request: one row per strategy, the
// difference to the baseline in the cell.
func compareBlocks(o *bench.Outcome) []string {
	c := o.Comparison
	seeds := fmt.Sprintf("medians of %d seeds", len(c.Seeds))
	if len(c.Seeds) == 1 {
		seeds = fmt.Sprintf("seed %d", c.Seeds[0])
	}
	blocks := []string{fmt.Sprintf("### %s: %s on identical traffic, %s", code(c.Scenario),
		plural(len(c.Autoscalers), "strategy", "strategies"), seeds)}
	if len(c.Conclusion) > 0 {
		blocks = append(blocks, "**"+escapeProse(strings.Join(c.Conclusion, " "))+"**")
	}
	shown := shownColumns(c, false)
	g := grid{columns: []column{{head: "Strategy", text: true}}}
	for _, m := range shown {
		g.columns = append(g.columns, column{head: m.head})
	}
	for _, s := range c.Autoscalers {
		cells := []string{codeCell(s.Autoscaler)}
		if s.Autoscaler == c.Baseline {
			cells[0] += " (baseline)"
		}
		if showsFront(c) && c.OnFront(s.Autoscaler) {
			cells[0] += " " + frontMark
		}
		for _, m := range shown {
			cells = append(cells, m.markdownCell(s.Metrics[m.metric]))
		}
		g.add(plain, cells...)
	}
	blocks = append(blocks, g.markdown(), escapeProse(strings.Replace(compareNote(c, false), "* baseline; ", "", 1)))
	for _, warning := range c.Warnings {
		blocks = append(blocks, "> "+escapeProse(warning))
	}
	if checks := checkGrid(o); len(checks.rows) > 0 {
		blocks = append(blocks, checks.markdown())
	}
	return blocks
}

func (m metricColumn) markdownCell(e bench.Estimate) string {
	cell := optional(e.Median, m.format)
	if spread := m.spread(e); spread != "" {
		cell += " " + spread
	}
	if difference := m.difference(e.Difference); difference != "" {
		cell += " (" + difference + ")"
	}
	return escapeProse(cell)
}
