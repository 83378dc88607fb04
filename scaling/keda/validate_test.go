package keda

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"
)

func problems(t *testing.T, o *ScaledObject) string {
	t.Helper()
	err := o.Validate()
	if err == nil {
		return ""
	}
	var all messages.Problems
	require.True(t, errors.As(err, &all))
	for _, p := range all {
		var invalid *messages.Invalid
		require.True(t, errors.As(p, &invalid))
	}
	return err.Error()
}

func TestInvalidSpecs(t *testing.T) {
	const one = `, triggers: [` + rateTrigger + `]}`
	for name, c := range map[string]struct{ spec, want string }{
		"no triggers":                {`{}`, "spec.triggers: found none, expected at least one"},
		"a polling interval of 0":    {`{pollingInterval: 0` + one, "spec.pollingInterval: found 0, expected at least 1"},
		"a negative cooldown":        {`{cooldownPeriod: -1` + one, "spec.cooldownPeriod: found -1, expected at least 0"},
		"a negative initial one":     {`{initialCooldownPeriod: -1` + one, "spec.initialCooldownPeriod: found -1, expected at least 0"},
		"a negative minimum":         {`{minReplicaCount: -1` + one, "spec.minReplicaCount: found -1, expected at least 0"},
		"a maximum of 0":             {`{maxReplicaCount: 0` + one, "spec.maxReplicaCount: found 0, expected at least 1"},
		"a minimum above the most":   {`{minReplicaCount: 101` + one, "spec.minReplicaCount: found 101, expected at most maxReplicaCount, which is 100"},
		"an idle count alone":        {`{idleReplicaCount: 0` + one, "spec.idleReplicaCount: found 0, expected less than minReplicaCount, which is 0"},
		"idle at a minimum of 0":     {`{idleReplicaCount: 0, minReplicaCount: 0` + one, ""}, // as upstream's webhook has it
		"idle at the minimum":        {`{idleReplicaCount: 2, minReplicaCount: 2` + one, "spec.idleReplicaCount: found 2, expected less than minReplicaCount, which is 2"},
		"a negative threshold":       {`{fallback: {failureThreshold: -1, replicas: 1}` + one, "spec.fallback.failureThreshold: found -1, expected at least 0"},
		"a fallback below 0":         {`{fallback: {failureThreshold: 1, replicas: -1}` + one, "spec.fallback.replicas: found -1, expected at least 0"},
		"an unknown behavior":        {`{fallback: {failureThreshold: 1, replicas: 1, behavior: currentReplica}` + one, `spec.fallback.behavior: found "currentReplica", expected one of static, currentReplicas, currentReplicasIfHigher, currentReplicasIfLower, scalingModifiers; did you mean "currentReplicas"?`},
		"one without its formula":    {`{fallback: {failureThreshold: 1, replicas: 1, behavior: scalingModifiers}` + one, "spec.fallback.behavior: found scalingModifiers, expected a formula in spec.advanced.scalingModifiers beside it"},
		"a fallback for CPU":         {`{minReplicaCount: 1, fallback: {failureThreshold: 1, replicas: 1}, triggers: [` + cpuTrigger + `]}`, "spec.fallback: found one, expected a trigger beside cpu and memory, which have no fallback"},
		"CPU to zero":                {`{triggers: [` + cpuTrigger + `]}`, "spec.minReplicaCount: found 0, expected at least 1: with triggers cpu and memory alone nothing would scale from zero"},
		"two triggers of a name":     {`{triggers: [` + rateTrigger + `, ` + rateTrigger + `]}`, `spec.triggers[1].name: found "rate", the name of another trigger, expected one of its own`},
		"cached metrics of a clock":  {`{triggers: [{type: cron, useCachedMetrics: true, metadata: {timezone: UTC, start: "0 8 * * *", end: "0 9 * * *", desiredReplicas: "1"}}]}`, "spec.triggers[0].useCachedMetrics: found true, expected false for a trigger of the type cron"},
		"authentication of a kind":   {`{triggers: [{type: redis, metadata: {listName: l}, authenticationRef: {kind: Secret, name: s}}]}`, `spec.triggers[0].authenticationRef.kind: found "Secret", expected TriggerAuthentication or ClusterTriggerAuthentication`},
		"authentication by nobody":   {`{triggers: [{type: redis, metadata: {listName: l}, authenticationRef: {kind: TriggerAuthentication}}]}`, `spec.triggers[0].authenticationRef.name: found none, expected the name of a TriggerAuthentication`},
		"an unknown trigger":         {`{triggers: [{type: promethus, metadata: {}}]}`, `spec.triggers[0].type: found "promethus", expected one of aws-sqs-queue, cpu, cron, external-push, kafka, memory, prometheus, rabbitmq, redis; did you mean "prometheus"?`},
		"one that is not simulated":  {`{triggers: [{type: azure-servicebus, metadata: {}}]}`, `spec.triggers[0].type: found "azure-servicebus", expected one of aws-sqs-queue, cpu, cron, external-push, kafka, memory, prometheus, rabbitmq, redis`},
		"modifiers without anything": {`{advanced: {scalingModifiers: {metricType: Value}}` + one, "spec.advanced.scalingModifiers.formula: found none, expected an expression over the names of triggers\nspec.advanced.scalingModifiers.target: found \"\", expected a number above 0 in quotes"},
		"a formula with a stranger":  {`{advanced: {scalingModifiers: {formula: rate + other, target: "1"}}` + one, "spec.advanced.scalingModifiers.formula: unknown name other (1:14)"},
		"with the time of day":       {`{advanced: {scalingModifiers: {formula: now().Hour(), target: "1"}}` + one, "spec.advanced.scalingModifiers.formula: unknown name now (1:7)"},
		"that fails":                 {`{advanced: {scalingModifiers: {formula: "[1][2] + rate", target: "1"}}` + one, "spec.advanced.scalingModifiers.formula: index out of range: 2 (array length is 1) (1:10)"},
		"and other numbers":          {`{advanced: {scalingModifiers: {formula: rate, target: "-1", activationTarget: x, metricType: Utilization}}` + one, "spec.advanced.scalingModifiers.target: found \"-1\", expected a number above 0 in quotes\nspec.advanced.scalingModifiers.activationTarget: found \"x\", expected a number in quotes\nspec.advanced.scalingModifiers.metricType: found \"Utilization\", expected AverageValue or Value"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, problems(t, object(t, c.spec))) })
	}
}

func TestInvalidMetadata(t *testing.T) {
	good := func() *ScaledObject { return object(t, `{triggers: [`+rateTrigger+`]}`) }
	for name, c := range map[string]struct {
		change func(*ScaledObject)
		want   string
	}{
		"another API":          {func(o *ScaledObject) { o.APIVersion, o.Kind = "v1", "Job" }, "apiVersion: found \"v1\", expected keda.sh/v1alpha1\nkind: found \"Job\", expected ScaledObject"},
		"no name":              {func(o *ScaledObject) { o.Name = "" }, "metadata.name: found none, expected a name"},
		"a name too long":      {func(o *ScaledObject) { o.Name = strings.Repeat("a", 64) }, "metadata.name: found 64 characters, expected at most 63: it becomes a label"},
		"too long for the HPA": {func(o *ScaledObject) { o.Name = strings.Repeat("a", 55) }, "metadata.name: found one of which the HPA gets the name keda-hpa-" + strings.Repeat("a", 55) + " of 64 characters, expected at most 63, or a shorter spec.advanced.horizontalPodAutoscalerConfig.name"},
		"with a name of its own": {func(o *ScaledObject) {
			o.Name = strings.Repeat("a", 55)
			o.Spec.Advanced = &AdvancedConfig{HorizontalPodAutoscalerConfig: &HPAConfig{Name: "h"}}
		}, ""},
		"no target":            {func(o *ScaledObject) { o.Spec.ScaleTargetRef.Name = "" }, "spec.scaleTargetRef.name: found none, expected the name of the workload"},
		"paused at some count": {func(o *ScaledObject) { o.Annotations = map[string]string{pausedReplicasAnnotation: "few"} }, "metadata.annotations[autoscaling.keda.sh/paused-replicas]: found \"few\", expected a whole number in quotes"},
		"paused below zero":    {func(o *ScaledObject) { o.Annotations = map[string]string{pausedReplicasAnnotation: "-1"} }, "metadata.annotations[autoscaling.keda.sh/paused-replicas]: found -1, expected at least 0"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good()
			c.change(o)
			assert.Equal(t, c.want, problems(t, o))
		})
	}
}

func TestInvalidTriggers(t *testing.T) {
	for name, c := range map[string]struct{ trigger, want string }{
		"an empty query":       {`{type: prometheus, metadata: {}}`, "metadata.serverAddress: found none, expected the address of a Prometheus server\nmetadata.query: found none, expected a PromQL query\nmetadata.threshold: found none, expected a number in quotes, such as \"0.5\""},
		"no number":            {`{type: prometheus, metadata: {serverAddress: p, query: q, threshold: "1", activationThreshold: many, ignoreNullValues: perhaps}}`, "metadata.activationThreshold: found \"many\", expected a number in quotes, such as \"0.5\"\nmetadata.ignoreNullValues: found \"perhaps\", expected \"true\" or \"false\""},
		"null":                 {`{type: prometheus, metadata: {serverAddress: p, query: q, threshold: "null"}}`, "metadata.threshold: found \"null\", expected a number in quotes, such as \"0.5\"\nmetadata.threshold: found 0, expected more than 0, as the HPA does"},
		"a target of 0":        {`{type: prometheus, metadata: {serverAddress: p, query: q, threshold: "0.0004"}}`, "metadata.threshold: found 0, expected more than 0, as the HPA does"},
		"a utilization":        {`{type: redis, metricType: Utilization, metadata: {listName: l, address: a}}`, `metricType: found "Utilization", expected AverageValue or Value`},
		"a misspelt setting":   {`{type: prometheus, metadata: {serverAddress: p, query: q, threshold: "1", activationTreshold: "5", metricName: old, authModesFromEnv: x}}`, `metadata.activationTreshold: found it, which KEDA passes over; did you mean "activationThreshold"?`},
		"no window":            {`{type: cron, metadata: {}}`, "metadata.start: found none, expected five cron fields\nmetadata.end: found none, expected five cron fields\nmetadata.timezone: found none, expected a name such as Europe/Berlin\nmetadata.desiredReplicas: found \"\", expected a number of pods in quotes, such as \"5\""},
		"a strange window":     {`{type: cron, metadata: {timezone: Mars, start: "0 8 * *", end: "0 9 * * *", desiredReplicas: "0"}}`, "metadata.desiredReplicas: found \"0\", expected a number of pods in quotes, such as \"5\"\nmetadata.start: found \"0 8 * *\", expected five cron fields (minute hour day month weekday): expected exactly 5 fields, found 4: [0 8 * *]\nmetadata.timezone: found \"Mars\", expected a name such as Europe/Berlin: unknown time zone Mars"},
		"CPU of the old kind":  {`{type: cpu, metadata: {type: Utilization, value: "70"}}`, "metadata.type: found it, expected metricType beside the metadata: KEDA has dropped it\nmetricType: found \"\", expected Utilization or AverageValue"},
		"CPU of nothing":       {`{type: cpu, metricType: Utilization, metadata: {}}`, "metadata.value: found none, expected a target, such as \"50\""},
		"a strange percentage": {`{type: cpu, metricType: Utilization, metadata: {value: 70%}}`, "metadata.value: found \"70%\", expected a whole percentage above 0"},
		"a strange quantity":   {`{type: cpu, metricType: AverageValue, metadata: {value: many}}`, "metadata.value: found \"many\", expected a quantity above 0, such as 500m"},
		"Kafka nowhere":        {`{type: kafka, metadata: {}}`, "metadata.bootstrapServers: found none, expected the addresses of brokers\nmetadata.consumerGroup: found none, expected a consumer group\nmetadata.topic: found none, expected a topic: it gives the metric its name"},
		"Kafka's partitions": {`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, topic: t, activationLagThreshold: "-1", offsetResetPolicy: last, limitToPartitionsWithLag: "true", allowIdleConsumers: "true", ensureEvenDistributionOfPartitions: "true", partitionLimitation: 1-2-3}}`,
			"metadata.activationLagThreshold: found -1, expected at least 0\nmetadata.offsetResetPolicy: found \"last\", expected one of latest, earliest; did you mean \"latest\"?\n" +
				"metadata.limitToPartitionsWithLag: found true, expected false beside allowIdleConsumers\n" +
				"metadata.partitionLimitation: found \"1-2-3\", expected numbers of partitions, such as \"1,2,10-20\""},
		"Kafka's partitions in words": {`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, topic: t, partitionLimitation: "1,all"}}`, "metadata.partitionLimitation: found \"1,all\", expected numbers of partitions, such as \"1,2,10-20\""},
		"Kafka's evenness of lags":    {`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, topic: t, limitToPartitionsWithLag: "true", ensureEvenDistributionOfPartitions: "true"}}`, "metadata.limitToPartitionsWithLag: found true, expected false beside ensureEvenDistributionOfPartitions"},
		"Kafka's lags":                {`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, limitToPartitionsWithLag: "true", partitionLimitation: all}}`, "metadata.topic: found none, expected a topic beside limitToPartitionsWithLag"},
		"Kafka's evenness":            {`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, ensureEvenDistributionOfPartitions: "true"}}`, "metadata.topic: found none, expected a topic beside ensureEvenDistributionOfPartitions"},
		"RabbitMQ's rates":            {`{type: rabbitmq, metadata: {queueName: q, host: "http://r", mode: MessageRate, value: "1"}}`, `metadata.mode: found "MessageRate", expected QueueLength: rates of messages are not simulated`},
		"RabbitMQ's spellings":        {`{type: rabbitmq, metadata: {queueName: q, host: "amqp://r", mode: QueueLength, queueLength: "5"}}`, "metadata.queueLength: found it beside mode or value, expected mode and value alone"},
		"no mode":                     {`{type: rabbitmq, metadata: {queueName: q, host: "amqp://r", value: "5"}}`, "metadata.mode: found none, expected QueueLength beside a value"},
		"no value":                    {`{type: rabbitmq, metadata: {queueName: q, host: "amqp://r", mode: QueueLength}}`, "metadata.value: found none, expected a number in quotes beside the mode"},
		"a strange host":              {`{type: rabbitmq, metadata: {queueName: q, host: "r:5672"}}`, `metadata.host: found "r:5672", expected a URL that begins with amqp:// or http://`},
		"what takes HTTP":             {`{type: rabbitmq, metadata: {queueName: q, host: "amqps://r", excludeUnacknowledged: "true", useRegex: "true"}}`, "metadata.excludeUnacknowledged: found true, expected false: it takes the protocol http\nmetadata.useRegex: found true, expected false: there is one queue"},
		"Redis nowhere":               {`{type: redis, metadata: {listName: l, listLength: "-5", databaseIndex: "x"}}`, "metadata.address: found none, expected the address of a server\nmetadata.databaseIndex: found \"x\", expected a whole number in quotes, such as \"5\"\nmetadata.listLength: found -5, expected more than 0, as the HPA does"},
		"SQS without a queue":         {`{type: aws-sqs-queue, metadata: {queueURL: "https://sqs/123"}}`, "metadata.queueURL: found \"https://sqs/123\", expected a URL whose path is an account and a queue\nmetadata.awsRegion: found none, expected a region"},
		"a push of nothing":           {`{type: external-push, metadata: {}}`, "metadata.scalerAddress: found none, expected the address of a scaler\nmetadata.targetSize: found none, expected the target that the scaler would answer with, such as \"5\""},
	} {
		t.Run(name, func(t *testing.T) {
			o := object(t, `{minReplicaCount: 1, triggers: [`+c.trigger+`]}`)
			assert.Equal(t, c.want, strings.ReplaceAll(problems(t, o), "spec.triggers[0].", ""))
		})
	}
}

// FuzzScaledObject holds to that nothing written can make it panic: what is valid
// can be polled and has an HPA.
func FuzzScaledObject(f *testing.F) {
	for _, trigger := range []string{rateTrigger, listTrigger, cpuTrigger} {
		text, err := yaml.YAMLToJSON([]byte(`{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: w}, spec: {minReplicaCount: 1, scaleTargetRef: {name: w}, fallback: {failureThreshold: 1, replicas: 3}, advanced: {scalingModifiers: {formula: "rate ?? 3", target: "1"}}, triggers: [` + trigger + `]}}`))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o := &ScaledObject{}
		if yaml.Unmarshal(text, o) != nil {
			return
		}
		a, err := New(Spec{Manifest: o}, created)
		if err != nil {
			return
		}
		answers := make([]messages.Metric, len(a.Queries()))
		for i := range answers {
			answers[i] = []messages.Metric{value(3), broken("x"), empty}[i%3]
		}
		poll(t, a, 0.5, 1, answers...)
		if h, err := a.Horizontal(); err == nil && h != nil {
			ask(t, h, 1, 1, make([]messages.Metric, len(h.Queries()))...)
		}
	})
}
