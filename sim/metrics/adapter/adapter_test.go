package adapter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func series(name string, pairs ...string) Series {
	return Series{Name: name, Label: func(label string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == label {
				return pairs[i+1]
			}
		}
		return ""
	}}
}

var found = []Series{
	series("http_requests_total", "namespace", "shop", "pod", "web-0", "service", "web"),
	series("http_requests_total", "namespace", "shop", "pod", "web-0", "service", "web", "code", "500"),
	series("http_errors_total", "namespace", "shop", "pod", "web-0"),
	series("container_cpu_usage_seconds_total", "kube_namespace", "shop", "kube_pod", "web-0", "kube_apps_deployment", "web"),
	series("queue_ready", "queue", "jobs"),
}

var (
	byOverrides = Resources{Overrides: map[string]GroupResource{"namespace": {Resource: "namespace"}, "pod": {Resource: "pods"}, "service": {Resource: "service"}}}
	yes, no     = true, false

	perSecond = Rule{
		SeriesQuery: `{__name__=~"^http_.*_total$",pod!=""}`, Resources: byOverrides,
		Name:         Name{Matches: "^(.*)_total$", As: "${1}_per_second"},
		MetricsQuery: `sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)`,
	}
)

func TestQueries(t *testing.T) {
	cpu := Rule{
		SeriesQuery: `container_cpu_usage_seconds_total`, Resources: Resources{Template: "kube_<<if .Group>><<.Group>>_<<end>><<.Resource>>"},
		Name:         Name{Matches: "^container_(.*)_seconds_total$"},
		MetricsQuery: `sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>) / <<len .GroupBySlice>> + <<len .LabelValuesByName>>`,
	}
	filtered := perSecond
	filtered.SeriesFilters = []Filter{{Is: "^http"}, {IsNot: "errors"}}
	queue := Rule{SeriesQuery: `queue_ready{queue="jobs"}`, Resources: Resources{Namespaced: &no}, MetricsQuery: `max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)`}
	outside := Rule{SeriesQuery: `http_requests_total`, Resources: byOverrides, Name: Name{As: "outside"}, MetricsQuery: `sum(<<.Series>>{<<.LabelMatchers>>})`}
	later := outside
	later.MetricsQuery, later.Resources.Namespaced = `count(<<.Series>>{<<.LabelMatchers>>})`, &yes
	pods := Request{Metric: "http_requests_per_second", Namespace: "shop", Of: Pods, Name: "web-.*", AnyOf: true}
	with := func(r Request, change func(r *Request)) Request { change(&r); return r }
	for _, c := range []struct {
		what    string
		config  Config
		request Request
		want    Query
		err     string
	}{
		{"pods", Config{Rules: []Rule{perSecond}}, pods,
			Query{`sum(rate(http_requests_total{namespace="shop",pod=~"web-.*"}[2m])) by (pod)`, "pod"}, ""},
		{"a selector", Config{Rules: []Rule{perSecond}}, with(pods, func(r *Request) { r.Selector = "a=b,c!=d,e in (f,g),h notin (i),j,!k" }),
			Query{`sum(rate(http_requests_total{a="b",c!="d",e=~"f|g",h!~"i",j!="",k="",namespace="shop",pod=~"web-.*"}[2m])) by (pod)`, "pod"}, ""},
		{"no selector, as kubectl prints it", Config{Rules: []Rule{perSecond}}, with(pods, func(r *Request) { r.Selector = "<none>" }),
			Query{`sum(rate(http_requests_total{namespace="shop",pod=~"web-.*"}[2m])) by (pod)`, "pod"}, ""},
		{"an object", Config{Rules: []Rule{perSecond}}, Request{Metric: "http_requests_per_second", Namespace: "shop", Of: OfKind("Service"), Name: "web"},
			Query{`sum(rate(http_requests_total{namespace="shop",service="web"}[2m])) by (service)`, "service"}, ""},
		{"by a template, and the only group", Config{Rules: []Rule{cpu}}, Request{Metric: "cpu_usage", Namespace: "shop", Of: OfKind("Deployment"), Name: "web"},
			Query{`sum(container_cpu_usage_seconds_total{kube_namespace="shop",kube_apps_deployment="web"}) by (kube_apps_deployment) / 1 + 2`, "kube_apps_deployment"}, ""},
		{"of no object, in no namespace", Config{ExternalRules: []Rule{queue}}, Request{Metric: "queue_ready", Namespace: "shop", Selector: "queue=jobs"},
			Query{`max(queue_ready{queue="jobs"}) by ()`, ""}, ""},
		{"of no object, in the namespace", Config{ExternalRules: []Rule{outside}}, Request{Metric: "outside", Namespace: "shop"},
			Query{`sum(http_requests_total{namespace="shop"})`, ""}, ""},
		{"the last of two rules", Config{ExternalRules: []Rule{outside, later}}, Request{Metric: "outside", Namespace: "shop"},
			Query{`count(http_requests_total{namespace="shop"})`, ""}, ""},

		{"a metric mistyped", Config{Rules: []Rule{perSecond, cpu}}, with(pods, func(r *Request) { r.Metric = "http_request_per_second" }), Query{},
			`found metric "http_request_per_second", expected one of cpu_usage, http_errors_per_second, http_requests_per_second; did you mean "http_requests_per_second"?`},
		{"one that is filtered out", Config{Rules: []Rule{filtered}}, with(pods, func(r *Request) { r.Metric = "http_errors_per_second" }), Query{},
			`found metric "http_errors_per_second", expected http_requests_per_second; did you mean "http_requests_per_second"?`},
		{"series that do not have the object", Config{Rules: []Rule{perSecond}}, Request{Metric: "http_errors_per_second", Of: OfKind("Ingress"), Name: "web"}, Query{},
			`found metric "http_errors_per_second", expected one of the adapter's rules, which find none`},
		{"an operator of numbers", Config{Rules: []Rule{perSecond}}, with(pods, func(r *Request) { r.Selector = "a>5" }), Query{},
			`found the operator gt in the selector "a>5", which the adapter does not know`},
		{"no selector at all", Config{Rules: []Rule{perSecond}}, with(pods, func(r *Request) { r.Selector = "<error>" }), Query{},
			`found the selector "<error>", expected one of labels: found`},
		{"no label for namespaces", Config{ExternalRules: []Rule{{SeriesQuery: `queue_ready`, MetricsQuery: `<<.Series>>`}}}, Request{Metric: "queue_ready"}, Query{},
			`found no label for namespace, expected one in resources.overrides, or a template`},
	} {
		t.Run(c.what, func(t *testing.T) {
			require.NoError(t, c.config.Validate())
			got, err := c.config.Query(c.request, found)
			assert.Equal(t, c.want, got)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

func TestResourcesOfKinds(t *testing.T) {
	for kind, want := range map[string]GroupResource{
		"Service": {Resource: "service"}, "Pod": {Resource: "pod"}, "Namespace": {Resource: "namespace"},
		"Deployment": {Group: "apps", Resource: "deployment"}, "Ingress": {Group: "networking.k8s.io", Resource: "ingress"},
	} {
		assert.Equal(t, want, OfKind(kind), kind)
	}
	for plural, want := range map[string]string{"pods": "pod", "ingresses": "ingress", "Namespaces": "namespace", "service": "service"} {
		assert.Equal(t, want, singular(plural), plural)
	}
}

func TestRulesThatTheAdapterRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		change func(r *Rule)
		want   string
	}{
		"a series query that does not parse": {func(r *Rule) { r.SeriesQuery = "up{" }, `rules[0].seriesQuery: query "up{": 1:4: parse error: unexpected end of input inside braces`},
		"a series query of two":              {func(r *Rule) { r.SeriesQuery = "up + up" }, `rules[0].seriesQuery: found "up + up", expected a selector of series, such as http_requests_total{pod!=""}`},
		"a filter of both":                   {func(r *Rule) { r.SeriesFilters = []Filter{{Is: "a", IsNot: "b"}} }, "rules[0].seriesFilters[0]: expected either is or isNot"},
		"a filter that is none":              {func(r *Rule) { r.SeriesFilters = []Filter{{Is: "("}} }, "rules[0].seriesFilters[0]: found \"(\", expected a regular expression: error parsing regexp: missing closing ): `(`"},
		"a pattern that is none":             {func(r *Rule) { r.Name = Name{Matches: "*"} }, "rules[0].name: found \"*\", expected a regular expression: error parsing regexp: missing argument to repetition operator: `*`"},
		"two groups and no as":               {func(r *Rule) { r.Name = Name{Matches: "(.)(.)"} }, `rules[0].name: found 2 groups in "(.)(.)", expected one, or as beside it`},
		"a template that is none":            {func(r *Rule) { r.Resources.Template = "kube_<<.Resource" }, `rules[0].resources.template: found "kube_<<.Resource", expected a template: template: :1: unclosed action`},
		"a template of something else":       {func(r *Rule) { r.Resources.Template = "<<.Kind>>" }, `rules[0].resources.template: found "<<.Kind>>", expected a template: template: :1:2: executing "" at <.Kind>: can't evaluate field Kind in type adapter.labelArguments`},
		"a template of nothing":              {func(r *Rule) { r.Resources.Template = "<<.Group>>" }, `rules[0].resources.template: found "<<.Group>>", which gives nothing, expected a text`},
		"two labels for pods": {func(r *Rule) {
			r.Resources.Overrides = map[string]GroupResource{"a": {Resource: "pod"}, "b": {Resource: "pods"}}
		}, `rules[0].resources.overrides.b: found a second label for pod, expected one`},
		"namespaced":                  {func(r *Rule) { r.Resources.Namespaced = &no }, `rules[0].resources.namespaced: found it, expected it in external rules only`},
		"no query":                    {func(r *Rule) { r.MetricsQuery = "" }, `rules[0].metricsQuery: found "", which gives nothing, expected a text`},
		"a query that does not parse": {func(r *Rule) { r.MetricsQuery = "sum(<<.Series>>" }, `rules[0].metricsQuery: query "sum(series": 1:11: parse error: unclosed left parenthesis`},
		"a query of ranges":           {func(r *Rule) { r.MetricsQuery = "<<.Series>>[1m]" }, `rules[0].metricsQuery: query "series[1m]": found a range vector, expected an instant vector`},
	} {
		t.Run(what, func(t *testing.T) {
			r := perSecond
			c.change(&r)
			assert.EqualError(t, (&Config{Rules: []Rule{r}}).Validate(), c.want)
		})
	}
	assert.ErrorContains(t, (&Config{ExternalRules: []Rule{{}}}).Validate(), "externalRules[0].seriesQuery: ")
}

func FuzzRule(f *testing.F) {
	f.Add(perSecond.SeriesQuery, "<<.Resource>>", "^(.*)_total$", "", perSecond.MetricsQuery, "a in (b,c)")
	f.Add("up", "kube_<<.Group>>", "", "$0", "<<index .LabelValuesByName \"namespace\">>", "")
	f.Fuzz(func(t *testing.T, seriesQuery, template, matches, as, query, selector string) {
		c := Config{Rules: []Rule{{SeriesQuery: seriesQuery, Resources: Resources{Template: template}, Name: Name{Matches: matches, As: as}, MetricsQuery: query}}}
		if c.Validate() != nil {
			return
		}
		_, _ = c.Query(Request{Metric: "http_requests", Selector: selector, Namespace: "shop", Of: Pods, Name: "web"}, found)
	})
}
