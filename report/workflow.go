package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// writeWorkflow writes an annotation for every problem and for every assertion
// that does not hold, at its line, and the summary below.
func writeWorkflow(w io.Writer, t *bench.TestReport) error {
	var out strings.Builder
	for _, s := range t.Scenarios {
		for _, p := range s.Problems {
			annotate(&out, "error", p.File, p.Line, p.Column, "invalid scenario", p.Text)
		}
		for _, a := range s.Autoscalers {
			title := s.Scenario + " with " + a.Autoscaler
			if !a.Balanced {
				annotate(&out, "error", s.File, 0, 0, title, unbalanced)
			}
			for _, c := range a.Assertions {
				switch {
				case c.Passed:
				case c.Severity == sim.SeverityWarn:
					annotate(&out, "warning", c.File, c.Line, c.Column, title, shown(c.Expression)+" ("+observed(c.Assertion)+")")
				default:
					annotate(&out, "error", c.File, c.Line, c.Column, title, shown(c.Expression)+" ("+observed(c.Assertion)+")")
				}
			}
		}
	}
	out.WriteString(testSummary(t.Summary) + "\n")
	_, err := io.WriteString(w, out.String())
	return err
}

var (
	workflowText  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	workflowValue = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// annotate writes one workflow command; see "Workflow commands for GitHub
// Actions" in GitHub's documentation.
func annotate(out *strings.Builder, level, file string, line, column int, title, text string) {
	fmt.Fprintf(out, "::%s file=%s", level, workflowValue.Replace(clean(file)))
	if line > 0 {
		fmt.Fprintf(out, ",line=%d,col=%d", line, column)
	}
	fmt.Fprintf(out, ",title=%s::%s\n", workflowValue.Replace(fit(clean(title), longestName*4)), workflowText.Replace(shown(text)))
}

// inert makes text harmless in the log of a workflow on GitHub, which takes
// lines that begin with :: and what follows ##[ for commands.
func inert(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "::", ": :"), "##[", "## [")
}
