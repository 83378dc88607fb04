package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// longestText is how much of an expression or a message is shown to people, in
// columns; machine formats have it all.
const longestText = 400

// mark is how an assertion came out, readable without colours.
func mark(a sim.Assertion) (string, style) {
	switch {
	case a.Passed:
		return "✓ ", good
	case a.Severity == sim.SeverityWarn:
		return "! ", warn
	}
	return "✗ ", bad
}

// shown cuts a text that a user wrote to what people can take in.
func shown(text string) string { return fit(clean(text), longestText) }

// observed says what an assertion looked at: the figure when it holds, and its
// limit too when it does not.
func observed(a sim.Assertion) string {
	text := ""
	switch {
	case a.Message != "":
		text = "nothing observed: " + shown(a.Message)
	case a.Observed == nil && a.Passed:
		text = "always true"
	case a.Observed == nil:
		text = "never true"
	case a.Passed:
		text = quantity(*a.Observed, a.Unit)
	default:
		text = "observed " + quantity(*a.Observed, a.Unit)
		if a.Limit != nil {
			text = fmt.Sprintf("%s, limit %s", text, quantity(*a.Limit, a.Unit))
			if apart := math.Abs(*a.Observed - *a.Limit); apart > 0 && apart < 0.01*math.Abs(*a.Limit) {
				text = fmt.Sprintf("observed %s, limit %s", exact(*a.Observed), exact(*a.Limit)) // rounded they look alike
				if a.Unit == "s" {
					text = fmt.Sprintf("observed %s s, limit %s s", exact(*a.Observed), exact(*a.Limit))
				}
			}
		}
	}
	if a.Part != "" {
		text = shown(a.Part) + ": " + text
	}
	return text
}

// quantity writes a figure of an assertion with its unit; whole numbers keep
// all their digits.
func quantity(v float64, unit string) string {
	switch unit {
	case "s":
		return bench.Seconds(v)
	case "share":
		return bench.Percent(v)
	}
	if v == float64(int64(v)) {
		return bench.Thousands(strconv.FormatInt(int64(v), 10))
	}
	return bench.Digits(v)
}

// assertions lists how the assertions of a run came out.
func (p *page) assertions(r *sim.Result, width int) {
	if len(r.Assertions) == 0 {
		return
	}
	for _, a := range r.Assertions {
		m, s := mark(a)
		p.prose(s, m, fmt.Sprintf("%s (%s)", shown(a.Expression), observed(a)), width)
	}
	p.blank()
}

// failedAssertions counts those that had to hold and do not, and those that
// only warn.
func failedAssertions(r *sim.Result) (failed, warnings int) {
	for _, a := range r.Assertions {
		switch {
		case a.Passed:
		case a.Severity == sim.SeverityWarn:
			warnings++
		default:
			failed++
		}
	}
	return failed, warnings
}

// assertionVerdict is a sentence on the assertions that do not hold, or nothing.
func assertionVerdict(r *sim.Result) string {
	failed, warnings := failedAssertions(r)
	text := ""
	if failed > 0 {
		text = fmt.Sprintf(" %d of %s failed.", failed, plural(len(r.Assertions), "assertion", "assertions"))
	}
	if warnings > 0 {
		text += fmt.Sprintf(" %d of %s did not hold, which is only a warning.", warnings, plural(len(r.Assertions), "assertion", "assertions"))
	}
	return text
}

// assertionGrid is the same as a table in Markdown.
func assertionGrid(r *sim.Result) grid {
	g := grid{columns: []column{{head: "", text: true}, {head: "Assertion", text: true}, {head: "Observed", text: true}}}
	for _, a := range r.Assertions {
		m, _ := mark(a)
		g.add(plain, strings.TrimSpace(m), codeCell(shown(a.Expression)), escapeProse(observed(a)))
	}
	return g
}

// checked is one assertion over all autoscalers and seeds of a comparison.
type checked struct {
	expression, severity string
	runs                 []checkedRun // in the order of the comparison
}

// checkedRun is how often an assertion held for one autoscaler.
type checkedRun struct {
	autoscaler string
	seeds      int
	held       int
	worst      sim.Assertion // of the first seed in which it did not hold, else of the first
}

// checkedOver gathers the assertions of a comparison in the order of their file:
// one that an autoscaler is the first to have comes after its one before.
func checkedOver(c *bench.Outcome) []checked {
	var list []checked
	for _, r := range c.Results {
		next := 0
		for _, a := range r.Assertions {
			i := slices.IndexFunc(list, func(c checked) bool { return c.expression == a.Expression && c.severity == a.Severity })
			if i < 0 {
				i = next
				list = slices.Insert(list, i, checked{expression: a.Expression, severity: a.Severity})
			}
			list[i].note(r.Autoscaler, a)
			next = i + 1
		}
	}
	return list
}

func (c *checked) note(autoscaler string, a sim.Assertion) {
	if n := len(c.runs); n == 0 || c.runs[n-1].autoscaler != autoscaler {
		c.runs = append(c.runs, checkedRun{autoscaler: autoscaler, worst: a})
	}
	run := &c.runs[len(c.runs)-1]
	run.seeds++
	if a.Passed {
		run.held++
	} else if run.held == run.seeds-1 {
		run.worst = a
	}
}

// text says how an autoscaler did.
func (r checkedRun) text() string {
	text := observed(r.worst)
	if r.seeds > 1 && r.held < r.seeds {
		text = fmt.Sprintf("%d of %d seeds failed, the first with: %s", r.seeds-r.held, r.seeds, text)
	}
	if r.seeds > 1 && r.held == r.seeds {
		text = fmt.Sprintf("all %d seeds", r.seeds)
	}
	return text
}

// checks lists the assertions of a comparison: those that somebody does not
// meet, and in the wide format the others too.
func (p *page) checks(c *bench.Outcome, wide bool, width int) {
	list := checkedOver(c)
	if len(list) > 0 {
		p.blank()
	}
	held := 0
	for _, check := range list {
		m, s := check.mark()
		if s == good && !wide {
			held++
			continue
		}
		p.prose(s, m, shown(check.expression), width)
		p.checkedRuns(check.runs, width)
	}
	switch {
	case held > 0 && held == len(list):
		p.add(good, "✓ "+plural(held, "assertion holds", "assertions hold"))
	case held > 0:
		p.add(faint, "✓ "+plural(held, "other assertion holds", "other assertions hold"))
	}
}

// checkedRuns lists who fails an assertion, a line each, then who does not.
func (p *page) checkedRuns(runs []checkedRun, width int) {
	var held []string
	for _, run := range runs {
		name := fit(clean(run.autoscaler), longestName)
		switch {
		case run.held < run.seeds:
			m, s := mark(run.worst)
			p.prose(s, "  "+m, name+": "+run.text(), width)
		case run.seeds == 1:
			held = append(held, name+" "+run.text())
		default:
			held = append(held, name)
		}
	}
	if len(held) > 0 {
		p.prose(faint, "  ✓ ", strings.Join(held, ", "), width)
	}
}

// mark is the worst of an assertion's runs.
func (c checked) mark() (string, style) {
	for _, run := range c.runs {
		if !run.worst.Passed {
			return mark(run.worst)
		}
	}
	return mark(c.runs[0].worst)
}

// checkGrid is the same as a table in Markdown.
func checkGrid(c *bench.Outcome) grid {
	g := grid{columns: []column{{head: "", text: true}, {head: "Assertion", text: true}, {head: "Strategy", text: true}, {head: "Observed", text: true}}}
	for _, check := range checkedOver(c) {
		for _, run := range check.runs {
			m, _ := mark(run.worst)
			g.add(plain, strings.TrimSpace(m), codeCell(shown(check.expression)), codeCell(run.autoscaler), escapeProse(run.text()))
		}
	}
	return g
}
