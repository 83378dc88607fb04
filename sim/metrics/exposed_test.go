package metrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// exposing is two pods that answer 1 and 2 requests per second and use a tenth of a
// core, of 10 requests per second that come in; 4 are refused, 2 given up.
func exposing(now time.Duration) Truth {
	n := uint64(now.Seconds())
	one, two := readyPod(0, 0), readyPod(1, 0)
	one.Completed, one.Received, one.CPU, one.Queued, one.InService = n, n+1, now/10, 3, 2
	two.Completed, two.Received, two.CPU = 2*n, 2*n, now/10
	return Truth{
		Pods:     []cluster.PodStatus{one, two},
		Counters: cluster.Counters{Arrived: 9 * n, Retried: n, Completed: 3 * n, Rejected: 2 * n, Failed: n, TimedOut: 2 * n},
		Held:     5, Replicas: messages.Replicas{Desired: 4, Created: 3, Ready: 2},
	}
}

func TestWhatExportersShow(t *testing.T) {
	for expr, want := range map[string]float64{
		`sum(rate(istio_requests_total{reporter="destination",destination_workload="web"}[1m]))`:               3,
		`rate(istio_requests_total{reporter="destination",pod="web-00001"}[1m])`:                               2,
		`rate(istio_requests_total{reporter="source",response_code="200"}[1m])`:                                3,
		`rate(istio_requests_total{destination_service="web.shop.svc.cluster.local",response_code="503"}[1m])`: 4,
		`rate(istio_requests_total{response_code="0",response_flags="DC"}[1m])`:                                2,
		`sum(rate(nginx_ingress_controller_requests{exported_service="web",exported_namespace="shop"}[1m]))`:   9,
		`rate(nginx_ingress_controller_requests{ingress="web",status="499"}[1m])`:                              2,
		`kube_deployment_spec_replicas{deployment="web",namespace="shop"}`:                                     4,
		`kube_deployment_status_replicas`:                                                                      3,
		`kube_deployment_status_replicas_ready`:                                                                2,
		`kube_deployment_status_replicas_available`:                                                            2,
		`kube_deployment_status_replicas_unavailable`:                                                          1,
		`sum(rate(container_cpu_usage_seconds_total{pod=~"web-.*",container!=""}[1m]))`:                        0.2,
		`sum(rate(container_cpu_usage_seconds_total{pod=~"web-.*"}[1m]))`:                                      0.4, // and the pods' own cgroups
		`rate(container_cpu_usage_seconds_total{pod="web-00000",container="proxy"}[1m])`:                       0,
		`count(container_cpu_usage_seconds_total)`:                                                             6,
		`sum(rate(http_requests_total[1m]))`:                                                                   3,
	} {
		m := observe(doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: expr}), seconds(90), exposing).Metrics[0]
		require.Empty(t, m.Err, expr)
		assert.InDelta(t, want, m.Value, 1e-12, expr)
	}
}

// A counter of a proxy is not there before it has counted something, and what no
// queue feeds has no queue.
func TestWhatExportersDoNotShow(t *testing.T) {
	idle := func(time.Duration) Truth { return Truth{Pods: []cluster.PodStatus{readyPod(0, 0)}} }
	for _, expr := range []string{`istio_requests_total`, `nginx_ingress_controller_requests`, `rabbitmq_queue_messages_ready`, `kafka_consumergroup_lag`} {
		m := observe(doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: expr}), seconds(90), idle).Metrics[0]
		assert.Equal(t, messages.EmptyResult, m.Err, expr)
	}
}

func TestWhatBrokersShow(t *testing.T) {
	consuming := func(expr string, partitions int) messages.Metric {
		spec := specFor(messages.Query{Kind: messages.QueryPromQL, Name: expr})
		spec.Consumes, spec.Partitions = true, partitions
		d, err := NewDoor(spec)
		require.NoError(t, err)
		p := readyPod(0, 0)
		p.InService = 2
		return observe(d, 0, func(time.Duration) Truth {
			topic := []messages.Partition{{Lag: 8}, {Lag: 0}, {Lag: 3}}[:partitions]
			return Truth{Pods: []cluster.PodStatus{p}, Held: 5, Hidden: 4, Topic: topic}
		}).Metrics[0]
	}
	for _, c := range []struct {
		expr       string
		partitions int
		want       float64
	}{
		{`rabbitmq_queue_messages_ready{queue="web",vhost="/"}`, 0, 5},
		{`rabbitmq_queue_messages_unacked`, 0, 6},
		{`rabbitmq_queue_messages`, 0, 11},
		{`aws_sqs_approximate_number_of_messages_visible_average{queue_name="web"}`, 0, 5},
		{`aws_sqs_approximate_number_of_messages_not_visible_average{dimension_QueueName="web"}`, 0, 6},
		{`sum(kafka_consumergroup_lag{topic="web",consumergroup="web"})`, 3, 11},
		{`kafka_consumergroup_lag{partition="0"}`, 3, 8},
		{`kafka_consumergroup_lag{partition="2"}`, 3, 3},
		{`kafka_consumergroup_lag_sum`, 3, 11},
	} {
		m := consuming(c.expr, c.partitions)
		require.Empty(t, m.Err, c.expr)
		assert.Equal(t, c.want, m.Value, c.expr)
	}
	for expr, partitions := range map[string]int{`rabbitmq_queue_messages`: 3, `kafka_consumergroup_lag`: 0, `istio_requests_total`: 0, `nginx_ingress_controller_requests`: 0} {
		assert.Equal(t, messages.EmptyResult, consuming(expr, partitions).Err, expr)
	}
}

func TestSeriesOfTheUsersOwn(t *testing.T) {
	spec := specFor()
	spec.Series = []Series{
		{Name: "app_received_total", Source: "workload.requests", Labels: map[string]string{"team": "x", "job": "app", "endpoint": ""}},
		{Name: "app_answers_total", Source: "workload.answers"},
		{Name: "app_cpu", Source: "workload.cpu"},
		{Name: "app_queue", Source: "workload.queue"},
		{Name: "app_busy", Source: "workload.concurrency"},
		{Name: "all_requests_total", Source: "workload.requests", Of: "workload"},
		{Name: "all_answers_total", Source: "workload.answers", Of: "workload"},
		{Name: "all_errors_total", Source: "workload.errors"},
		{Name: "all_queue", Source: "workload.queue", Of: "workload"},
		{Name: "all_busy", Source: "workload.concurrency", Of: "workload"},
		{Name: "wanted", Source: "workload.replicas"},
		{Name: "ready", Source: "workload.ready"},
		{Name: "http_requests_total", Source: "workload.answers", Labels: map[string]string{"method": "GET"}},
	}
	for expr, want := range map[string]float64{
		`app_received_total{team="x",job="app",endpoint="",pod="web-00000"}`: 91,
		`sum(app_answers_total)`: 270,
		`sum(app_cpu)`:           18,
		`sum(app_queue)`:         3,
		`sum(app_busy)`:          5,
		`all_requests_total{namespace="shop",job="web"}`: 900,
		`all_answers_total`:                      270,
		`all_errors_total`:                       360,
		`all_queue`:                              8,
		`all_busy`:                               10,
		`wanted`:                                 4,
		`ready`:                                  2,
		`sum(http_requests_total{method="GET"})`: 270,
		`count(http_requests_total)`:             2,
	} {
		spec.Queries = [][]messages.Query{{{Kind: messages.QueryPromQL, Name: expr}}}
		d, err := NewDoor(spec)
		require.NoError(t, err)
		m := observe(d, seconds(90), exposing).Metrics[0]
		require.Empty(t, m.Err, expr)
		assert.Equal(t, want, m.Value, expr)
	}
}

func TestSeriesAreValidated(t *testing.T) {
	spec := specFor()
	spec.Series = []Series{{Name: "a b", Source: SourceCPU, Of: "node"}, {Source: "cpu"}}
	_, err := NewDoor(spec)
	assert.EqualError(t, err, `series[0].name: found "a b", expected the name of a series, such as my_app_orders_total
series[0].of: found "node", expected one of pod, workload
series[1].name: found "", expected the name of a series, such as my_app_orders_total
series[1].source: found "cpu", expected one of workload.requests, workload.answers, workload.errors, workload.cpu, workload.queue, workload.concurrency, workload.replicas, workload.ready`)
}

// Only what queries name is collected.
func TestOnlySelectedSeriesAreMade(t *testing.T) {
	d := doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: `sum(http_requests_total{pod="web-00001"})`})
	observe(d, seconds(30), exposing)
	require.Len(t, d.promql.pods, 1)
	assert.Empty(t, d.promql.whole)
	assert.Nil(t, d.known[0].series[0])
	assert.NotNil(t, d.known[1].series[0])
}
