package metrics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// Unselected says which selectors of the Spec's PromQL can find no series, one
// Invalid for each, at its query's Field. They are no errors: a real Prometheus
// answers them too, with an empty result for ever, or with 0 for the usual
// "or vector(0)".
func Unselected(spec Spec) []*messages.Invalid {
	var problems []*messages.Invalid
	families := spec.families()
	for _, queries := range spec.Queries {
		for _, q := range queries {
			expr := q.Name
			if spec.adapts(q) {
				adapted, err := spec.adapted(q)
				if err != nil {
					continue // NewDoor's error
				}
				expr = adapted.Expr
			} else if q.Kind != messages.QueryPromQL {
				continue
			}
			selectors, err := prometheus.Selectors(expr)
			if err != nil {
				continue // NewDoor's error
			}
			for i := range selectors {
				if why := unselected(&selectors[i], families, spec.Workload); why != "" {
					problems = append(problems, messages.Invalidf(q.Field, "%s selects no series: %s", &selectors[i], why))
				}
			}
		}
	}
	return problems
}

// unselected is why a selector finds nothing, by the family that comes nearest; ""
// if it can find something.
func unselected(s *prometheus.Selector, families []family, workload string) string {
	var named []family
	var nearest []prometheus.Matcher
	for _, f := range families {
		if !s.Takes(f.name) {
			continue
		}
		refused := f.refused(s, workload)
		if len(refused) == 0 {
			return ""
		}
		if len(named) == 0 || len(refused) < len(nearest) {
			nearest = refused
		}
		named = append(named, f)
	}
	if len(named) == 0 {
		return unnamed(s.Name(), families)
	}
	return mismatch(nearest[0], named, workload)
}

// podsTried are how many of the workload's pods a selector is tried on.
const podsTried = 1000

// refused are the conditions that a family does not meet; of the series of pods, one
// that meets them all is enough.
func (f *family) refused(s *prometheus.Selector, workload string) []prometheus.Matcher {
	first := s.Refused(f.value(cluster.PodName(workload, 0)))
	aboutPods := func(m prometheus.Matcher) bool { return strings.Contains(f.value(podMark)(m.Label), podMark) }
	if !slices.ContainsFunc(first, aboutPods) {
		return first
	}
	for id := int32(1); id < podsTried; id++ {
		if again := s.Refused(f.value(cluster.PodName(workload, id))); len(again) < len(first) {
			return again
		}
	}
	return first
}

// value gives the labels of a pod's series, or of the only one. Of a label that is
// given twice, the later one holds.
func (f *family) value(pod string) func(label string) string {
	return func(label string) string {
		for i := len(f.labels) - 2; i >= 0; i -= 2 {
			if f.labels[i] == label {
				return strings.ReplaceAll(f.labels[i+1], podMark, pod)
			}
		}
		return ""
	}
}

func unnamed(name string, families []family) string {
	if name == "" {
		return "no series that is simulated has such a name"
	}
	var names []string
	for _, f := range families {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return fmt.Sprintf("found series %q, %s", name, messages.OneOf(name, slices.Compact(names)))
}

// mismatch says what a condition should have been, among the families whose names
// are right.
func mismatch(m prometheus.Matcher, named []family, workload string) string {
	var names, values []string
	for _, f := range named {
		for i := 0; i < len(f.labels); i += 2 {
			name, value := f.labels[i], f.value(cluster.PodName(workload, 0))(f.labels[i])
			if value == "" {
				continue
			}
			names = append(names, name)
			if name == m.Label {
				values = append(values, value)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(values)
	names, values = slices.Compact(names), slices.Compact(values)
	if len(values) == 0 {
		return fmt.Sprintf("found the label %q, %s", m.Label, messages.OneOf(m.Label, names))
	}
	if !m.Equal {
		return fmt.Sprintf("found %s, expected a match for %s", m.Text, strings.Join(values, " or "))
	}
	return fmt.Sprintf("found %s, %s", m.Text, messages.OneOf(m.Value, values))
}
