package metrics

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
)

func adapterRules() *adapter.Config {
	resources := adapter.Resources{Overrides: map[string]adapter.GroupResource{
		"namespace": {Resource: "namespace"}, "pod": {Resource: "pod"}, "service": {Resource: "service"}, "deployment": {Group: "apps", Resource: "deployment"},
	}}
	return &adapter.Config{
		Rules: []adapter.Rule{
			{SeriesQuery: `http_requests_total{pod!=""}`, Resources: resources, Name: adapter.Name{Matches: "^(.*)_total$", As: "${1}_per_second"},
				MetricsQuery: `sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)`},
			{SeriesQuery: `kube_deployment_spec_replicas`, Resources: resources, MetricsQuery: `<<.Series>>{<<.LabelMatchers>>}`},
			{SeriesQuery: `http_requests_total`, Resources: resources, Name: adapter.Name{As: "broken"},
				MetricsQuery: `<<.Series>>{<<.LabelMatchers>>} + on(service) group_left up`},
			{SeriesQuery: `http_requests_total`, Resources: resources, Name: adapter.Name{As: "late"}, MetricsQuery: `<<.Series>>{<<.LabelMatchers>>} offset 1h`},
		},
		ExternalRules: []adapter.Rule{
			{SeriesQuery: `istio_requests_total`, Resources: resources, Name: adapter.Name{As: "mesh_rps"},
				MetricsQuery: `rate(<<.Series>>{<<.LabelMatchers>>,reporter="destination"}[1m]) / 3`},
			{SeriesQuery: `up`, Resources: resources, Name: adapter.Name{As: "constant"}, MetricsQuery: `7.0009`},
			{SeriesQuery: `up`, Resources: resources, Name: adapter.Name{As: "nothing"}, MetricsQuery: `<<.Series>>{<<.LabelMatchers>>,job="x"}`},
		},
	}
}

func adapted(t *testing.T, q messages.Query) messages.Metric {
	spec := specFor(q)
	spec.Adapter = adapterRules()
	d, err := NewDoor(spec)
	require.NoError(t, err)
	assert.Empty(t, d.gauges)
	assert.Empty(t, d.Source(0, 0))
	m := observe(d, seconds(90.0005), exposing).Metrics[0]
	assert.Equal(t, seconds(90), d.Collected(0))
	return m
}

// The adapter asks the Prometheus of the pipeline: late with it, and in vain while it
// is away.
func TestTheAdapterAsksThroughThePipeline(t *testing.T) {
	q := messages.Query{Kind: messages.QueryObject, Name: "kube_deployment_spec_replicas", Object: "Deployment/web"}
	spec := specFor(q)
	spec.Adapter = adapterRules()
	spec.Pipeline.Delay.Prometheus = seconds(10)
	d, err := NewDoor(spec)
	require.NoError(t, err)
	assert.Equal(t, int64(4000), observe(d, seconds(90), exposing).Metrics[0].Milli)

	spec.Gaps = []Gap{{Source: partPrometheus, From: seconds(80), To: seconds(100), Silent: true}}
	d, err = NewDoor(spec)
	require.NoError(t, err)
	assert.Equal(t, messages.Metric{Err: adapterIsLost}, observe(d, seconds(90), exposing).Metrics[0])
}

func TestMetricsByTheAdaptersRules(t *testing.T) {
	asked := at(90) // the adapter says when it was asked, not when the newest sample was taken
	for _, c := range []struct {
		what  string
		query messages.Query
		want  messages.Metric
	}{
		{"by pod", messages.Query{Kind: messages.QueryPods, Name: "http_requests_per_second"},
			messages.Metric{At: asked, Pods: []messages.PodMetric{{Pod: 0, Milli: 1000, At: asked}, {Pod: 1, Milli: 2000, At: asked}}}},
		{"of an object", messages.Query{Kind: messages.QueryObject, Name: "http_requests_per_second", Object: "Service/web"}, messages.Metric{At: asked, Milli: 3000}},
		{"of the Deployment", messages.Query{Kind: messages.QueryObject, Name: "kube_deployment_spec_replicas", Object: "Deployment/web"}, messages.Metric{At: asked, Milli: 4000}},
		// 1/3 and 2/3 are cut one by one: 333 + 666.
		{"of no object, summed", messages.Query{Kind: messages.QueryExternal, Name: "mesh_rps"}, messages.Metric{At: asked, Milli: 999}},
		{"a scalar", messages.Query{Kind: messages.QueryExternal, Name: "constant"}, messages.Metric{At: asked, Milli: 7000}},
		{"an object that is not there", messages.Query{Kind: messages.QueryObject, Name: "http_requests_per_second", Object: "Service/api"},
			messages.Metric{Err: "the server could not find the metric http_requests_per_second for Service/api"}},
		{"no pods", messages.Query{Kind: messages.QueryPods, Name: "late"}, messages.Metric{Err: "no metrics returned from custom metrics API"}},
		{"no elements", messages.Query{Kind: messages.QueryExternal, Name: "nothing"}, messages.Metric{Err: "no metrics returned from external metrics API"}},
		{"an evaluation that fails", messages.Query{Kind: messages.QueryPods, Name: "broken"}, messages.Metric{Err: "Internal error occurred: unable to fetch metrics"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := adapted(t, c.query)
			if len(got.Pods) == 0 {
				got.Pods = nil
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestMetricsThatNoRuleGives(t *testing.T) {
	spec := specFor(messages.Query{Kind: messages.QueryPods, Name: "http_request_per_second", Field: "spec.metrics[0].pods.metric.name"})
	spec.Adapter = adapterRules()
	_, err := NewDoor(spec)
	assert.EqualError(t, err, `spec.metrics[0].pods.metric.name: found metric "http_request_per_second", expected one of broken, http_requests_per_second, kube_deployment_spec_replicas, late; did you mean "http_requests_per_second"?`)
	assert.Empty(t, Unselected(spec), "the error is enough")

	// Without rules of its kind, a metric is what it is without an adapter.
	spec.Adapter.Rules = nil
	spec.Queries[0][0].Name = "rps"
	_, err = NewDoor(spec)
	require.NoError(t, err)

	spec.Adapter.ExternalRules[0].SeriesQuery = "("
	_, err = NewDoor(spec)
	assert.ErrorContains(t, err, "adapter.externalRules[0].seriesQuery: ")
}

func TestRulesThatSelectNothing(t *testing.T) {
	spec := specFor(messages.Query{Kind: messages.QueryExternal, Name: "nothing", Field: "f"})
	spec.Adapter = adapterRules()
	assert.Equal(t, []*messages.Invalid{{Field: "f", Problem: `up{job="x",namespace="shop"} selects no series: found job="x", expected one of prometheus, web`}}, Unselected(spec))
	spec.Queries[0] = append(spec.Queries[0], messages.Query{Kind: messages.QueryPromQL, Name: "sum("})
	assert.Len(t, Unselected(spec), 1, "what does not parse is an error already")
}

func TestThousandths(t *testing.T) {
	for value, want := range map[float64]int64{1.2349: 1234, -1.2349: -1234, math.NaN(): 0, math.Inf(1): math.MinInt64, 1e17: math.MinInt64, 9e15: 9e18} {
		assert.Equal(t, want, milli(value), "%v", value)
	}
}
