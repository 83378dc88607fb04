package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestRefusedQueries(t *testing.T) {
	short, equal := 10*time.Second, 30*time.Second
	names := "active_requests, concurrency, concurrent_requests, cpu_cores, cpu_usage, hasty_level, hasty_rate, http_requests, " +
		"http_requests_in_flight, http_requests_per_second, in_flight_requests, inflight_requests, pending_requests, queue_depth, " +
		"queue_length, queue_size, requests-per-second, requests_per_second, rps"
	for _, test := range []struct {
		what  string
		query messages.Query
		want  string
	}{
		{"memory", messages.Query{Kind: messages.QueryResource, Name: "memory"}, `found resource "memory", expected cpu: memory is simulated with workload.perPod.memory`},
		{"a misspelt resource", messages.Query{Kind: messages.QueryResource, Name: "cpus"}, `found resource "cpus", expected cpu; did you mean "cpu"?`},
		{"an unknown container", messages.Query{Kind: messages.QueryResource, Name: "cpu", Container: "prox"}, `found container "prox", expected one of web, proxy; did you mean "proxy"?`},
		{"a misspelt metric", messages.Query{Kind: messages.QueryPods, Name: "http_request_per_second"}, `found metric "http_request_per_second", expected one of ` + names + `; did you mean "http_requests_per_second"?`},
		{"a metric like no other", messages.Query{Kind: messages.QueryExternal, Name: "kafka_lag"}, `found metric "kafka_lag", expected one of ` + names},
		{"a rate over too short a window", messages.Query{Kind: messages.QueryObject, Name: "hasty_rate"}, `metric "hasty_rate": found a window of 30s, expected more than the scrape interval of 30s, for a rate needs two scrapes`},
		{"a level over too short a window", messages.Query{Kind: messages.QueryObject, Name: "hasty_level"}, `metric "hasty_level": found a window of 10s, expected at least the scrape interval of 30s`},
		{"PromQL that does not parse", messages.Query{Kind: messages.QueryPromQL, Name: "sum(up"}, `query "sum(up": 1:7: parse error: unclosed left parenthesis`},
	} {
		t.Run(test.what, func(t *testing.T) {
			test.query.Field = "spec.metrics[1]"
			spec := specFor(cpuQuery, test.query)
			spec.Sources = map[string]Source{
				"hasty_rate":  {Source: SourceRPS, Window: &equal},
				"hasty_level": {Source: SourceQueue, Window: &short},
			}
			_, err := NewDoor(spec)
			var invalid *messages.Invalid
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, messages.Invalid{Field: "spec.metrics[1]", Problem: test.want}, *invalid)
		})
	}
	_, err := NewDoor(specFor(messages.Query{Kind: 99, Name: "x"}))
	assert.EqualError(t, err, `query "x" has the unknown kind 99`)
}

func TestEveryProblemIsReported(t *testing.T) {
	_, err := NewDoor(specFor(
		messages.Query{Kind: messages.QueryPods, Name: "a", Field: "one"},
		messages.Query{Kind: messages.QueryResource, Name: "memory", Field: "two"}))
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 2)

	zero := time.Duration(0)
	spec := specFor()
	spec.Pipeline = Pipeline{Kubelet: time.Second}
	spec.Sources = map[string]Source{"b": {Source: "workload.rsp"}, "a": {Source: SourceRPS, Window: &zero}}
	_, err = NewDoor(spec)
	assert.EqualError(t, err, `pipeline.metricsServer: found 0s, expected at least 1ms
pipeline.prometheusScrape: found 0s, expected at least 1ms
metrics.a.window: found 0s, expected more than 0s
metrics.b.source: found "workload.rsp", expected one of workload.rps, workload.queue, workload.concurrency, workload.cpu; did you mean "workload.rps"?`)
}

func TestDefaultsAreValid(t *testing.T) {
	require.NoError(t, Defaults().Validate())
	for name, source := range DefaultSources() {
		require.NoError(t, source.Validate(), name)
		_, err := NewDoor(specFor(messages.Query{Kind: messages.QueryPods, Name: name}))
		require.NoError(t, err, name)
	}
}

func TestOwnSourcesReplaceTheDefaults(t *testing.T) {
	spec := specFor(messages.Query{Kind: messages.QueryExternal, Name: "rps"})
	spec.Sources = map[string]Source{"rps": {Source: SourceQueue}}
	d, err := NewDoor(spec)
	require.NoError(t, err)
	assert.Equal(t, int64(7000), observe(d, 0, lives).Metrics[0].Milli)
}

func TestContainersAreUnknownWithoutRequests(t *testing.T) {
	spec := specFor(messages.Query{Kind: messages.QueryResource, Name: "cpu", Container: "any"})
	spec.Requests = nil
	d, err := NewDoor(spec)
	require.NoError(t, err)
	assert.Equal(t, int64(250), observe(d, seconds(15), busy(0.25)).Metrics[0].Pods[0].Milli)
}
