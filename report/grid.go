package report

import (
	"bytes"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// column is the head of a table's column.
type column struct {
	head string
	text bool // words to the left; figures stand to the right
	// spare orders what goes first when a table is too wide: the column with
	// the highest spare. 0 always stays.
	spare int
}

// grid is a table of cells. Its first column is a name, which is shortened when
// space is short.
type grid struct {
	columns []column
	rows    [][]string
	styles  []style // one per row
}

const (
	shortestName = 12
	longestName  = 32
)

func (g *grid) add(s style, cells ...string) {
	g.rows = append(g.rows, cells)
	g.styles = append(g.styles, s)
}

// fitted returns the table at most width columns wide, the gap between its
// columns, and the heads of the columns that had to go. It narrows the gap,
// then shortens names, then drops columns.
func (g grid) fitted(width int) (fitted grid, gap int, dropped []string) {
	fitted = g.named(longestName)
	for {
		for gap = 2; gap > 0; gap-- {
			if fitted.width(gap) <= width {
				return fitted, gap, dropped
			}
		}
		over := fitted.width(1) - width
		if name := fitted.widths()[0] - over; name >= shortestName {
			return fitted.named(name), 1, dropped
		}
		victim := 0
		for i, c := range fitted.columns {
			if c.spare > fitted.columns[victim].spare {
				victim = i
			}
		}
		if fitted.columns[victim].spare == 0 {
			return fitted.named(shortestName), 1, dropped
		}
		dropped = append(dropped, fitted.columns[victim].head)
		fitted = fitted.without(victim)
	}
}

// named shortens the first column.
func (g grid) named(width int) grid {
	rows := make([][]string, len(g.rows))
	for i, row := range g.rows {
		rows[i] = append([]string{fit(row[0], width)}, row[1:]...)
	}
	g.rows = rows
	return g
}

func (g grid) without(victim int) grid {
	rows := make([][]string, len(g.rows))
	for i, row := range g.rows {
		rows[i] = append(append([]string(nil), row[:victim]...), row[victim+1:]...)
	}
	g.columns = append(append([]column(nil), g.columns[:victim]...), g.columns[victim+1:]...)
	g.rows = rows
	return g
}

func (g grid) widths() []int {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = columns(c.head)
		for _, row := range g.rows {
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	return widths
}

func (g grid) width(gap int) int {
	total := gap * (len(g.columns) - 1)
	for _, w := range g.widths() {
		total += w
	}
	return total
}

// lines draws the table with a rule below its head.
func (g grid) lines(gap int) page {
	drawn := strings.Split(strings.TrimRight(g.draw(gap), "\n"), "\n")
	p := page{{drawn[0], strong}}
	rule := strings.Repeat("─", g.width(gap))
	p.add(faint, rule)
	for i, row := range drawn[1:] {
		p.add(g.styles[i], row)
	}
	return p
}

// draw lets tablewriter align the cells. Nothing of it is guessed from the
// environment: no wrapping, no trimming, no locale.
func (g grid) draw(gap int) string {
	var out bytes.Buffer
	aligns := make([]tw.Align, len(g.columns))
	heads := make([]string, len(g.columns))
	pads := make([]tw.Padding, len(g.columns))
	for i, c := range g.columns {
		heads[i], aligns[i] = c.head, tw.AlignRight
		if c.text {
			aligns[i] = tw.AlignLeft
		}
		pads[i] = tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}
	}
	pads[len(pads)-1] = tw.PaddingNone
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Alignment:  tw.CellAlignment{PerColumn: aligns},
		Padding:    tw.CellPadding{PerColumn: pads},
	}
	table := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.SeparatorsNone,
				Lines:      tw.LinesNone,
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithEastAsian(tw.Off),
	)
	table.Header(heads)
	_ = table.Bulk(g.rows)
	_ = table.Render()
	return out.String()
}

// markdown draws the table for a page on GitHub. Cells are Markdown already.
func (g grid) markdown() string {
	var out strings.Builder
	writeRow := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	heads := make([]string, len(g.columns))
	rules := make([]string, len(g.columns))
	for i, c := range g.columns {
		heads[i], rules[i] = c.head, "---:"
		if c.text {
			rules[i] = ":---"
		}
	}
	writeRow(heads)
	writeRow(rules)
	for _, row := range g.rows {
		writeRow(row)
	}
	return out.String()
}

// put adds a table to the page; what did not fit is said below it.
func (p *page) put(g grid, width int) {
	fitted, gap, dropped := g.fitted(width)
	*p = append(*p, fitted.lines(gap)...)
	if len(dropped) > 0 {
		p.prose(faint, "  ", "left out for want of width: "+strings.Join(dropped, ", ")+" (-o wide has all)", width)
	}
}
