package bench_test

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

const published = "testdata/published"

// publishedCase is a ScaledObject as its author published it, but for comments, in a
// file of its own, the world it is put into, and what comes of it.
type publishedCase struct {
	what     string
	file     string
	workload string // namespace/name that the file is about
	replicas int
	consumes string // of the workload; "": it gets requests
	service  string // time of one
	start    string // with the zone in which changes are written
	traffic  string
	patch    string // for the metadata of a trigger kafka; "": none
	changes  string // of the count: when, by whom, from, to
	lost     uint64
	problem  string // what the file is refused for
}

var publishedCases = []publishedCase{
	{what: "Ten by day. The HPA takes three syncs to get there, and the way down is KEDA's: five minutes after the last active poll all ten are gone at once.",
		file: "docs-cron.yaml", workload: "default/my-deployment", start: "2026-01-05T05:50:00+05:30", traffic: "{for: 14h30m, rps: 0}",
		changes: "06:00:00 keda 0-1, 06:00:15 hpa 1-4, 06:00:30 hpa 4-8, 06:00:45 hpa 8-10, 20:04:30 keda 10-0"},
	{what: "One to three by day, as the CPU wants. It has no say at night: what still comes is lost.",
		file: "docs-cron-cpu.yaml", workload: "default/my-deployment", start: "2026-01-05T05:50:00+05:30", traffic: "{for: 13h, rps: 2}, {for: 90m, rps: 90}",
		changes: "06:00:00 keda 0-1, 18:50:15 hpa 1-2, 18:50:45 hpa 2-3, 20:04:30 keda 3-0", lost: 85992},
	{what: "Eight partitions, so no more than eight consumers, whatever the lag.",
		file: "docs-kafka.yaml", workload: "default/azure-functions-deployment", consumes: "{partitions: 8}", start: "2026-01-05T00:00:00Z", traffic: "{for: 10m, rps: 200}, {for: 5m, rps: 0}",
		changes: "00:00:00 keda 0-1, 00:00:15 hpa 1-4, 00:00:30 hpa 4-8, 00:06:30 hpa 8-1, 00:06:45 hpa 1-4, 00:07:00 hpa 4-8, 00:13:00 hpa 8-1"},
	{what: "Nor more than partitions with a lag, if told so.",
		file: "docs-kafka.yaml", workload: "default/azure-functions-deployment", consumes: "{partitions: 8}", start: "2026-01-05T00:00:00Z", traffic: "{for: 10m, rps: 200}, {for: 5m, rps: 0}",
		patch:   `limitToPartitionsWithLag: "true", partitionLimitation: "0-2"`,
		changes: "00:00:00 keda 0-1, 00:00:15 hpa 1-3"},
	{what: "Work that takes ten minutes.",
		file: "docs-kafka.yaml", workload: "default/azure-functions-deployment", consumes: "{partitions: 8}", service: "10m", start: "2026-01-05T00:00:00Z", traffic: "{for: 1m, rps: 10}, {for: 9m, rps: 0}",
		changes: "00:00:30 keda 0-1, 00:00:45 hpa 1-4, 00:01:00 hpa 4-8"},
	{what: "No offset moves meanwhile, so that work is taken for messages that cannot be processed.",
		file: "docs-kafka.yaml", workload: "default/azure-functions-deployment", consumes: "{partitions: 8}", service: "10m", start: "2026-01-05T00:00:00Z", traffic: "{for: 1m, rps: 10}, {for: 9m, rps: 0}",
		patch:   `excludePersistentLag: "true"`,
		changes: "00:00:30 keda 0-1"},
	{what: "Over AMQP only what waits is counted. Once 58 pods take everything at once, no poll sees any activity, and the cooldown takes them all.",
		file: "docs-rabbitmq.yaml", workload: "default/rabbitmq-deployment", consumes: "{}", start: "2026-01-05T00:00:00Z", traffic: "{for: 10m, rps: 100}, {for: 20m, rps: 0}",
		changes: "00:00:00 keda 0-1, 00:00:15 hpa 1-4, 00:00:30 hpa 4-8, 00:00:45 hpa 8-16, 00:01:00 hpa 16-32, 00:01:15 hpa 32-58, 00:05:30 hpa 58-44, 00:05:30 keda 44-0, " +
			"00:06:00 keda 0-1, 00:06:15 hpa 1-4, 00:06:30 hpa 4-8, 00:06:45 hpa 8-16, 00:07:00 hpa 16-32, 00:07:15 hpa 32-64, 00:07:30 hpa 64-100, 00:11:30 keda 100-0"},
	{what: "A scrape of pods gives no label deployment. The query finds nothing, which counts as 0.",
		file: "docs-prometheus.yaml", workload: "default/my-deployment", replicas: 2, start: "2026-01-05T00:00:00Z", traffic: "{for: 10m, rps: 50}",
		changes: "00:00:00 keda 2-0", lost: 30392},
	{what: "An idle count of 0 is outside of the hours what a minimum of 0 is. Its author expected the minimum of 1.",
		file: "issue-5620.yaml", workload: "default/nginx-deployment", replicas: 2, start: "2026-01-05T16:40:00+01:00", traffic: "{for: 30m, rps: 30}",
		changes: "16:40:00 keda 2-0, 16:45:00 keda 0-1, 16:45:15 hpa 1-4, 16:45:30 hpa 4-8, 16:45:45 hpa 8-10, 16:59:30 keda 10-0", lost: 28590},
	{what: "A trigger on CPU beside another does not keep a workload from zero any more, as was asked for.",
		file: "issue-4269.yaml", workload: "default/app", replicas: 2, start: "2026-01-05T20:50:00+07:00", traffic: "{for: 20m, rps: 5}",
		changes: "21:04:30 keda 2-0", lost: 1680},
	{what: "It scales to ten where the HPA gets its metric. The 1 of the report is as much as KEDA's own loop does.",
		file: "issue-7095.yaml", workload: "rahulpai/nginx-deployment", replicas: 1, start: "2026-01-05T20:25:00+05:30", traffic: "{for: 20m, rps: 0}",
		changes: "20:25:00 keda 1-0, 20:30:00 keda 0-1, 20:30:15 hpa 1-4, 20:30:30 hpa 4-8, 20:30:45 hpa 8-10, 20:39:30 keda 10-0"},
	{what: "Ten minutes after the end, by the HPA's window. The cooldown beside it does nothing.",
		file: "issue-1941.yaml", workload: "default/myapp", replicas: 3, start: "2026-01-05T12:20:00-03:00", traffic: "{for: 40m, rps: 1}",
		changes: "12:25:00 hpa 3-7, 12:25:15 hpa 7-10, 12:44:45 hpa 10-3"},
	{what: "Five minutes after the end, and not half a minute: the cooldown is not for the way from three to two.",
		file: "issue-5688.yaml", workload: "default/mywebapp-new", replicas: 2, start: "2026-01-05T07:05:00-05:00", traffic: "{for: 40m, rps: 1}",
		changes: "07:10:00 hpa 2-3, 07:35:00 hpa 3-2"},
	{what: "KEDA refuses a cron trigger that wants none, and there is no eighth day of the week.",
		file: "issue-3956.yaml", workload: "default/nginx-deployment", start: "2026-01-05T00:00:00Z", traffic: "{for: 40m, rps: 1}",
		problem: "issue-3956.yaml:15:12: spec.triggers[0].metadata.end: found \"0 0 * * 7\", expected five cron fields (minute hour day month weekday): end of range (7) above maximum (6): 7\n" +
			"issue-3956.yaml:16:24: spec.triggers[0].metadata.desiredReplicas: found \"0\", expected a number of pods in quotes, such as \"5\""},
}

// TestPublishedScaledObjects runs ScaledObjects of KEDA's documentation and of issues
// as they stand there.
func TestPublishedScaledObjects(t *testing.T) {
	files := map[string]bool{}
	for _, c := range publishedCases {
		files[c.file] = true
		t.Run(c.file+": "+c.what, func(t *testing.T) {
			t.Parallel()
			s, err := c.scenario()
			if c.problem != "" {
				assert.EqualError(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			names := s.AutoscalerNames()
			r := run(t, s, names[len(names)-1], "direct")
			assert.Equal(t, c.changes, changes(t, r, c.start))
			assert.Equal(t, c.lost, r.Requests.Lost())
		})
	}
	there, err := os.ReadDir(published)
	require.NoError(t, err)
	assert.Len(t, there, len(files), "a file without a case")
}

func (c publishedCase) scenario() (*scenarios.Scenario, error) {
	namespace, name, _ := strings.Cut(c.workload, "/")
	workload := fmt.Sprintf(`  manifests:
    - apiVersion: apps/v1
      kind: Deployment
      metadata: {name: %s, namespace: %s}
      spec:
        replicas: %d
        selector: {matchLabels: {app: a}}
        template:
          metadata: {labels: {app: a}}
          spec: {containers: [{name: a, image: example.com/a:1, resources: {requests: {cpu: 500m}}}]}
  perPod: {concurrency: 4, serviceTime: %s}
`, name, namespace, c.replicas, cmp.Or(c.service, "{dist: exponential, mean: 100ms}"))
	if c.consumes != "" {
		workload += "  consumes: " + c.consumes + "\n"
	}
	strategies := "  keda: {manifests: [" + c.file + "]}\n"
	if c.patch != "" {
		strategies += "  patched: {extends: keda, patch: {spec: {triggers: [{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, topic: t, lagThreshold: '50', " + c.patch + "}}]}}}\n"
	}
	text := "apiVersion: scalelab/v1alpha1\nkind: Scenario\nmetadata: {name: published}\nseed: 1\nstart: " + c.start +
		"\nlifecycle: {start: 5s}\nworkload:\n" + workload + "traffic: [" + c.traffic + "]\nautoscalers:\n" + strategies
	return scenarios.Parse("published", []byte(text), scenarios.Files(published))
}

// changes are a run's, one a line, by the clock of start's zone.
func changes(t *testing.T, r *sim.Result, start string) string {
	t.Helper()
	begin, err := time.Parse(time.RFC3339, start)
	require.NoError(t, err)
	var lines []string
	for _, d := range r.Decisions {
		if d.Desired != d.Current {
			at := begin.Add(time.Duration(d.TS * float64(time.Second)))
			lines = append(lines, fmt.Sprintf("%s %s %d-%d", at.Format(time.TimeOnly), d.Autoscaler, d.Current, d.Desired))
		}
	}
	return strings.Join(lines, ", ")
}
