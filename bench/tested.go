package bench

import (
	"time"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// TestSchema names the format of a TestReport.
const TestSchema = "scalelab/test/v1"

// TestReport is what `test -o json` prints.
type TestReport struct {
	Schema    string           `json:"schema"`
	Summary   TestSummary      `json:"summary"`
	Scenarios []TestedScenario `json:"scenarios"` // in the order of the cases
}

// TestSummary counts scenarios and assertions. An assertion counts once for
// every autoscaler that it is for.
type TestSummary struct {
	Scenarios  int `json:"scenarios"`
	Invalid    int `json:"invalid"`    // of these: could not be read
	Unasserted int `json:"unasserted"` // of these: have no assertions
	Assertions int `json:"assertions"` // Passed + Failed + Warnings
	Passed     int `json:"passed"`
	Failed     int `json:"failed"`
	Warnings   int `json:"warnings"`
	// Unbalanced counts runs in which requests got lost in the count. It is 0,
	// or there is a bug in the simulator.
	Unbalanced int `json:"unbalanced"`
}

// TestedScenario is one scenario with its verdict.
type TestedScenario struct {
	Scenario    string             `json:"scenario"` // "" when it is invalid
	File        string             `json:"file"`
	Seed        *uint64            `json:"seed"`            // null when it is invalid
	Start       string             `json:"start,omitempty"` // as in a result
	Verdict     TestVerdict        `json:"verdict"`
	Problems    []Problem          `json:"problems"`
	Autoscalers []TestedAutoscaler `json:"autoscalers"`
}

// TestVerdict is how a scenario came out.
type TestVerdict string

// The verdicts, the worst first.
const (
	TestInvalid    TestVerdict = "invalid"
	TestFailed     TestVerdict = "failed"
	TestWarned     TestVerdict = "warned"
	TestUnasserted TestVerdict = "unasserted"
	TestPassed     TestVerdict = "passed"
)

// Problem is one thing that is wrong with a scenario. Without a line it is the
// file as a whole.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

// TestedAutoscaler is one run of a scenario.
type TestedAutoscaler struct {
	Autoscaler  string `json:"autoscaler"`
	Fingerprint string `json:"fingerprint"`
	// Balanced says that every request is accounted for, in all and in every
	// phase. It is checked of every run, whatever its assertions.
	Balanced   bool              `json:"balanced"`
	Assertions []TestedAssertion `json:"assertions"`
}

// TestedAssertion is an assertion and where it is written.
type TestedAssertion struct {
	sim.Assertion
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// unplayed is a case of which nothing is known but its problems.
func (c Case) unplayed() TestedScenario {
	t := TestedScenario{File: c.File, Verdict: TestInvalid, Problems: c.Problems, Autoscalers: []TestedAutoscaler{}}
	if t.Problems == nil {
		t.Problems = []Problem{}
	}
	return t
}

// judge notes the verdicts of all runs of a scenario.
func (t *TestedScenario) judge(s *scenarios.Scenario, results []*sim.Result) {
	t.Scenario = s.Name()
	t.Seed = new(results[0].Seed)
	t.Start = s.Document.Start.UTC().Format(time.RFC3339)
	for _, r := range results {
		a := TestedAutoscaler{Autoscaler: r.Autoscaler, Fingerprint: r.Fingerprint, Balanced: Balanced(r), Assertions: []TestedAssertion{}}
		next := 0
		for _, e := range s.Expectations() {
			if e.Concerns(r.Autoscaler) {
				a.Assertions = append(a.Assertions, TestedAssertion{r.Assertions[next], e.Position.File, e.Position.Line, e.Position.Column})
				next++
			}
		}
		t.Autoscalers = append(t.Autoscalers, a)
	}
	switch count := t.Count(); {
	case count.Failed+count.Unbalanced > 0:
		t.Verdict = TestFailed
	case count.Warnings > 0:
		t.Verdict = TestWarned
	case count.Unasserted > 0:
		t.Verdict = TestUnasserted
	default:
		t.Verdict = TestPassed
	}
}

// Balanced says whether every request of a run is accounted for, in all and in
// every phase.
func Balanced(r *sim.Result) bool {
	sum := uint64(0)
	for _, p := range r.Phases {
		if !accounted(p.Requests) {
			return false
		}
		sum += p.Requests.Arrived
	}
	return accounted(r.Requests) && sum == r.Requests.Arrived
}

func accounted(q sim.Requests) bool {
	return q.Arrived == q.Completed+q.TimedOut+q.Rejected+q.Failed+q.InFlight
}

// Count sums one scenario up.
func (t *TestedScenario) Count() TestSummary {
	sum := TestSummary{Scenarios: 1}
	for _, a := range t.Autoscalers {
		if !a.Balanced {
			sum.Unbalanced++
		}
		for _, assertion := range a.Assertions {
			sum.Assertions++
			switch {
			case assertion.Passed:
				sum.Passed++
			case assertion.Severity == sim.SeverityWarn:
				sum.Warnings++
			default:
				sum.Failed++
			}
		}
	}
	switch {
	case len(t.Autoscalers) == 0:
		sum.Invalid = 1
	case sum.Assertions == 0:
		sum.Unasserted = 1
	}
	return sum
}

// OK says that every scenario could be read and every assertion that must hold
// does.
func (t *TestReport) OK() bool {
	return t.Summary.Invalid+t.Summary.Failed+t.Summary.Unbalanced == 0
}

func newTestReport(tested []TestedScenario) *TestReport {
	report := &TestReport{Schema: TestSchema, Scenarios: tested}
	sum := &report.Summary
	for i := range tested {
		one := tested[i].Count()
		sum.Scenarios += one.Scenarios
		sum.Invalid += one.Invalid
		sum.Unasserted += one.Unasserted
		sum.Assertions += one.Assertions
		sum.Passed += one.Passed
		sum.Failed += one.Failed
		sum.Warnings += one.Warnings
		sum.Unbalanced += one.Unbalanced
	}
	return report
}
