package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim"
)

// The formats of what compare prints.
const (
	OutcomeSchema    = "scalelab/compare/v1"
	ComparisonSchema = "scalelab/comparison/v1"
)

// Oracle is the name of the autoscaler that the others are held against.
const Oracle = "oracle"

// Outcome is what `compare -o json` prints: the runs, and what they say.
type Outcome struct {
	Schema     string        `json:"schema"`
	Results    []*sim.Result `json:"results"` // one per autoscaler and seed
	Comparison *Comparison   `json:"comparison"`
}

// NewOutcome compares results; see Compare.
func NewOutcome(results []*sim.Result, baseline string) (*Outcome, error) {
	comparison, err := Compare(results, baseline)
	if err != nil {
		return nil, err
	}
	return &Outcome{Schema: OutcomeSchema, Results: results, Comparison: comparison}, nil
}

// Comparison says how several autoscalers did on identical traffic: per metric
// the median over the seeds, its exact 95 % interval, and the difference to a
// baseline, paired by seed. Doubt is data: it carries its warnings, and what
// cannot be told from chance is marked ~.
//
// Each test stands for itself; there is no correction for looking at many
// metrics at once, which Caveat tells the reader.
type Comparison struct {
	Schema      string    `json:"schema"`
	Scenario    string    `json:"scenario"`
	Baseline    string    `json:"baseline"`
	Seeds       []uint64  `json:"seeds"`
	Confidence  float64   `json:"confidence"` // the least confidence of an interval
	Metrics     []Metric  `json:"metrics"`
	Autoscalers []Summary `json:"autoscalers"` // in the order of the results
	// Pareto are those, but for the oracle, that no other one beats by
	// ParetoMetrics; see contest.front for what counts as a tie.
	Pareto        []string `json:"pareto"`
	ParetoMetrics []string `json:"pareto_metrics"`
	Conclusion    []string `json:"conclusion"`       // plain sentences
	Caveat        string   `json:"caveat,omitempty"` // of the tests, where there are any
	Warnings      []string `json:"warnings"`
}

// Summary is one autoscaler over all seeds, by name of the metric.
type Summary struct {
	Autoscaler string              `json:"autoscaler"`
	Metrics    map[string]Estimate `json:"metrics"`
}

// Estimate is one metric over the seeds, in the metric's unit. What is absent
// is null: everything when no seed has a value, the interval with fewer than
// MinSeeds, the difference for the baseline itself.
type Estimate struct {
	N          int         `json:"n"` // seeds that have a value
	Median     *float64    `json:"median"`
	Min        *float64    `json:"min"`
	Max        *float64    `json:"max"`
	Interval   *Interval   `json:"interval"`
	Difference *Difference `json:"difference"`
}

// Difference is a metric minus the baseline's, paired by seed.
type Difference struct {
	N               int       `json:"n"` // seeds in which both have a value
	Median          *float64  `json:"median"`
	Interval        *Interval `json:"interval"`
	RelativePercent *float64  `json:"relative_percent"` // of the baseline's median; null when that is 0
	PValue          *float64  `json:"p_value"`          // exact two-sided sign test; null with fewer than two pairs
	Significant     bool      `json:"significant"`      // the interval excludes 0
	Mark            Mark      `json:"mark"`
}

// Mark is how a difference is to be read.
type Mark string

// The marks. A single pair has no mark unless it is identical: the difference
// is exact for that seed and says nothing about others.
const (
	Distinct          Mark = ""
	Indistinguishable Mark = "~" // may be chance, or too few seeds to know
	Identical         Mark = "=" // exactly equal for every seed
)

// Of is the estimate of a metric of an autoscaler; it is empty when there is no
// such autoscaler or metric.
func (c *Comparison) Of(autoscaler, metric string) Estimate {
	for _, s := range c.Autoscalers {
		if s.Autoscaler == autoscaler {
			return s.Metrics[metric]
		}
	}
	return Estimate{}
}

// Compare sums up results of several autoscalers that replayed the same
// scenario with the same seeds. The baseline "" is the first autoscaler that is
// not the oracle. It is an error when an autoscaler lacks a seed that another
// one has, when a run is there twice, or when the scenarios differ.
func Compare(results []*sim.Result, baseline string) (*Comparison, error) {
	runs, err := arrange(results)
	if err != nil {
		return nil, fmt.Errorf("comparing: %w", err)
	}
	if baseline == "" {
		baseline = runs.defaultBaseline()
	}
	if !slices.Contains(runs.names, baseline) {
		return nil, fmt.Errorf("comparing: %w", unknownBaseline(baseline, runs.names))
	}
	c := &Comparison{
		Schema: ComparisonSchema, Scenario: results[0].Scenario, Baseline: baseline,
		Seeds: runs.seeds, Confidence: Confidence, Metrics: Metrics(),
		Caveat: caveat(len(runs.seeds)), Warnings: runs.warnings(),
	}
	for _, name := range runs.names {
		s := Summary{Autoscaler: name, Metrics: make(map[string]Estimate, len(c.Metrics))}
		for _, m := range c.Metrics {
			e := estimate(runs.values(name, m))
			if name != baseline {
				e.Difference = runs.difference(m, name, baseline)
			}
			s.Metrics[m.Name] = e
		}
		c.Autoscalers = append(c.Autoscalers, s)
	}
	contest := competitors(c, runs)
	c.Conclusion = conclude(contest)
	c.ParetoMetrics = contest.frontMetrics()
	c.Pareto = contest.front(c.ParetoMetrics)
	return c, nil
}

// estimate sums up the values of one metric, one per seed, nil where absent.
func estimate(values []*float64) Estimate {
	present := make([]float64, 0, len(values))
	for _, v := range values {
		if v != nil {
			present = append(present, *v)
		}
	}
	e := Estimate{N: len(present)}
	if e.N == 0 {
		return e
	}
	sorted := ascending(present)
	e.Median = new(median(sorted))
	e.Min, e.Max = new(sorted[0]), new(sorted[e.N-1])
	e.Interval = medianInterval(sorted)
	return e
}

// difference compares two rows of values that are paired by seed.
func difference(values, baseline []*float64) *Difference {
	var differences, reference []float64
	for i, v := range values {
		if v != nil && baseline[i] != nil {
			differences = append(differences, *v-*baseline[i])
			reference = append(reference, *baseline[i])
		}
	}
	d := &Difference{N: len(differences)}
	if d.N == 0 {
		d.Mark = Indistinguishable
		return d
	}
	sorted := ascending(differences)
	d.Median = new(median(sorted))
	d.Interval = medianInterval(sorted)
	if base := median(ascending(reference)); base != 0 {
		d.RelativePercent = new(*d.Median / base * 100)
	}
	if d.N > 1 {
		d.PValue = new(signTest(differences))
	}
	d.Significant = d.Interval.excludesZero()
	switch {
	case sorted[0] == 0 && sorted[d.N-1] == 0:
		d.Mark = Identical
	case d.N > 1 && !d.Significant:
		d.Mark = Indistinguishable
	}
	return d
}

func unknownBaseline(baseline string, names []string) error {
	known := slices.Clone(names)
	slices.SortStableFunc(known, func(a, b string) int {
		return messages.Distance(a, baseline) - messages.Distance(b, baseline)
	})
	quoted := make([]string, len(known))
	for i, name := range known {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return fmt.Errorf("baseline: found %q, which is no autoscaler here; did you mean %s?",
		baseline, strings.Join(quoted, " or "))
}

var errNoResults = errors.New("no results")
