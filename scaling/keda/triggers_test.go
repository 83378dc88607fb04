package keda

import (
	"math"
	"slices"
	"strings"
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

// kafka is a trigger with a lagThreshold of 50.
func kafka(t *testing.T, settings string) *Autoscaler {
	return loop(t, `{triggers: [{type: kafka, metadata: {bootstrapServers: k, consumerGroup: g, topic: t, lagThreshold: "50", activationLagThreshold: "700"`+settings+`}}]}`)
}

// lags are partitions of which nothing has been processed.
func lags(n ...int64) (all []messages.Partition) {
	for _, lag := range n {
		all = append(all, messages.Partition{Lag: lag})
	}
	return all
}

// The HPA is not shown more lag than one consumer per partition is worth; who is
// active goes by all of it.
func TestTheLagOfATopicIsCapped(t *testing.T) {
	const idle, evenly, withLag = `, allowIdleConsumers: "true"`, `, ensureEvenDistributionOfPartitions: "true"`, `, limitToPartitionsWithLag: "true"`
	const ofAll, ofOne = "in 12 of 12 partitions", "in 1 of 12 partitions"
	spread := func(lag int64) []messages.Partition { // over twelve
		all := slices.Repeat(lags(lag/12), 12)
		all[0].Lag += lag % 12
		return all
	}
	onOne := func(lag int64) []messages.Partition { return append(lags(lag), slices.Repeat(lags(0), 11)...) }
	for _, c := range []struct {
		name, settings string
		partitions     []messages.Partition
		want           float64
		active         bool
		note           string
	}{
		{"below", "", spread(599), 599, false, ""},
		{"at the number of partitions", "", spread(649), 649, false, ""}, // 649 / 50 is 12
		{"above", "", spread(650), 600, false, "of a lag of 650, " + ofAll},
		{"with idle consumers", idle, spread(5000), 5000, true, ""},
		{"evenly: 1, 2, 3, 4, 6 or 12 consumers", evenly, spread(201), 300, false, "of a lag of 201, " + ofAll},
		{"no more than partitions", evenly + idle, spread(5000), 600, true, "of a lag of 5000, " + ofAll},
		{"evenly for nothing", evenly, spread(0), 50, false, "of a lag of 0, in 0 of 12 partitions"},
		{"one partition with a lag", "", onOne(599), 599, false, ""},
		{"one consumer for it", withLag, onOne(599), 50, false, "of a lag of 599, " + ofOne},
		{"up to the next whole consumer", withLag, onOne(99), 99, false, ""},
		{"as many consumers as partitions have a lag", withLag, spread(5000), 600, true, "of a lag of 5000, " + ofAll},
		{"none for none", withLag, onOne(0), 0, false, ""},
		{"some partitions only", `, partitionLimitation: "0, 3-4"`, lags(10, 600, 600, 20, 30, 600), 60, false, ""},
		{"of which two have a lag", withLag + `, partitionLimitation: "0, 3-4"`, lags(0, 600, 600, 900, 30, 600), 100, true, "of a lag of 930, in 2 of 3 partitions"},
		{"beyond those there are", `, partitionLimitation: 4-900`, lags(1, 2, 3, 4, 800), 50, true, "of a lag of 800, in 1 of 1 partitions"},
	} {
		got := kafka(t, c.settings).triggers[0].read(created, &messages.Metric{Partitions: c.partitions})
		assert.Equal(t, reading{value: c.want, active: c.active, note: c.note}, got, c.name)
	}
	whole := value(5000)
	for _, settings := range []string{"", evenly} {
		assert.Equal(t, reading{value: 5000, active: true}, kafka(t, settings).triggers[0].read(created, &whole), "of a queue without partitions")
	}
	none := kafka(t, `, partitionLimitation: "7"`).triggers[0].read(created, &messages.Metric{Partitions: lags(1, 2)})
	assert.Equal(t, reading{err: "found none of the partitions of partitionLimitation, expected at least one"}, none)
	failed := broken("no")
	assert.Equal(t, reading{err: "no"}, kafka(t, "").triggers[0].read(created, &failed))
}

func TestSettingsThatWantPartitions(t *testing.T) {
	of := func(settings string) []string {
		return object(t, `{triggers: [{type: kafka, metadata: {bootstrapServers: k, consumerGroup: g, topic: t`+settings+`}}]}`).Spec.Triggers[0].ByPartition()
	}
	assert.Empty(t, of(`, ensureEvenDistributionOfPartitions: "true", excludePersistentLag: "false"`))
	assert.Equal(t, []string{"limitToPartitionsWithLag", "excludePersistentLag", "partitionLimitation"},
		of(`, excludePersistentLag: "true", limitToPartitionsWithLag: "true", partitionLimitation: "1"`))
	assert.Empty(t, object(t, `{triggers: [`+listTrigger+`]}`).Spec.Triggers[0].ByPartition())
}

// TestALagThatPersists: a partition whose offset has not moved since anybody asked
// counts for nothing but activity.
func TestALagThatPersists(t *testing.T) {
	a := kafka(t, `, excludePersistentLag: "true"`)
	read := func(partitions ...messages.Partition) reading {
		return a.triggers[0].read(created, &messages.Metric{Partitions: partitions})
	}
	stuck, moved := messages.Partition{Committed: 7, Lag: 690}, func(to int64) messages.Partition { return messages.Partition{Committed: to, Lag: 20} }
	assert.Equal(t, reading{value: 100, active: true, note: "of a lag of 710, in 2 of 2 partitions"}, read(stuck, moved(1)), "nothing is known of before")
	assert.Equal(t, reading{value: 20, active: true, note: "of a lag of 710, in 1 of 2 partitions"}, read(stuck, moved(2)))
	assert.Equal(t, reading{active: true, note: "of a lag of 710, in 0 of 2 partitions"}, read(stuck, moved(2)), "asked twice in a row")
	stuck.Committed++
	assert.Equal(t, reading{value: 100, active: true, note: "of a lag of 710, in 1 of 2 partitions"}, read(stuck, moved(2)))
	a.forget()
	assert.Equal(t, reading{value: 100, active: true, note: "of a lag of 710, in 2 of 2 partitions"}, read(stuck, moved(2)), "a scaler that was built anew knows nothing")
}

func TestCron(t *testing.T) {
	const hours = `{type: cron, metadata: {timezone: Asia/Makassar, start: "0 10 * * 1-5", end: "30 15 * * 1-5", desiredReplicas: "4"}}`
	a := loop(t, `{triggers: [`+hours+`]}`)
	got := &a.triggers[0]
	assert.Equal(t, "s0-cron-Asia-Makassar-010xx1-5-3015xx1-5", got.metric)
	assert.Equal(t, "1", got.spec.External.Target.AverageValue.String())
	assert.Empty(t, a.Queries())
	const written = "0 10 * * 1-5 to 30 15 * * 1-5 in Asia/Makassar"
	inside, outside := reading{value: 4, active: true, note: "inside of " + written}, reading{note: "outside of " + written}
	assert.Equal(t, outside, got.read(at(2*3600-1), nil), "Monday, 9:59:59 there")
	assert.Equal(t, inside, got.read(at(2*3600), nil))
	assert.Equal(t, outside, got.read(at(7.5*3600), nil))

	never := loop(t, `{triggers: [{type: cron, metadata: {timezone: UTC, start: "0 0 30 2 *", end: "0 0 1 * *", desiredReplicas: "4"}}]}`)
	assert.Equal(t, reading{err: "Start: found no instant within five years of 2026-01-05"}, never.triggers[0].read(created, nil))
}

// TestHours are the facts of KEDA's own tests of the trigger, and what follows from
// its rule when clocks change.
func TestHours(t *testing.T) {
	const thursdays, evenHours, quarters = `start: "0 0 * * Thu", end: "59 23 * * Thu", timezone: Etc/UTC`,
		`start: "0 */2 * * *", end: "0 1-23/2 * * *", timezone: Etc/UTC`,
		`start: "0,30 * * * *", end: "15,45 * * * *", timezone: Etc/UTC`
	const skipped, twice = `start: "30 2 * * *", end: "0 4 * * *", timezone: Europe/Berlin`,
		`start: "0 1 * * *", end: "30 2 * * *", timezone: Europe/Berlin`
	const daily, nightly = `start: "0 8 * * *", end: "0 18 * * *", timezone: America/New_York`,
		`start: "0 22 * * *", end: "0 6 * * *", timezone: Asia/Kolkata`
	for _, c := range []struct {
		name, hours, metric, at string
		active                  bool
	}{
		{"on Thursday", thursdays, "s0-cron-Etc-UTC-00xxThu-5923xxThu", "2026-01-08T00:00:00Z", true},
		{"on Thursday, in the last minute", thursdays, "", "2026-01-08T23:59:00Z", false},
		{"on Friday", thursdays, "", "2026-01-09T12:00:00Z", false},
		{"in an even hour", evenHours, "s0-cron-Etc-UTC-0xSl2xxx-01-23Sl2xxx", "2026-01-08T22:30:00Z", true},
		{"in an odd hour", evenHours, "", "2026-01-08T23:30:00Z", false},
		{"in the third quarter", quarters, "s0-cron-Etc-UTC-0Cm30xxxx-15Cm45xxxx", "2026-01-08T10:44:59Z", true},
		{"in the fourth quarter", quarters, "", "2026-01-08T10:45:00Z", false},
		{"over midnight", nightly, "s0-cron-Asia-Kolkata-022xxx-06xxx", "2026-01-08T20:00:00Z", true},
		{"over midnight, after the end", nightly, "", "2026-01-08T00:30:00Z", false},
		{"in winter, 8:00 is 13:00 UTC", daily, "", "2026-01-08T12:59:59Z", false},
		{"in summer, it is 12:00 UTC", daily, "", "2026-07-08T12:00:00Z", true},
		// On 29 March there is no 2:30 in Berlin. With no start that day, the end at
		// 4:00 is the next instant from 4:00 of the day before: up for a whole day.
		{"a start that is left out, a day before", skipped, "", "2026-03-28T02:59:59Z", true},
		{"and after that day's end", skipped, "", "2026-03-28T03:00:00Z", true},
		{"until the next", skipped, "", "2026-03-29T02:00:00Z", false},
		// On 25 October 2:30 comes twice there. After the first the second is next.
		{"an end that comes twice, the first time", twice, "", "2026-10-25T00:30:00Z", true},
		{"the second time", twice, "", "2026-10-25T01:30:00Z", false},
	} {
		got := &loop(t, `{triggers: [{type: cron, metadata: {desiredReplicas: "10", `+c.hours+`}}]}`).triggers[0]
		now, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		said := got.read(now, nil)
		assert.Equal(t, c.active, said.active, c.name)
		assert.Equal(t, c.active, said.value == 10, c.name)
		if c.metric != "" {
			assert.Equal(t, c.metric, got.metric, c.name)
		}
	}
	const ten, kolkata = `desiredReplicas: "10", `, `timezone: Asia/Kolkata, `
	for name, c := range map[string]struct {
		metadata string
		at       []string // the keys that are refused
	}{
		"ranges":                 {ten + kolkata + `start: "30-33 * * * *", end: "45-50 * * * *"`, nil},
		"nothing":                {``, []string{"start", "end", "timezone", "desiredReplicas"}},
		"no replicas":            {kolkata + `start: "30 * * * *", end: "45 * * * *"`, []string{"desiredReplicas"}},
		"zero replicas":          {kolkata + `desiredReplicas: "0", start: "0 0 * * 6", end: "0 0 * * 0"`, []string{"desiredReplicas"}},
		"no zone":                {ten + `start: "30 * * * *", end: "45 * * * *"`, []string{"timezone"}},
		"a start below 0":        {ten + kolkata + `start: "-30 * * * *", end: "45 * * * *"`, []string{"start"}},
		"an end below 0":         {ten + kolkata + `start: "30 * * * *", end: "-50 * * * *"`, []string{"end"}},
		"a month below 0":        {ten + kolkata + `start: "30 * * * *", end: "50 * * -3 *"`, []string{"end"}},
		"an eighth day of weeks": {ten + kolkata + `start: "0 0 * * 6", end: "0 0 * * 7"`, []string{"end"}},
		"start and end alike":    {ten + kolkata + `start: "30 * * * *", end: "30 * * * *"`, []string{"end"}},
	} {
		err := object(t, `{triggers: [{type: cron, metadata: {`+c.metadata+`}}]}`).Validate()
		var problems messages.Problems
		if len(c.at) > 0 {
			require.ErrorAs(t, err, &problems, name)
		}
		var fields []string
		for _, p := range problems {
			fields = append(fields, strings.TrimPrefix(p.(*messages.Invalid).Field, "spec.triggers[0].metadata."))
		}
		assert.Equal(t, c.at, fields, name)
	}
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
