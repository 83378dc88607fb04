// Package adapter makes PromQL of the metrics that an HPA names, by the rules of a
// prometheus-adapter: which series a rule finds, what it calls them, and the query
// that stands for a metric of some pods, of an object, or of no object.
//
// It ignores how often the adapter looks for series (--metrics-relist-interval): they
// are all there from the start. Where several rules give the same metric, the last
// one has it. resourceRules and labelValueReplacements are not modelled.
//
// Source: prometheus-adapter, docs/config.md and packages naming, custom-provider and
// external-provider.
package adapter

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// Config is the adapter's configuration, in its own shape.
type Config struct {
	Rules         []Rule `yaml:"rules,omitempty" doc:"what Pods and Object metrics are; with rules, no other names mean anything to them"`
	ExternalRules []Rule `yaml:"externalRules,omitempty" doc:"the same for External metrics"`
}

// Rule turns series into metrics.
type Rule struct {
	SeriesQuery   string    `yaml:"seriesQuery" required:"true" doc:"selector of the series that the rule is about"`
	SeriesFilters []Filter  `yaml:"seriesFilters,omitempty" doc:"what their names must be, besides"`
	Resources     Resources `yaml:"resources,omitempty" doc:"which labels name which objects"`
	Name          Name      `yaml:"name,omitempty" doc:"what the metrics are called"`
	MetricsQuery  string    `yaml:"metricsQuery" required:"true" doc:"template of the query, with <<.Series>>, <<.LabelMatchers>> and <<.GroupBy>>"`
}

// Filter is a regular expression that names meet, or do not.
type Filter struct {
	Is    string `yaml:"is,omitempty" doc:"regular expression that a name has to match"`
	IsNot string `yaml:"isNot,omitempty" doc:"regular expression that no name may match"`
}

// Resources say which labels name which objects.
type Resources struct {
	Template   string                   `yaml:"template,omitempty" doc:"template of a label, with <<.Group>> and <<.Resource>>"`
	Overrides  map[string]GroupResource `yaml:"overrides,omitempty" doc:"labels by name, and what they name"`
	Namespaced *bool                    `yaml:"namespaced,omitempty" doc:"external rules: whether the HPA's namespace is asked for; default true"`
}

// GroupResource is a kind of objects.
type GroupResource struct {
	Group    string `yaml:"group,omitempty" doc:"API group, such as apps; default: the core group"`
	Resource string `yaml:"resource" required:"true" doc:"resource in the singular or the plural, such as pod"`
}

// Name makes a metric's name of a series'.
type Name struct {
	Matches string `yaml:"matches,omitempty" doc:"regular expression that names of series match; default .*"`
	As      string `yaml:"as,omitempty" doc:"what the metric is called, with $1 for a group; default: the only group, or all of the name"`
}

// Validate reports everything that the adapter would refuse, and queries that are not
// PromQL.
func (c *Config) Validate() error {
	var problems messages.Problems
	for i := range c.Rules {
		problems.Add(messages.Under(fmt.Sprintf("rules[%d]", i), c.Rules[i].validate(false)))
	}
	for i := range c.ExternalRules {
		problems.Add(messages.Under(fmt.Sprintf("externalRules[%d]", i), c.ExternalRules[i].validate(true)))
	}
	return problems.Err()
}

func (r *Rule) validate(external bool) error {
	var problems messages.Problems
	if _, err := r.selector(); err != nil {
		problems.Addf("seriesQuery", "%v", err)
	}
	for i, f := range r.SeriesFilters {
		if _, err := f.regexp(); err != nil {
			problems.Addf(fmt.Sprintf("seriesFilters[%d]", i), "%v", err)
		}
	}
	if _, _, err := r.Name.rewrite(); err != nil {
		problems.Addf("name", "%v", err)
	}
	problems.Add(messages.Under("resources", r.Resources.validate(external)))
	if len(problems) == 0 {
		problems.Add(r.checkQuery())
	}
	return problems.Err()
}

// checkQuery tries the template on a series and one matcher.
func (r *Rule) checkQuery() error {
	q, err := r.execute("series", []matcher{{label: "label", operator: "=", value: "value"}}, []string{"label"})
	if err == nil {
		_, err = prometheus.Scalar(q)
	}
	if err != nil {
		return messages.Invalidf("metricsQuery", "%v", err)
	}
	return nil
}

// selector is the series query.
func (r *Rule) selector() (*prometheus.Selector, error) {
	selectors, err := prometheus.Selectors(r.SeriesQuery)
	switch {
	case err != nil:
		return nil, err
	case len(selectors) != 1:
		return nil, fmt.Errorf("found %q, expected a selector of series, such as http_requests_total{pod!=\"\"}", r.SeriesQuery)
	}
	return &selectors[0], nil
}

// regexp is the filter's expression.
func (f Filter) regexp() (*regexp.Regexp, error) {
	if (f.Is == "") == (f.IsNot == "") {
		return nil, errors.New("expected either is or isNot")
	}
	return compile(f.Is + f.IsNot)
}

func compile(text string) (*regexp.Regexp, error) {
	r, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("found %q, expected a regular expression: %w", text, err)
	}
	return r, nil
}

// rewrite is the pattern of names and what becomes of them.
func (n Name) rewrite() (matches *regexp.Regexp, as string, err error) {
	pattern := n.Matches
	if pattern == "" {
		pattern = ".*"
	}
	matches, err = compile(pattern)
	if err != nil {
		return nil, "", err
	}
	switch {
	case n.As != "":
		return matches, n.As, nil
	case matches.NumSubexp() == 0:
		return matches, "$0", nil
	case matches.NumSubexp() == 1:
		return matches, "$1", nil
	}
	return nil, "", fmt.Errorf("found %d groups in %q, expected one, or as beside it", matches.NumSubexp(), n.Matches)
}

func (r *Resources) validate(external bool) error {
	var problems messages.Problems
	if r.Template != "" {
		if _, err := fill(r.Template, labelArguments{Resource: "pod"}); err != nil {
			problems.Addf("template", "%v", err)
		}
	}
	if !external && r.Namespaced != nil {
		problems.Addf("namespaced", "found it, expected it in external rules only")
	}
	seen := map[GroupResource]bool{}
	for _, label := range slices.Sorted(maps.Keys(r.Overrides)) {
		of := r.Overrides[label]
		of.Resource = singular(of.Resource)
		if seen[of] {
			problems.Addf("overrides."+label, "found a second label for %s, expected one", of.Resource)
		}
		seen[of] = true
	}
	return problems.Err()
}

// labelArguments are what a template of labels can name.
type labelArguments struct{ Group, Resource string }

// label is the one that names objects of a resource; the error says that there is none.
func (r *Resources) label(of GroupResource) (string, error) {
	for _, label := range slices.Sorted(maps.Keys(r.Overrides)) {
		if o := r.Overrides[label]; o.Group == of.Group && singular(o.Resource) == of.Resource {
			return label, nil
		}
	}
	if r.Template == "" {
		return "", fmt.Errorf("found no label for %s, expected one in resources.overrides, or a template", of.Resource)
	}
	return fill(r.Template, labelArguments{Group: strings.NewReplacer(".", "_", "-", "_").Replace(of.Group), Resource: of.Resource})
}

// singular is a resource's name for one object, in lower case.
func singular(resource string) string {
	resource = strings.ToLower(resource)
	switch {
	case strings.HasSuffix(resource, "sses"): // ingresses
		return strings.TrimSuffix(resource, "es")
	case strings.HasSuffix(resource, "s") && !strings.HasSuffix(resource, "ss"):
		return strings.TrimSuffix(resource, "s")
	}
	return resource
}

// fill executes a template between << and >>; an empty text is an error.
func fill(text string, arguments any) (string, error) {
	parsed, err := template.New("").Delims("<<", ">>").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("found %q, expected a template: %w", text, err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, arguments); err != nil {
		return "", fmt.Errorf("found %q, expected a template: %w", text, err)
	}
	if b.Len() == 0 {
		return "", fmt.Errorf("found %q, which gives nothing, expected a text", text)
	}
	return b.String(), nil
}
