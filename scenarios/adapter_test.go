package scenarios_test

import (
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	adapterSection = `adapter:
  rules:
    - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
      resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
      name: {matches: "^(.*)_total$", as: "${1}_per_second"}
      metricsQuery: sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)
`
	podsHPA = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 20
  metrics: [{type: Pods, pods: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: 5}}}]
`
)

func TestTheAdapterReachesTheRun(t *testing.T) {
	src := head + "workload: {manifests: [d.yaml]}\n" + traffic + adapterSection + "autoscalers: {a: {manifests: [hpa.yaml]}}\n"
	s := parse(t, src, files{"d.yaml": deployment, "hpa.yaml": podsHPA})
	assert.Empty(t, s.Warnings())
	spec, err := s.Spec("a", 1)
	require.NoError(t, err)
	assert.Equal(t, "${1}_per_second", spec.Adapter.Rules[0].Name.As)
	text, err := s.Resolved()
	require.NoError(t, err)
	again, err := scenarios.Parse("again.yaml", text, files{}.open)
	require.NoError(t, err)
	assert.Equal(t, s.Document.Adapter, again.Document.Adapter)
}

func TestAdaptersThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"a metric that no rule gives": {"_per_second", "_per_minute", []string{`hpa.yaml:8:48: spec.metrics[0].pods.metric.name: found metric "http_requests_per_second", expected http_requests_per_minute; did you mean "http_requests_per_minute"?`}},
		"a query that does not parse": {"sum(rate", "sum rate", []string{`s.yaml:10:21: adapter.rules[0].metricsQuery: query "sum rate(series{label=\"value\"}[2m])) by (label)": 1:5: parse error: unexpected identifier "rate"`}},
		"a key mistyped": {"seriesQuery", "seriesQurey", []string{
			`s.yaml:7:7: adapter.rules[0].seriesQuery: found nothing, expected a string`,
			`s.yaml:7:7: adapter.rules[0].seriesQurey: found an unknown key, expected one of seriesQuery, seriesFilters, resources, name, metricsQuery (did you mean "seriesQuery"?)`}},
		"rules of resources": {"  rules:", "  resourceRules: {}\n  rules:", []string{`s.yaml:6:3: adapter.resourceRules: found an unknown key, expected one of rules, externalRules`}},
	} {
		t.Run(name, func(t *testing.T) {
			src := head + "workload: {manifests: [d.yaml]}\n" + strings.Replace(adapterSection, c.old, c.new, 1) + traffic + "autoscalers: {a: {manifests: [hpa.yaml]}}\n"
			assert.Equal(t, c.want, messagesOf(t, src, files{"d.yaml": deployment, "hpa.yaml": podsHPA}))
		})
	}
}
