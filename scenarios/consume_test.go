package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim/cluster"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func consumption(t *testing.T, section string) cluster.Spec {
	t.Helper()
	s := parse(t, head+section+"\n"+tail+"autoscalers: {fixed: {replicas: 2}}\n", nil)
	spec, err := s.Spec("fixed", 1)
	require.NoError(t, err)
	return spec.Cluster
}

func TestWhatConsumesIsFilledIn(t *testing.T) {
	plain := consumption(t, "workload: {consumes: {}}")
	assert.Equal(t, &cluster.Consumption{VisibilityTimeout: new(30 * time.Second)}, plain.Consumes)
	assert.Equal(t, "central-queue", plain.Routing.Policy)
	assert.Zero(t, plain.RequestTimeout)
	assert.Zero(t, plain.PerPod.Queue)
	assert.Equal(t, "0s", plain.Lifecycle.EndpointPropagation.String())

	topic := consumption(t, "workload: {consumes: {partitions: 12}}")
	assert.Equal(t, &cluster.Consumption{
		Partitions: 12, Partitioner: "round-robin", Rebalance: new(3 * time.Second), VisibilityTimeout: new(time.Duration),
	}, topic.Consumes)

	all := consumption(t, "workload: {consumes: {partitions: 3, partitioner: key-hash, rebalance: 0s, visibilityTimeout: 45s, maxDeliveries: 5}}")
	assert.Equal(t, &cluster.Consumption{
		Partitions: 3, Partitioner: "key-hash", Rebalance: new(time.Duration), VisibilityTimeout: new(45 * time.Second), MaxDeliveries: 5,
	}, all.Consumes)
}

// What is resolved means the same, also where the defaults differ.
func TestAResolvedConsumerIsValid(t *testing.T) {
	for _, section := range []string{"workload: {consumes: {}}", "workload: {consumes: {partitions: 4}, perPod: {discipline: ps}}"} {
		first, err := parse(t, head+section+"\n"+tail, nil).Resolved()
		require.NoError(t, err)
		again, err := scenarios.Parse("resolved.yaml", first, nil)
		require.NoError(t, err, string(first))
		second, err := again.Resolved()
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second))
		assert.Contains(t, string(first), "policy: central-queue")
	}
}

func TestWhatMakesNoSenseForMessages(t *testing.T) {
	for name, c := range map[string]struct{ section, want string }{
		"a policy":             {"workload: {consumes: {}, routing: {policy: random}}", `s.yaml:4:44: workload.routing.policy: found random, expected central-queue or none: the pods of a workload that consumes take messages themselves`},
		"a client's timeout":   {"workload: {consumes: {}, requestTimeout: 30s}", `s.yaml:4:42: workload.requestTimeout: found 30s, expected 0s: nobody waits for the messages of a workload that consumes`},
		"cancelled services":   {"workload: {consumes: {}, onTimeout: cancel}", `s.yaml:4:37: workload.onTimeout: found cancel, expected none: nobody waits for the messages of a workload that consumes`},
		"retries":              {"workload: {consumes: {}, retries: {attempts: 3}}", `s.yaml:4:46: workload.retries.attempts: found 3, expected 1: messages are delivered again, see consumes.maxDeliveries`},
		"an attempt's timeout": {"workload: {consumes: {}, retries: {perAttemptTimeout: 3s}}", `s.yaml:4:55: workload.retries.perAttemptTimeout: found 3s, expected 0s: nobody waits for the messages of a workload that consumes`},
		"a bound":              {"workload: {consumes: {}, perPod: {queue: 100}}", `s.yaml:4:42: workload.perPod.queue: found 100, expected 0: messages wait in the queue, which has no bound`},
		"endpoints":            {"workload: {consumes: {}}\nlifecycle: {endpointPropagation: 1s}", `s.yaml:5:34: lifecycle.endpointPropagation: found 1s, expected 0s: a pod consumes from Ready on, without anybody connecting to it`},
		"a listener":           {"workload: {consumes: {}}\nlifecycle: {listen: {dist: exponential, mean: 1s}}", `s.yaml:5:21: lifecycle.listen: found {dist: exponential, mean: 1s}, expected 0s: a pod consumes from Ready on, without anybody connecting to it`},
		"a misspelt key":       {"workload: {consumes: {partition: 12}}", `s.yaml:4:23: workload.consumes.partition: found an unknown key, expected one of partitions, partitioner, rebalance, visibilityTimeout, maxDeliveries (did you mean "partitions"?)`},
		"a misspelt choice":    {"workload: {consumes: {partitions: 2, partitioner: key-has}}", `s.yaml:4:51: workload.consumes.partitioner: found key-has, expected one of round-robin, key-hash (did you mean "key-hash"?)`},
		"too many partitions":  {"workload: {consumes: {partitions: 5000}}", `s.yaml:4:35: workload.consumes.partitions: found 5000, expected at most 1000`},
		"a pause of nobody":    {"workload: {consumes: {rebalance: 5s}}", `s.yaml:4:34: workload.consumes.rebalance: found 5s without partitions, expected it with them only: pods join and leave a queue without a pause`},
		"keys of nothing":      {"workload: {consumes: {partitioner: key-hash}}", `s.yaml:4:36: workload.consumes.partitioner: found key-hash without partitions, expected it with them only`},
		"a long timeout":       {"workload: {consumes: {visibilityTimeout: 800h}}", `s.yaml:4:42: workload.consumes.visibilityTimeout: found 800h0m0s, expected 0s to 720h0m0s`},
		"a platform": {"workload: {consumes: {}}\nautoscalers: {lambda: {serverless: {coldServiceTime: 1s}}}",
			`s.yaml:5:36: autoscalers.lambda.serverless: found a serverless platform for a workload that consumes, expected none: nobody waits for messages`},
		"a revision": {"workload: {consumes: {}}\nautoscalers: {knative: {annotations: {}}}",
			`s.yaml:5:24: autoscalers.knative: found a revision of Knative for a workload that consumes, expected none: nobody waits for messages`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, messagesOf(t, head+c.section+"\n"+tail, nil))
		})
	}
}

func TestManifestsThatMakeNoSenseForMessages(t *testing.T) {
	scenario := head + "workload: {consumes: {}, manifests: [k8s/all.yaml]}\nautoscalers: {a: {manifests: [k8s/hpa.yaml, k8s/elasti.yaml]}}\n" + tail
	assert.Equal(t, []string{`k8s/elasti.yaml:3:7: kind: found an ElastiService for a workload that consumes, expected none: nobody waits for messages`},
		messagesOf(t, scenario, shop()))

	byPod := strings.Replace(hpaManifest, "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}",
		"{type: Pods, pods: {metric: {name: queue_depth}, target: {type: AverageValue, averageValue: 5}}}", 1)
	scenario = head + "workload: {consumes: {}, manifests: [k8s/all.yaml]}\nautoscalers: {a: {manifests: [k8s/hpa.yaml]}}\n" + tail
	assert.Equal(t, []string{`k8s/hpa.yaml:10:42: spec.metrics[0].pods.metric.name: found queue_depth by pod, expected an External metric: messages wait in no pod`},
		messagesOf(t, scenario, with(shop(), "k8s/hpa.yaml", byPod)))

	users := head + "workload: {consumes: {}}\ntraffic: [{name: base, for: 10m, users: {count: 5, thinkTime: 1s}}]\n"
	assert.Equal(t, []string{`s.yaml:5:41: traffic[0].users: found users for a workload that consumes, expected none: nobody waits for messages`},
		messagesOf(t, users, nil))

	service := "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{image: web}]}}}\n"
	assert.Equal(t, []string{`m.yaml:2:7: kind: found a Service of Knative for a workload that consumes, expected none: nobody waits for messages`},
		messagesOf(t, head+"workload: {consumes: {}, manifests: [m.yaml]}\n"+tail, files{"m.yaml": service}))
}
