package report

import (
	"fmt"

	"github.com/scalelab/scalelab/sim"
)

// mostDecisions keeps the decision log of a table short.
const mostDecisions = 12

// decisions lists the decisions that changed the count, or all of them.
func (p *page) decisions(r *sim.Result, wide bool, o Options) {
	if len(r.Decisions) == 0 {
		return
	}
	changes := changing(r.Decisions)
	title := fmt.Sprintf("%s, of which %s changed the count", plural(made(r.Decisions), "decision", "decisions"),
		count(len(changes)))
	shown := changes
	switch {
	case wide:
		shown = r.Decisions
	case len(changes) > mostDecisions:
		shown = changes[:mostDecisions]
		title += fmt.Sprintf("; the first %d (-o wide shows all)", mostDecisions)
	}
	p.prose(strong, "", title, o.width())
	if len(shown) > 0 {
		p.put(decisionGrid(shown, wide, o.width()), tableWidth(wide, o))
	}
	p.blank()
}

// made counts the decisions that a list stands for.
func made(decisions []sim.Decision) int {
	n := len(decisions)
	for _, d := range decisions {
		n += d.Again
	}
	return n
}

func changing(decisions []sim.Decision) []sim.Decision {
	var changes []sim.Decision
	for _, d := range decisions {
		if d.Desired != d.Current {
			changes = append(changes, d)
		}
	}
	return changes
}

// decisionGrid breaks long messages into several rows, unless there is room.
func decisionGrid(decisions []sim.Decision, wide bool, width int) grid {
	if wide {
		g := grid{columns: []column{{head: "AT"}, {head: "LOOP", text: true}, {head: "REPLICAS"},
			{head: "REASON", text: true}, {head: "WHY", text: true}}}
		for _, d := range decisions {
			g.add(plain, clock(d.TS), clean(d.Autoscaler), change(d), clean(string(d.Reason)), clean(d.Message)+again(d))
		}
		return g
	}
	whole := grid{columns: []column{{head: "AT"}, {head: "LOOP", text: true}, {head: "REPLICAS"}, {head: "WHY", text: true}}}
	for _, d := range decisions {
		whole.add(plain, clock(d.TS), fit(clean(d.Autoscaler), shortestName), change(d), clean(d.Message))
	}
	w := whole.widths()
	why := width - w[0] - w[1] - w[2] - 6 // three gaps of two
	broken := grid{columns: whole.columns}
	for _, row := range whole.rows {
		lines := append(wrap(row[3], why), "")
		broken.add(plain, row[0], row[1], row[2], lines[0])
		for _, more := range lines[1:max(1, len(lines)-1)] {
			broken.add(plain, "", "", "", more)
		}
	}
	return broken
}

// again says how often a decision was repeated.
func again(d sim.Decision) string {
	if d.Again == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %s until %s)", plural(d.Again, "time more", "times more"), clock(d.UntilS))
}

func change(d sim.Decision) string {
	if d.Current == d.Desired {
		return count(d.Current)
	}
	return count(d.Current) + " → " + count(d.Desired)
}
