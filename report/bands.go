package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/sim"
)

// mostBands keeps what lies below a chart lower than the chart.
const mostBands = 10

// bands draws stretches of time below a chart, a row for every name.
func (p *page) bands(r *sim.Result, o Options) {
	width := o.width() - labelWidth - 3
	var known, more []string
	rows := map[string][]rune{}
	for _, b := range r.Bands {
		name := clean(b.Name)
		row, ok := rows[name]
		if !ok {
			if len(known) == mostBands {
				if !slices.Contains(more, name) {
					more = append(more, name)
				}
				continue
			}
			known = append(known, name)
			row = []rune(strings.Repeat(" ", width))
			rows[name] = row
		}
		for i := columnOf(b.FromS, r.DurationS, width, math.Floor); i < columnOf(b.ToS, r.DurationS, width, math.Ceil); i++ {
			row[i] = '▄'
		}
	}
	for _, name := range known {
		p.add(plain, bandRow(name, string(rows[name])))
	}
	if len(more) > 0 {
		p.add(plain, fmt.Sprintf("%s and %d more", strings.Repeat(" ", labelWidth+2), len(more)))
	}
}

// bandRow puts the name before its row, or, where it is longer than a label, into
// the row: before the first stretch, or behind the last one.
func bandRow(name, row string) string {
	const room = labelWidth + 2
	long := columns(name)
	begin, width := columns(row[:strings.IndexFunc(row+"▄", isBand)]), columns(row)
	end := columns(strings.TrimRight(row, " "))
	switch {
	case long <= room:
	case begin > long:
		row = strings.Repeat(" ", begin-long-1) + name + row[begin-1:]
		name = ""
	case width-end > long:
		row = strings.TrimRight(row, " ") + " " + name
		name = ""
	}
	return fmt.Sprintf("%*s %s", room, fit(name, room), strings.TrimRight(row, " "))
}

func isBand(r rune) bool { return r != ' ' }

// columnOf is the column of a chart that an instant falls into.
func columnOf(at, durationS float64, width int, round func(float64) float64) int {
	return int(max(0, min(round(at/durationS*float64(width)), float64(width))))
}
