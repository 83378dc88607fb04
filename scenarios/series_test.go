package scenarios_test

import (
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func warningsOf(t *testing.T, query, more string) (lines []string) {
	object := strings.Replace(scaledObject, "sum(rate(http_requests_total[1m]))", query, 1)
	s := parse(t, kedaWorkload+more+"autoscalers: {keda: {manifests: [so.yaml]}, late: {extends: keda, patch: {spec: {cooldownPeriod: 900}}}}\n",
		files{"d.yaml": deployment, "so.yaml": object})
	for _, w := range s.Warnings() {
		lines = append(lines, w.Warning())
	}
	return lines
}

// A strategy that extends another does not warn of the same place again.
func TestQueriesThatSelectNothing(t *testing.T) {
	const orders = "series: [{name: my_app_orders_total, source: workload.answers, labels: {team: x}}]\n"
	const at = "so.yaml:10:66: warning: spec.triggers[0].metadata.query: "
	const misspelt = `http_request_total selects no series: found series "http_request_total", expected one of container_cpu_usage_seconds_total, ` +
		"http_requests_total, istio_requests_total, kube_deployment_spec_replicas, kube_deployment_status_replicas, kube_deployment_status_replicas_available, " +
		"kube_deployment_status_replicas_ready, kube_deployment_status_replicas_unavailable, nginx_ingress_controller_requests, up"
	for name, c := range map[string]struct {
		query, more string
		want        []string
	}{
		"one that selects some":        {"sum(rate(http_requests_total{service='web',pod=~'web-.*'}[1m]))", "", nil},
		"one of the scenario's own":    {"sum(my_app_orders_total{team='x'})", orders, nil},
		"a number":                     {"vector(3)", "", nil},
		"a misspelt name":              {"http_request_total or vector(0)", "", []string{at + misspelt + `; did you mean "http_requests_total"?`}},
		"a label with a wrong value":   {"my_app_orders_total{team='y'}", orders, []string{at + `my_app_orders_total{team="y"} selects no series: found team="y", expected x; did you mean "x"?`}},
		"a label that is not there":    {"my_app_orders_total{tema='x'}", orders, []string{at + `my_app_orders_total{tema="x"} selects no series: found the label "tema", expected one of container, endpoint, instance, job, namespace, pod, service, team; did you mean "team"?`}},
		"a pattern that nothing meets": {"up{pod=~'api-.*'}", "", []string{at + `up{pod=~"api-.*"} selects no series: found pod=~"api-.*", expected a match for prometheus-0 or web-00000`}},
		"a pattern of names":           {"{__name__=~'api_.*'}", "", []string{at + `{__name__=~"api_.*"} selects no series: no series that is simulated has such a name`}},
		"each of two":                  {"up{job='a'} or up{job='b'}", "", []string{at + `up{job="a"} selects no series: found job="a", expected one of prometheus, web`, at + `up{job="b"} selects no series: found job="b", expected one of prometheus, web`}},
		"a label of another series":    {"http_requests_total{container='prometheus'}", "", []string{at + `http_requests_total{container="prometheus"} selects no series: found container="prometheus", expected web`}},
		"a pod that is late":           {"up{pod='web-00017'}", "", nil},
		"a queue, without one":         {"rabbitmq_queue_messages_ready", "", []string{strings.Replace(at+misspelt, "http_request_total", "rabbitmq_queue_messages_ready", 2)}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, warningsOf(t, c.query, c.more)) })
	}
	consumes := strings.Replace(kedaWorkload, "[d.yaml]", "[d.yaml], consumes: {}", 1)
	s := parse(t, consumes+"autoscalers: {keda: {manifests: [so.yaml]}}\n", files{"d.yaml": deployment,
		"so.yaml": strings.Replace(scaledObject, "sum(rate(http_requests_total[1m]))", "rabbitmq_queue_messages_ready{queue='web'}", 1)})
	assert.Empty(t, s.Warnings())
}

func TestSeriesThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct{ series, want string }{
		"a source mistyped":      {"[{name: a, source: workload.answer}]", `s.yaml:5:28: series[0].source: found workload.answer, expected one of workload.requests, workload.answers, workload.errors, workload.cpu, workload.queue, workload.concurrency, workload.replicas, workload.ready (did you mean "workload.answers"?)`},
		"no source":              {"[{name: a}]", "s.yaml:5:10: series[0].source: found nothing, expected one of workload.requests, workload.answers, workload.errors, workload.cpu, workload.queue, workload.concurrency, workload.replicas, workload.ready"},
		"a name with a dash":     {"[{name: a-b, source: workload.cpu}]", "s.yaml:5:17: series[0].name: found a-b, expected text that matches ^[a-zA-Z_:][a-zA-Z0-9_:]*$"},
		"a label with a dash":    {"[{name: a, source: workload.cpu, labels: {a-b: c}}]", `s.yaml:5:56: series[0].labels.a-b: found the label "a-b", expected letters, digits and underscores, and no two of these in front`},
		"a label of Prometheus'": {"[{name: a, source: workload.cpu, labels: {__name__: c}}]", `s.yaml:5:61: series[0].labels.__name__: found the label "__name__", expected letters, digits and underscores, and no two of these in front`},
		"a control character":    {`[{name: a, source: workload.cpu, labels: {b: "\t"}}]`, `s.yaml:5:54: series[0].labels.b: found a control character, expected none`},
		"errors by pod":          {"[{name: a, source: workload.errors, of: pod}]", "s.yaml:5:49: series[0].of: found workload.errors by pod, expected workload: pods do not have it"},
		"CPU of the workload":    {"[{name: a, source: workload.cpu, of: workload}]", "s.yaml:5:46: series[0].of: found workload.cpu of the workload, expected pod: containers have it"},
		"the same again":         {"[{name: a, source: workload.cpu}, {name: b, source: workload.cpu}, {name: a, source: workload.queue}]", "s.yaml:5:76: series[2]: found the name and labels of entry 0 again, expected a series of its own"},
		"a queue in pods":        {"[{name: a, source: workload.queue}]\nworkload: {consumes: {}}", "s.yaml:5:10: series[0].of: found workload.queue by pod, expected workload: messages wait in no pod"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, messagesOf(t, head+tail+"series: "+c.series+"\n", files{}))
		})
	}
}

func TestSeriesReachTheRun(t *testing.T) {
	s := parse(t, head+tail+"series: [{name: my_app_orders_total, source: workload.answers, labels: {team: x}}]\n", files{})
	spec, err := s.Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, "my_app_orders_total", spec.Series[0].Name)
	text, err := s.Resolved()
	require.NoError(t, err)
	again, err := scenarios.Parse("again.yaml", text, files{}.open)
	require.NoError(t, err)
	assert.Equal(t, s.Document.Series, again.Document.Series)
}
