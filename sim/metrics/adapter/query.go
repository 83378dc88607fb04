package adapter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/scalelab/scalelab/messages"
)

// Series is one that the adapter finds: its name, and its labels by name, "" for one
// that is not there.
type Series struct {
	Name  string
	Label func(name string) string
}

// Query is what stands for a metric.
type Query struct {
	Expr  string
	Label string // names the object of each element; "" for an External metric
}

// Request is a metric that an HPA names.
type Request struct {
	Metric    string
	Selector  string // the metric's own, as kubectl prints it
	Namespace string
	// Of is the kind of objects: pods, or that of the described object; the zero value
	// asks for an External metric.
	Of GroupResource
	// Name is the object's name, or with AnyOf a regular expression for several.
	Name  string
	AnyOf bool
}

// Pods are the kind of objects of Pods metrics.
var Pods = GroupResource{Resource: "pod"}

var namespaces = GroupResource{Resource: "namespace"}

// groups are those of the kinds that are not in the core group.
var groups = map[string]string{
	"deployment": "apps", "replicaset": "apps", "statefulset": "apps", "daemonset": "apps",
	"ingress": "networking.k8s.io", "job": "batch", "cronjob": "batch",
}

// OfKind is the resource of a kind of objects.
func OfKind(kind string) GroupResource {
	resource := singular(kind)
	return GroupResource{Group: groups[resource], Resource: resource}
}

// Query finds the rule for a metric. The error says that there is none, or that it
// cannot be filled in.
func (c *Config) Query(r Request, found []Series) (Query, error) {
	rules := c.Rules
	if r.Of == (GroupResource{}) {
		rules = c.ExternalRules
	}
	var names []string
	for i := len(rules) - 1; i >= 0; i-- {
		metrics, series := rules[i].metrics(r.Of, found)
		names = append(names, metrics...)
		for j := len(metrics) - 1; j >= 0; j-- {
			if metrics[j] == r.Metric {
				return rules[i].query(series[j], r)
			}
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return Query{}, fmt.Errorf("found metric %q, expected one of the adapter's rules, which find none", r.Metric)
	}
	return Query{}, fmt.Errorf("found metric %q, %s", r.Metric, messages.OneOf(r.Metric, names))
}

// metrics are those that a valid rule gives for a kind of objects, and the series
// behind each, sorted by these.
func (r *Rule) metrics(of GroupResource, found []Series) (metrics, series []string) {
	selector, _ := r.selector()
	matches, as, _ := r.Name.rewrite()
	for _, s := range found {
		if !selector.Takes(s.Name) || len(selector.Refused(s.Label)) > 0 || !r.takes(s.Name, matches) || slices.Contains(series, s.Name) {
			continue
		}
		if of != (GroupResource{}) {
			if label, err := r.Resources.label(of); err != nil || s.Label(label) == "" {
				continue
			}
		}
		series = append(series, s.Name)
	}
	slices.Sort(series)
	for _, name := range series {
		at := matches.FindStringSubmatchIndex(name)
		metrics = append(metrics, string(matches.ExpandString(nil, as, name, at)))
	}
	return metrics, series
}

func (r *Rule) takes(name string, matches *regexp.Regexp) bool {
	for _, f := range r.SeriesFilters {
		if expr, _ := f.regexp(); expr.MatchString(name) != (f.Is != "") {
			return false
		}
	}
	return matches.MatchString(name)
}

// query fills the rule's template for a series.
func (r *Rule) query(series string, of Request) (Query, error) {
	matchers, err := ofSelector(of.Selector)
	if err != nil {
		return Query{}, err
	}
	external := of.Of == GroupResource{}
	if !external || r.Resources.Namespaced == nil || *r.Resources.Namespaced {
		label, err := r.Resources.label(namespaces)
		if err != nil {
			return Query{}, err
		}
		matchers = append(matchers, matcher{label, "=", of.Namespace})
	}
	if external {
		expr, err := r.execute(series, matchers, nil)
		return Query{Expr: expr}, err
	}
	label, err := r.Resources.label(of.Of)
	if err != nil {
		return Query{}, err
	}
	operator := "="
	if of.AnyOf {
		operator = "=~"
	}
	expr, err := r.execute(series, append(matchers, matcher{label, operator, of.Name}), []string{label})
	return Query{Expr: expr, Label: label}, err
}

// matcher is one condition of a query.
type matcher struct{ label, operator, value string }

// queryArguments are what a template of queries can name.
type queryArguments struct {
	Series            string
	LabelMatchers     string
	LabelValuesByName map[string]string
	GroupBy           string
	GroupBySlice      []string
}

func (r *Rule) execute(series string, matchers []matcher, by []string) (string, error) {
	a := queryArguments{Series: series, LabelValuesByName: map[string]string{}, GroupBy: strings.Join(by, ","), GroupBySlice: by}
	var texts []string
	for _, m := range matchers {
		texts = append(texts, fmt.Sprintf("%s%s%q", m.label, m.operator, m.value))
		a.LabelValuesByName[m.label] = m.value
	}
	a.LabelMatchers = strings.Join(texts, ",")
	return fill(r.MetricsQuery, a)
}

// ofSelector are the conditions of a metric's selector, sorted by label.
func ofSelector(text string) ([]matcher, error) {
	if text == "" || text == "<none>" {
		return nil, nil
	}
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("found the selector %q, expected one of labels: %w", text, err)
	}
	requirements, _ := selector.Requirements()
	var list []matcher
	for _, q := range requirements {
		values := q.Values().List()
		m := matcher{label: q.Key(), value: strings.Join(values, "|")}
		switch q.Operator() {
		case selection.Equals, selection.DoubleEquals:
			m.operator = "="
		case selection.NotEquals:
			m.operator = "!="
		case selection.In:
			m.operator = "=~"
		case selection.NotIn:
			m.operator = "!~"
		case selection.Exists:
			m.operator = "!="
		case selection.DoesNotExist:
			m.operator = "="
		default:
			return nil, fmt.Errorf("found the operator %s in the selector %q, which the adapter does not know", q.Operator(), text)
		}
		list = append(list, m)
	}
	return list, nil
}
