package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
)

// The formats of Tested, besides Table, JSON and Markdown.
const (
	JUnit  = "junit"  // XML for continuous integration, as Ant and Jenkins know it
	GitHub = "github" // workflow commands that annotate a pull request
)

// TestFormats are the formats that Tested knows.
func TestFormats() []string { return []string{Table, JSON, Markdown, JUnit, GitHub} }

// Tested writes how scenarios did against their assertions. It is an error when
// the format is unknown or w cannot be written.
func Tested(w io.Writer, t *bench.TestReport, format string, o Options) error {
	switch format {
	case Table:
		return writePage(w, testPage(t, o), o)
	case JSON:
		return writeJSON(w, t)
	case Markdown:
		return writeMarkdown(w, testBlocks(t))
	case JUnit:
		return writeJUnit(w, t)
	case GitHub:
		return writeWorkflow(w, t)
	}
	return unknownFormat(format, TestFormats())
}

// testPage has a line for every scenario, with details below those that did not
// do well, and a summary.
func testPage(t *bench.TestReport, o Options) page {
	var p page
	width := o.width()
	longest := 0
	for i := range t.Scenarios {
		longest = max(longest, columns(testName(&t.Scenarios[i])))
	}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		m, look := verdictMark(s.Verdict)
		name := testName(s)
		p.prose(look, m+name+strings.Repeat(" ", longest-columns(name))+"  ", testLine(s), width)
		p.testDetails(s, width)
	}
	if len(p) > 0 {
		p.blank()
	}
	look := good
	switch {
	case !t.OK():
		look = bad
	case t.Summary.Warnings > 0:
		look = warn
	}
	p.prose(look, "", testSummary(t.Summary), width)
	return p
}

// testDetails are the problems, and the assertions that do not hold.
func (p *page) testDetails(s *bench.TestedScenario, width int) {
	for _, problem := range s.Problems {
		p.prose(bad, "    ", inert(place(problem.File, problem.Line, problem.Column)+shown(problem.Text)), width)
	}
	for _, a := range s.Autoscalers {
		if !a.Balanced {
			p.prose(bad, "    ✗ ", inert(clean(a.Autoscaler))+": "+unbalanced, width)
		}
		for _, c := range a.Assertions {
			if c.Passed {
				continue
			}
			m, look := mark(c.Assertion)
			p.prose(look, "    "+m, inert(fmt.Sprintf("%s: %s (%s)", clean(a.Autoscaler), shown(c.Expression), observed(c.Assertion))), width)
			p.prose(faint, "      ", inert(strings.TrimSuffix(place(c.File, c.Line, c.Column), ": ")), width)
		}
	}
}

// balance is what holds in every run, and unbalanced says that it does not.
const (
	balance    = "arrived == completed + timed_out + rejected + failed + in_flight"
	unbalanced = "the requests do not add up: this is a bug in the simulator, please report it"
)

func verdictMark(v bench.TestVerdict) (string, style) {
	switch v {
	case bench.TestPassed:
		return "✓ ", good
	case bench.TestWarned:
		return "! ", warn
	case bench.TestUnasserted:
		return "- ", faint
	}
	return "✗ ", bad
}

// testName is what a scenario is called: by its file, if it has no name.
func testName(s *bench.TestedScenario) string {
	name := s.Scenario
	if name == "" {
		name = s.File
	}
	return inert(fit(clean(name), longestName))
}

// testLine says in a few words how a scenario did.
func testLine(s *bench.TestedScenario) string {
	count := s.Count()
	if s.Verdict == bench.TestInvalid {
		return "invalid: " + plural(len(s.Problems), "problem", "problems")
	}
	if count.Assertions == 0 {
		return "no assertions, " + plural(len(s.Autoscalers), "autoscaler", "autoscalers")
	}
	judged := 0 // the others ran to be compared with
	for _, a := range s.Autoscalers {
		if len(a.Assertions) > 0 {
			judged++
		}
	}
	text := fmt.Sprintf("%s over %s", plural(count.Assertions, "assertion", "assertions"), plural(judged, "autoscaler", "autoscalers"))
	if count.Failed > 0 {
		text += fmt.Sprintf(", %d failed", count.Failed)
	}
	if count.Warnings > 0 {
		text += ", " + plural(count.Warnings, "warning", "warnings")
	}
	return text
}

// testSummary counts everything.
func testSummary(s bench.TestSummary) string {
	text := plural(s.Scenarios, "scenario", "scenarios")
	if s.Invalid > 0 {
		text += fmt.Sprintf(" (%d invalid)", s.Invalid)
	}
	text += fmt.Sprintf(", %s: %s passed, %s failed, %s", plural(s.Assertions, "assertion", "assertions"),
		count(s.Passed), count(s.Failed), plural(s.Warnings, "warning", "warnings"))
	if s.Unasserted > 0 {
		text += fmt.Sprintf("; %s without assertions", plural(s.Unasserted, "scenario", "scenarios"))
	}
	if s.Unbalanced > 0 {
		text += fmt.Sprintf("; in %s %s", plural(s.Unbalanced, "run", "runs"), unbalanced)
	}
	return text
}

// place is file:line:column, or less where less is known.
func place(file string, line, column int) string {
	text := clean(file)
	if line > 0 {
		text += fmt.Sprintf(":%d:%d", line, column)
	}
	return text + ": "
}

// testBlocks is the same for a pull request.
func testBlocks(t *bench.TestReport) []string {
	verdict := "passed"
	if !t.OK() {
		verdict = "failed"
	}
	blocks := []string{"### scalelab test " + verdict, escapeProse(testSummary(t.Summary))}
	if g := testFailures(t); len(g.rows) > 0 {
		blocks = append(blocks, g.markdown())
	}
	for i := range t.Scenarios {
		for _, problem := range t.Scenarios[i].Problems {
			blocks = append(blocks, "> "+code(strings.TrimSuffix(place(problem.File, problem.Line, problem.Column), ": "))+" "+escapeProse(shown(problem.Text)))
		}
	}
	all := grid{columns: []column{{head: "", text: true}, {head: "Scenario", text: true}, {head: "Outcome", text: true}}}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		m, _ := verdictMark(s.Verdict)
		name := s.Scenario
		if name == "" {
			name = s.File
		}
		all.add(plain, strings.TrimSpace(m), codeCell(shown(name)), escapeProse(testLine(s)))
	}
	if len(all.rows) > 0 {
		blocks = append(blocks, fmt.Sprintf("<details><summary>%s</summary>", plural(len(all.rows), "scenario", "scenarios")), all.markdown(), "</details>")
	}
	return blocks
}

// testFailures lists what does not hold.
func testFailures(t *bench.TestReport) grid {
	g := grid{columns: []column{{head: "", text: true}, {head: "Scenario", text: true}, {head: "Autoscaler", text: true}, {head: "Assertion", text: true}, {head: "Observed", text: true}}}
	for _, s := range t.Scenarios {
		for _, a := range s.Autoscalers {
			if !a.Balanced {
				g.add(plain, "✗", codeCell(s.Scenario), codeCell(a.Autoscaler), codeCell(balance), unbalanced)
			}
			for _, c := range a.Assertions {
				if m, _ := mark(c.Assertion); !c.Passed {
					g.add(plain, strings.TrimSpace(m), codeCell(shown(s.Scenario)), codeCell(shown(a.Autoscaler)), codeCell(shown(c.Expression)), escapeProse(observed(c.Assertion)))
				}
			}
		}
	}
	return g
}
