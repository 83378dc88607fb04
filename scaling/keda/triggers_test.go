package keda

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/messages"
)

func TestTriggers(t *testing.T) {
	for _, c := range []struct {
		name     string
		trigger  string
		metric   string
		target   string
		query    string // kind and name
		field    string
		inactive float64 // the highest value that leaves it inactive
	}{
		{"a query", rateTrigger, "s0-prometheus", "10", "PromQL rate", "query", 0},
		{"with an activation of its own", `{type: prometheus, metricType: Value, metadata: {serverAddress: p, query: rate, threshold: "0.0515", activationThreshold: "3.5"}}`,
			"s0-prometheus", "51m", "PromQL rate", "query", 3.5},
		{"the lag of a topic", `{type: kafka, metadata: {bootstrapServers: "k:9092", consumerGroup: g, topic: a.b/c, lagThreshold: "50", activationLagThreshold: "5"}}`,
			"s0-kafka-a-b-c", "50", "Queue workload.concurrency", "lagThreshold", 5},
		{"of a group's topics", `{type: kafka, metadata: {bootstrapServersFromEnv: BROKERS, consumerGroup: g}}`,
			"s0-kafka-g-topics", "10", "Queue workload.concurrency", "lagThreshold", 0},
		{"a queue over AMQP", `{type: rabbitmq, metadata: {queueName: "a b%", host: "amqp://u:p@r:5672/v", mode: QueueLength, value: "2.5"}}`,
			"s0-rabbitmq-a+b-25", "2500m", "Queue workload.queue", "queueName", 0},
		{"over HTTP", `{type: rabbitmq, metadata: {queueName: q, host: "http://r:15672", queueLength: "7", activationValue: "1.5"}}`,
			"s0-rabbitmq-q", "7", "Queue workload.concurrency", "queueName", 1.5},
		{"over HTTP, only what is ready", `{type: rabbitmq, metadata: {queueName: q, protocol: http, hostFromEnv: HOST, excludeUnacknowledged: "true"}}`,
			"s0-rabbitmq-q", "20", "Queue workload.queue", "queueName", 0},
		{"somewhere", `{type: rabbitmq, metadata: {queueName: q}, authenticationRef: {name: r}}`,
			"s0-rabbitmq-q", "20", "Queue workload.queue", "queueName", 0},
		{"a list", `{type: redis, metadata: {listName: "a:b", host: r, port: "6379", listLength: "3", activationListLength: "2"}}`,
			"s0-redis-a-b", "3", "Queue workload.queue", "listName", 2},
		{"SQS", `{type: aws-sqs-queue, metadata: {queueURL: "https://sqs.eu-west-1.amazonaws.com/123/jobs", awsRegion: eu-west-1}}`,
			"s0-aws-sqs-jobs", "5", "Queue workload.concurrency", "queueURL", 0},
		{"SQS by name, without what is in flight", `{type: aws-sqs-queue, metadata: {queueURL: jobs, queueLength: "8", activationQueueLength: "4", scaleOnInFlight: "false"}, authenticationRef: {name: aws}}`,
			"s0-aws-sqs-jobs", "8", "Queue workload.queue", "queueURL", 4},
		{"a scaler of one's own", `{type: external-push, metadata: {scalerAddress: "s:1", targetSize: "6", metricName: depth, activationSize: "1"}}`,
			"s0-depth", "6", "Queue workload.queue", "targetSize", 1},
		{"which did not name its metric", `{type: external-push, metadata: {scalerAddress: "s:1", targetSize: "0.5"}}`,
			"s0-queue", "500m", "Queue workload.queue", "targetSize", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := loop(t, `{triggers: [`+c.trigger+`]}`)
			got := &a.triggers[0]
			assert.Equal(t, c.metric, got.metric)
			target := got.spec.External.Target
			if target.Type == autoscalingv2.ValueMetricType {
				assert.Equal(t, c.target, target.Value.String())
			} else {
				assert.Equal(t, c.target, target.AverageValue.String())
			}
			q := a.Queries()[0]
			assert.Equal(t, c.query, q.Kind.String()+" "+q.Name)
			assert.Equal(t, "spec.triggers[0].metadata."+c.field, q.Field)

			m := value(c.inactive)
			assert.Equal(t, reading{value: c.inactive}, got.read(created, &m))
			m = value(c.inactive + 0.5)
			assert.Equal(t, reading{value: c.inactive + 0.5, active: true}, got.read(created, &m))
			m = broken("down")
			assert.Equal(t, reading{err: "down"}, got.read(created, &m))
		})
	}
}

func TestWhatPrometheusDoesNotKnow(t *testing.T) {
	ignoring := loop(t, `{triggers: [`+rateTrigger+`]}`).triggers[0].read
	strict := loop(t, `{triggers: [`+strictTrigger+`]}`).triggers[0].read
	for _, c := range []struct {
		m    messages.Metric
		want string
	}{
		{empty, messages.EmptyResult},
		{messages.Metric{Value: math.NaN()}, "the query's result is NaN"},
		{messages.Metric{Value: math.Inf(1)}, "the query's result is +Inf"},
	} {
		assert.Equal(t, reading{}, ignoring(created, &c.m))
		assert.Equal(t, reading{err: c.want}, strict(created, &c.m))
	}
	scalar := messages.Metric{Value: math.NaN(), Scalar: true}
	for _, read := range []func(time.Time, *messages.Metric) reading{ignoring, strict} {
		assert.Equal(t, reading{err: "the query's result is a scalar, expected an instant vector"}, read(created, &scalar))
	}
	below := value(-3)
	assert.Equal(t, reading{value: -3}, strict(created, &below))
}

// The HPA is not shown more lag than one consumer per partition is worth; who is
// active goes by all of it.
func TestTheLagOfATopicIsCapped(t *testing.T) {
	read := func(settings string, lag float64, partitions int) reading {
		a := loop(t, `{triggers: [{type: kafka, metadata: {bootstrapServers: k, consumerGroup: g, topic: t, lagThreshold: "50", activationLagThreshold: "700"`+settings+`}}]}`)
		m := value(lag)
		m.Partitions = partitions
		return a.triggers[0].read(created, &m)
	}
	const idle, evenly = `, allowIdleConsumers: "true"`, `, ensureEvenDistributionOfPartitions: "true"`
	for _, c := range []struct {
		name, settings string
		lag            float64
		partitions     int
		want           float64
	}{
		{"below", "", 599, 12, 599},
		{"at the number of partitions", "", 649, 12, 649}, // 649 / 50 is 12
		{"above", "", 650, 12, 600},
		{"with idle consumers", idle, 5000, 12, 5000},
		{"of a queue without partitions", "", 5000, 0, 5000},
		{"evenly: 1, 2, 3, 4, 6 or 12 consumers", evenly, 201, 12, 300},
		{"no more than partitions", evenly + idle, 5000, 12, 600},
		{"evenly for nothing", evenly, 0, 12, 50},
	} {
		got := read(c.settings, c.lag, c.partitions)
		assert.Equal(t, reading{value: c.want, active: c.lag > 700}, got, c.name)
	}
}

func TestCron(t *testing.T) {
	const hours = `{type: cron, metadata: {timezone: Asia/Makassar, start: "0 10 * * 1-5", end: "30 15 * * 1-5", desiredReplicas: "4"}}`
	a := loop(t, `{triggers: [`+hours+`]}`)
	got := &a.triggers[0]
	assert.Equal(t, "s0-cron-Asia-Makassar-010xx1-5-3015xx1-5", got.metric)
	assert.Equal(t, "1", got.spec.External.Target.AverageValue.String())
	assert.Empty(t, a.Queries())
	assert.Equal(t, reading{}, got.read(at(2*3600-1), nil), "Monday, 9:59:59 there")
	assert.Equal(t, reading{value: 4, active: true}, got.read(at(2*3600), nil))
	assert.Equal(t, reading{}, got.read(at(7.5*3600), nil))

	never := loop(t, `{triggers: [{type: cron, metadata: {timezone: UTC, start: "0 0 30 2 *", end: "0 0 1 * *", desiredReplicas: "4"}}]}`)
	assert.Equal(t, reading{err: "Start: found no instant within five years of 2026-01-05"}, never.triggers[0].read(created, nil))
}

func TestResources(t *testing.T) {
	a := loop(t, `{minReplicaCount: 1, triggers: [`+cpuTrigger+`,
		{type: memory, metricType: AverageValue, metadata: {value: 64Mi, containerName: app}}]}`)
	cpu, memory := a.triggers[0].spec.Resource, a.triggers[1].spec.ContainerResource
	assert.Equal(t, int32(70), *cpu.Target.AverageUtilization)
	assert.Equal(t, "64Mi", memory.Target.AverageValue.String())
	assert.Equal(t, "app", memory.Container)
	h := horizontal(t, a)
	assert.Equal(t, []messages.Query{
		{Kind: messages.QueryResource, Name: "memory", Container: "app", Field: "spec.triggers[1].metadata.containerName"},
		{Kind: messages.QueryResource, Name: "cpu", Field: "spec.triggers[0].type"},
	}, h.Queries())
	assert.Equal(t, []int{0, 1}, h.Asked())
}

func TestTypes(t *testing.T) {
	assert.Equal(t, []string{"aws-sqs-queue", "cpu", "cron", "external-push", "kafka", "memory", "prometheus", "rabbitmq", "redis"}, Types())
}

func TestValuesAsTheAPIHasThem(t *testing.T) {
	for _, c := range []struct {
		value float64
		want  string
	}{{0, "0"}, {1, "1"}, {0.0004, "0"}, {0.0005, "1m"}, {1.2345, "1234m"}, {-1, "0"}, {math.NaN(), "0"}, {math.Inf(1), "0"}, {1e15, "1P"}} {
		q := quantity(c.value)
		assert.Equal(t, c.want, q.String())
	}
	assert.Equal(t, int64(1234), toInt64(1234.9))
	assert.Equal(t, int64(math.MinInt64), toInt64(math.Inf(1)))
	require.Equal(t, int64(math.MinInt64), toInt64(math.NaN()))
}
