package scenarios_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - {name: web, resources: {requests: {cpu: 500m, memory: 256Mi}}}
`
	service = `
apiVersion: v1
kind: Service
metadata: {name: web-svc}
spec: {selector: {app: web}, ports: [{port: 80}]}
`
	hpaManifest = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 20
  metrics:
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
`
	elastiManifest = `
apiVersion: elasti.truefoundry.com/v1alpha1
kind: ElastiService
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  service: web-svc
  minTargetReplicas: 1
  cooldownPeriod: 60
  triggers:
    - type: prometheus
      metadata: {serverAddress: "http://prometheus:9090", query: "sum(rate(http_requests_total[1m]))", threshold: "0.5"}
  autoscaler: {type: hpa, name: web}
`
	head = `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: bad}
`
	tail = `traffic: [{name: base, for: 10m, rps: 5}]
`
)

// files opens files from memory.
type files map[string]string

func (f files) open(name string) (io.ReadCloser, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func shop() files {
	return files{
		"k8s/deployment.yaml": deployment,
		"k8s/service.yaml":    service,
		"k8s/hpa.yaml":        hpaManifest,
		"k8s/elasti.yaml":     elastiManifest,
		"k8s/all.yaml":        deployment + "---" + service,
	}
}

func with(f files, name, text string) files {
	f[name] = text
	return f
}

// messagesOf are the problems of a scenario that must be refused.
func messagesOf(t *testing.T, src string, f files, overrides ...string) []string {
	t.Helper()
	_, err := scenarios.Parse("s.yaml", []byte(src), f.open, overrides...)
	var bad *scenarios.Error
	require.ErrorAs(t, err, &bad)
	var lines []string
	for _, p := range bad.Problems {
		lines = append(lines, p.Error())
	}
	assert.Equal(t, strings.Join(lines, "\n"), err.Error())
	return lines
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

const traced = head + `traffic: [{name: base, trace: {file: t.csv, time: t, value: rps}}]
`

// The inputs that everybody gets wrong sooner or later, with what they are told.
func TestTwelveBadInputs(t *testing.T) {
	for name, c := range map[string]struct {
		src   string
		files files
		want  []string
	}{
		"unknown key": {
			src:  head + "sed: 4\n" + tail,
			want: []string{`s.yaml:4:1: sed: found an unknown key, expected one of apiVersion, kind, metadata, kubernetesVersion, seed, start, duration, measure, workload, lifecycle, pipeline, traffic, ... (did you mean "seed"?)`},
		},
		"wrong type": {
			src:  head + "traffic:\n  - {name: base, for: 10m, rps: many}\n",
			want: []string{`s.yaml:5:33: traffic[0].rps: found many, expected a number`},
		},
		"negative duration": {
			src:  head + "duration: -5s\n" + tail,
			want: []string{`s.yaml:4:11: duration: found -5s, expected a duration such as 30s`},
		},
		"missing file": {
			src:  head + "workload: {manifests: [k8s/deploy.yaml]}\n" + tail,
			want: []string{`s.yaml:4:24: workload.manifests[0]: found k8s/deploy.yaml, which does not exist, expected a file of manifests`},
		},
		"HPA with min above max": {
			src:   head + "workload: {manifests: [k8s/deployment.yaml]}\nautoscalers: {hpa: {manifests: [k8s/hpa.yaml]}}\n" + tail,
			files: with(shop(), "k8s/hpa.yaml", strings.Replace(hpaManifest, "maxReplicas: 20", "maxReplicas: 1", 1)),
			want:  []string{`k8s/hpa.yaml:8:16: spec.maxReplicas: found 1, expected at least minReplicas, which is 2`},
		},
		"unknown metric": {
			src: head + "workload: {manifests: [k8s/deployment.yaml]}\nautoscalers: {hpa: {manifests: [k8s/hpa.yaml]}}\n" + tail,
			files: with(shop(), "k8s/hpa.yaml", strings.Replace(hpaManifest, "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}",
				"{type: External, external: {metric: {name: queue_dpeth}, target: {type: Value, value: 5}}}", 1)),
			want: []string{`k8s/hpa.yaml:10:50: spec.metrics[0].external.metric.name: found metric "queue_dpeth", expected one of active_requests, concurrency, concurrent_requests, cpu_cores, cpu_usage, http_requests, http_requests_in_flight, http_requests_per_second, in_flight_requests, inflight_requests, pending_requests, queue_depth, queue_length, queue_size, requests-per-second, requests_per_second, rps; did you mean "queue_depth"?`},
		},
		"trace with a hole": {
			src:   traced,
			files: files{"t.csv": "t,rps\n0,1\n60,2\n120,3\n300,4\n360,4\n"},
			want:  []string{`s.yaml:4:38: traffic[0].trace.file: t.csv:5:1: found a hole between 2m0s and 5m0s, 2 missing bins of 1m0s, expected none; gaps: zero fills it with silence, gaps: previous with the bin before`},
		},
		"timestamps that go back": {
			src:   traced,
			files: files{"t.csv": "t,rps\n0,1\n60,2\n30,3\n"},
			want:  []string{`s.yaml:4:38: traffic[0].trace.file: t.csv:4:1: found 30s after 1m0s, expected a later time than in the row before`},
		},
		"NaN": {
			src:  head + "traffic: [{name: base, for: 10m, rps: .nan}]\n",
			want: []string{`s.yaml:4:39: traffic[0].rps: found .nan, expected a finite decimal number`},
		},
		"NaN in a trace": {
			src:   traced,
			files: files{"t.csv": "t,rps\n0,1\n60,NaN\n120,1\n"},
			want:  []string{`s.yaml:4:38: traffic[0].trace.file: t.csv:3:4: found "NaN", expected a number`},
		},
		"huge number": {
			src:  head + "traffic: [{name: base, for: 10m, rps: 1e300}]\n",
			want: []string{`s.yaml:4:39: traffic[0].rps: found 1e300, expected a number of at most 1e15`},
		},
		"YAML alias bomb": {
			src:  bomb() + head + tail,
			want: []string{`s.yaml:6:10: a5[0]: found aliases that expand to more than 100000 values, expected fewer`},
		},
		"empty file": {
			src:  "",
			want: []string{`s.yaml:1:1: found an empty file, expected a YAML document`},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, messagesOf(t, c.src, c.files)) })
	}
}

func TestAllProblemsAreReportedByLine(t *testing.T) {
	src := `kind: Scenaro
metadata: {name: Bad_Name}
duration: 10
traffic:
  - {name: base, for: 10m, rps: -5, raps: 3}
pipeline: {kubelet: 0s}
workload:
  replicas: 200000
  routing: {policy: randm}
  perPod: {concurrency: 0}
`
	assert.Equal(t, []string{
		`s.yaml:1:1: apiVersion: found nothing, expected scalelab/v1alpha1`,
		`s.yaml:1:7: kind: found Scenaro, expected Scenario (did you mean "Scenario"?)`,
		`s.yaml:2:18: metadata.name: found Bad_Name, expected text that matches ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`,
		`s.yaml:3:11: duration: found 10, expected a duration such as 30s`,
		`s.yaml:5:37: traffic[0].raps: found an unknown key, expected one of name, for, rps, ramp, sine, step, spike, trace, users, arrivals (did you mean "rps"?)`,
		`s.yaml:6:21: pipeline.kubelet: found 0s, expected at least 1ms`,
		`s.yaml:8:13: workload.replicas: found 200000, expected at most 100000`,
		`s.yaml:9:21: workload.routing.policy: found randm, expected one of random, round-robin, least-request, p2c, central-queue (did you mean "random"?)`,
	}, messagesOf(t, src, nil))
}

func TestTheOwnersOfSectionsAreHeard(t *testing.T) {
	for name, c := range map[string]struct{ section, want string }{
		"per pod":          {"workload: {perPod: {concurrency: 0}}", `s.yaml:4:34: workload.perPod.concurrency: found 0, expected 1 to 1000000`},
		"discipline":       {"workload: {perPod: {discipline: lifo}}", `s.yaml:4:33: workload.perPod.discipline: found lifo, expected one of fifo, ps (did you mean "fifo"?)`},
		"cores":            {"workload: {perPod: {discipline: ps, cores: 0}}", `s.yaml:4:44: workload.perPod.cores: found 0, expected at least 0.001`},
		"cores, too many":  {"workload: {perPod: {discipline: ps, cores: 1001}}", `s.yaml:4:44: workload.perPod.cores: found 1001, expected at most 1000`},
		"cores, in words":  {"workload: {perPod: {discipline: ps, cores: 500m}}", `s.yaml:4:44: workload.perPod.cores: found 500m, expected a number`},
		"cores, too fine":  {"workload: {perPod: {discipline: ps, cores: 1.2345}}", `s.yaml:4:44: workload.perPod.cores: found 1.2345, expected at most three decimals`},
		"cores, fifo":      {"workload: {perPod: {cores: 2}}", `s.yaml:4:28: workload.perPod.cores: found 2 with the discipline fifo, expected it with ps only`},
		"warm-up of pods":  {"lifecycle: {warmUp: {for: 30s, slowdown: 0.5}}", `s.yaml:4:42: lifecycle.warmUp.slowdown: found 0.5, expected at least 1`},
		"warm-up, half":    {"lifecycle: {warmUp: {for: 30s}}", `s.yaml:4:21: lifecycle.warmUp.slowdown: found nothing, expected a number`},
		"warm-up, endless": {"lifecycle: {warmUp: {for: 25h, slowdown: 2}}", `s.yaml:4:27: lifecycle.warmUp.for: found 25h0m0s, expected 0s to 24h`},
		"warm-up, fine":    {"lifecycle: {warmUp: {for: 1h, slowdown: 2.00001}}", `s.yaml:4:41: lifecycle.warmUp.slowdown: found 2.00001, expected at most three decimals`},
		"distribution":     {"workload: {perPod: {serviceTime: {dist: lognormal, p50: 2s, p99: 1s}}}", `s.yaml:4:66: workload.perPod.serviceTime.p99: found 1s, expected more than p50 (2s)`},
		"lifecycle":        {"lifecycle: {start: {dist: gamma, mean: 1s}}", `s.yaml:4:20: lifecycle.start.cv: found none, expected it: gamma is given by mean and cv`},
		"grace period":     {"workload: {gracePeriod: 80000h}", `s.yaml:4:25: workload.gracePeriod: found 80000h0m0s, expected 0s to 720h0m0s`},
		"attempts":         {"workload: {retries: {attempts: 0}}", `s.yaml:4:32: workload.retries.attempts: found 0, expected at least 1`},
		"retried fate":     {"workload: {retries: {on: [timeouts]}}", `s.yaml:4:27: workload.retries.on[0]: found timeouts, expected one of timeout, rejected, failed (did you mean "timeout"?)`},
		"retried timeouts": {"workload: {retries: {on: [timeout]}}", `s.yaml:4:26: workload.retries.on: found timeout without perAttemptTimeout, expected both: requestTimeout leaves no time for another attempt`},
		"retried nothing":  {"workload: {retries: {on: []}}", `s.yaml:4:26: workload.retries.on: found an empty list, expected some of timeout, rejected and failed; attempts: 1 means no retries`},
		"attempt too long": {"workload: {requestTimeout: 2s, retries: {perAttemptTimeout: 2s}}", `s.yaml:4:61: workload.retries.perAttemptTimeout: found 2s, expected less than requestTimeout, which is 2s and spans all attempts`},
		"jitter":           {"workload: {retries: {backoff: {jitter: half}}}", `s.yaml:4:40: workload.retries.backoff.jitter: found half, expected one of none, full, equal`},
		"back-off":         {"workload: {retries: {backoff: {initial: 2s}}}", `s.yaml:4:31: workload.retries.backoff.max: found 1s, expected at least initial, which is 2s`},
		"growth":           {"workload: {retries: {backoff: {factor: 0.5}}}", `s.yaml:4:40: workload.retries.backoff.factor: found 0.5, expected at least 1`},
		"half a budget":    {"workload: {retries: {budget: {maxTokens: 10}}}", `s.yaml:4:30: workload.retries.budget.tokenRatio: found nothing, expected a number`},
		"no tokens":        {"workload: {retries: {budget: {maxTokens: 0, tokenRatio: 0.1}}}", `s.yaml:4:42: workload.retries.budget.maxTokens: found 0, expected at least 1`},
		"no token back":    {"workload: {retries: {budget: {maxTokens: 10, tokenRatio: 0}}}", `s.yaml:4:58: workload.retries.budget.tokenRatio: found 0, expected 0.001 to 1000`},
		"on timeout":       {"workload: {onTimeout: kill}", `s.yaml:4:23: workload.onTimeout: found kill, expected one of leave, cancel`},
		"pipeline":         {"pipeline: {metricsServer: 0s}", `s.yaml:4:27: pipeline.metricsServer: found 0s, expected at least 1ms`},
		"phase, in words":  {"pipeline: {phases: {keda: randm}}", `s.yaml:4:27: pipeline.phases.keda: found "randm", expected aligned, random or an offset such as 7s; did you mean "random"?`},
		"phase, unit-less": {"pipeline: {phase: 7}", `s.yaml:4:19: pipeline.phase: found 7, expected aligned, random or an offset such as 7s`},
		"phase, too long":  {"pipeline: {phases: {prometheus: 30s}}", `s.yaml:4:33: pipeline.phases.prometheus: found 30s, expected less than the 30s after which prometheus comes round again`},
		"delay":            {"pipeline: {delay: {kubelet: 2h}}", `s.yaml:4:29: pipeline.delay.kubelet: found 2h0m0s, expected 0s to 1h0m0s`},
		"adapter's cache":  {"pipeline: {adapterCache: 2h}", `s.yaml:4:26: pipeline.adapterCache: found 2h0m0s, expected 0s to 1h0m0s`},
		"noise":            {"pipeline: {noise: {cpu: 5%}}", `s.yaml:4:25: pipeline.noise.cpu: found 5%, expected a number`},
		"noise, too fine":  {"pipeline: {noise: {metrics: 0.0001}}", `s.yaml:4:29: pipeline.noise.metrics: found 0.0001, expected 0, or 0.001 to 10`},
		"hpa controller":   {"controllers: {hpa: {syncPeriod: 0s}}", `s.yaml:4:33: controllers.hpa.syncPeriod: found 0s, expected more than 0s`},
		"elasti":           {"controllers: {elasti: {initialCapacity: 0}}", `s.yaml:4:41: controllers.elasti.initialCapacity: found 0, expected at least 1`},
		"metric source":    {"metrics: {rps: {source: workload.rsp}}", `s.yaml:4:25: metrics.rps.source: found workload.rsp, expected one of workload.rps, workload.queue, workload.concurrency, workload.cpu (did you mean "workload.rps"?)`},
		"metric window":    {"metrics: {rps: {source: workload.rps, window: 0s}}", `s.yaml:4:47: metrics.rps.window: found 0s, expected more than 0s`},
		"warm-up":          {"measure: {from: 10m}", `s.yaml:4:17: measure.from: found 10m, expected less than the duration, which is 10m`},
		"no duration":      {"duration: 0s", `s.yaml:4:11: duration: found 0s, expected more than 0s`},
		"fleet":            {"fleet: {services: 0}", `s.yaml:4:19: fleet.services: found 0, expected at least 1`},
		"fleet of no size": {"fleet: {popularity: {law: zipf, exponent: 1}}", `s.yaml:4:8: fleet.services: found nothing, expected a whole number`},
		"law without size": {"fleet: {services: 3, popularity: {law: zipf}}", `s.yaml:4:34: fleet.popularity.exponent: found none, expected 0 to 10`},
		"other law's size": {"fleet: {services: 3, popularity: {law: lognormal, cv: 1, exponent: 1}}", `s.yaml:4:68: fleet.popularity.exponent: found 1, expected none: lognormal has no exponent`},
		"unknown law":      {"fleet: {services: 3, popularity: {law: zipfian}}", `s.yaml:4:40: fleet.popularity.law: found zipfian, expected one of zipf, lognormal`},
		"price":            {"cost: {podHour: -1}", `s.yaml:4:17: cost.podHour: found -1, expected at least 0`},
		"price left out":   {"cost: {}", `s.yaml:4:7: cost: found no price of a pod, expected podHour, or vcpuHour and gibHour`},
		"two prices":       {"cost: {podHour: 1, vcpuHour: 1, gibHour: 1}", `s.yaml:4:30: cost.vcpuHour: found it beside podHour, expected one of the two`},
		"price and a half": {"cost: {podHour: 1, gibHour: 1}", `s.yaml:4:29: cost.gibHour: found it beside podHour, expected one of the two`},
		"cores alone":      {"cost: {vcpuHour: 1}", `s.yaml:4:7: cost.gibHour: found none beside vcpuHour, expected a number; 0 where memory costs nothing`},
		"memory alone":     {"cost: {gibHour: 1}", `s.yaml:4:7: cost.vcpuHour: found none beside gibHour, expected a number; 0 where a core costs nothing`},
		"no cores":         {"cost: {vcpuHour: 1, gibHour: 0}", `s.yaml:4:18: cost.vcpuHour: found a price, expected requests of cpu in the containers of the Deployment`},
		"no memory":        {"cost: {vcpuHour: 0, gibHour: 1}", `s.yaml:4:30: cost.gibHour: found a price, expected requests of memory in the containers of the Deployment`},
		"a price of what":  {"cost: {podHours: 1}", `s.yaml:4:8: cost.podHours: found an unknown key, expected one of podHour, vcpuHour, gibHour, millionRequests, serverless, lostRequest, lateRequest (did you mean "podHour"?)`},
		"nobody is billed": {"cost: {podHour: 1, serverless: {gibSecond: 0, millionRequests: 1}}", `s.yaml:4:32: cost.serverless: found prices, expected none: no autoscaler is serverless`},
		"requests alone":   {"cost: {podHour: 1, serverless: {millionRequests: 1}}", `s.yaml:4:32: cost.serverless.gibSecond: found nothing, expected a number`},
		"a free gift":      {"cost: {podHour: 1, serverless: {gibSecond: 1, millionRequests: 1, freeRequests: -1}}", `s.yaml:4:81: cost.serverless.freeRequests: found -1, expected at least 0`},
		"never late":       {"cost: {podHour: 1, lateRequest: {after: 30s, price: 1}}", `s.yaml:4:41: cost.lateRequest.after: found 30s, expected less than workload.requestTimeout, which is 30s: what comes later is lost`},
		"always late":      {"cost: {podHour: 1, lateRequest: {after: 0s, price: 1}}", `s.yaml:4:41: cost.lateRequest.after: found 0s, expected more than 0s`},
		"late for free":    {"cost: {podHour: 1, lateRequest: {after: 1s}}", `s.yaml:4:33: cost.lateRequest.price: found nothing, expected a number`},
		"later section":    {"chaos: []", `s.yaml:4:1: chaos: found an unknown key, expected one of apiVersion, kind, metadata, kubernetesVersion, seed, start, duration, measure, workload, lifecycle, pipeline, traffic, ...`},
		"other version":    {`kubernetesVersion: "1.32"`, `s.yaml:4:20: kubernetesVersion: found 1.32, expected one of 1.33, 1.34, 1.35, 1.36, 1.37 (did you mean "1.33"?)`},
		"version, a float": {`kubernetesVersion: 1.37`, `s.yaml:4:20: kubernetesVersion: found 1.37, expected a string such as "1.37"`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, messagesOf(t, head+c.section+"\n"+tail, nil))
		})
	}
}

func TestAFleetHasNoExactTimestamps(t *testing.T) {
	src := head + "fleet: {services: 3}\ntraffic:\n  - {for: 1m, rps: 1}\n  - {trace: {file: t.csv, timestamps: t}}\n"
	assert.Equal(t, []string{"s.yaml:7:39: traffic[1].trace.timestamps: found exact timestamps, which no service of a fleet can have a share of; expected count or value"},
		messagesOf(t, src, files{"t.csv": "t\n1\n2\n"}))
}

func TestTooMuchOfEverything(t *testing.T) {
	phases := head + "traffic:\n" + strings.Repeat("  - {name: p, for: 1s, rps: 1}\n", 1001)
	assert.Equal(t, []string{"s.yaml:5:3: traffic: found 1001 phases, expected at most 1000"}, messagesOf(t, phases, nil))

	var many strings.Builder
	many.WriteString(head + tail + "autoscalers:\n")
	for i := range 1001 {
		fmt.Fprintf(&many, "  f%d: {replicas: 1}\n", i)
	}
	assert.Equal(t, []string{"s.yaml:6:3: autoscalers: found 1001 autoscalers, expected at most 1000"}, messagesOf(t, many.String(), nil))
}

func TestManifestsSay(t *testing.T) {
	workload := head + "workload: {manifests: [m.yaml]}\n" + tail
	for name, c := range map[string]struct{ manifest, want string }{
		"unknown field":     {strings.Replace(deployment, "containers:", "contaners:", 1), `m.yaml:12:7: spec.template.spec.contaners: found an unknown key, expected one of volumes, initContainers, containers, ephemeralContainers, restartPolicy, terminationGracePeriodSeconds, activeDeadlineSeconds, dnsPolicy, nodeSelector, serviceAccountName, serviceAccount, automountServiceAccountToken, ... (did you mean "containers"?)`},
		"wrong type":        {strings.Replace(deployment, "replicas: 3", "replicas: three", 1), `m.yaml:6:13: spec.replicas: found three, expected a whole number`},
		"bad quantity":      {strings.Replace(deployment, "500m", "5cores", 1), `m.yaml:13:51: spec.template.spec.containers[0].resources.requests.cpu: found 5cores, expected a quantity such as 500m or 1Gi`},
		"absurd quantity":   {strings.Replace(deployment, "500m", "1e999999999", 1), `m.yaml:13:51: spec.template.spec.containers[0].resources.requests.cpu: found 1e999999999, expected a quantity such as 500m or 1Gi`},
		"other kind":        {strings.Replace(deployment, "kind: Deployment", "kind: StatefulSet", 1), `m.yaml:3:7: kind: found StatefulSet, expected Deployment or Service`},
		"misspelt kind":     {strings.Replace(deployment, "kind: Deployment", "kind: Deploymnet", 1), `m.yaml:3:7: kind: found Deploymnet, expected Deployment or Service (did you mean "Deployment"?)`},
		"no kind":           {"a: 1\n", `m.yaml:1:1: kind: found nothing, expected Deployment or Service`},
		"old version":       {strings.Replace(deployment, "apps/v1", "extensions/v1beta1", 1), `m.yaml:2:13: apiVersion: found extensions/v1beta1, expected apps/v1 for the kind Deployment`},
		"no version":        {"kind: Service\n", `m.yaml:1:1: apiVersion: found nothing, expected v1 or serving.knative.dev/v1 for the kind Service`},
		"a scalar":          {"hello\n", `m.yaml:1:1: found hello, expected a manifest`},
		"broken syntax":     {"a: [1\n", `m.yaml:2:1: found broken syntax, expected valid YAML: did not find expected ',' or ']'`},
		"an empty file":     {"", `s.yaml:4:24: workload.manifests[0]: found m.yaml, which is empty, expected a file of manifests`},
		"two Deployments":   {deployment + "---" + deployment, `m.yaml:16:7: kind: found a second Deployment, expected one`},
		"two Services":      {service + "---" + service, `m.yaml:8:7: kind: found a second Service, expected one`},
		"no name":           {strings.Replace(deployment, "{name: web}", "{}", 1), `m.yaml:4:11: metadata.name: found nothing, expected a name such as checkout-v2`},
		"no containers":     {deployment[:strings.Index(deployment, "      containers")], `m.yaml:11:7: spec.template.spec.containers: found nothing, expected at least one container`},
		"no selector":       {strings.Replace(deployment, "  selector: {matchLabels: {app: web}}\n", "", 1), `m.yaml:6:3: spec.selector: found nothing, expected matchLabels that match the labels of the pods`},
		"selector, invalid": {strings.Replace(deployment, "{matchLabels: {app: web}}", "{matchExpressions: [{key: a, operator: Like}]}", 1), `m.yaml:7:13: spec.selector: "Like" is not a valid label selector operator, expected a valid selector`},
		"selector mismatch": {strings.Replace(deployment, "{matchLabels: {app: web}}", "{matchLabels: {app: api}}", 1), `m.yaml:7:13: spec.selector: found app=api, expected a match for the labels of the pods, which are app=web`},
		"negative grace":    {strings.Replace(deployment, "Seconds: 45", "Seconds: -45", 1), `m.yaml:11:38: spec.template.spec.terminationGracePeriodSeconds: found -1s, expected 0s to 720h0m0s`},
		"absurd replicas":   {strings.Replace(deployment, "replicas: 3", "replicas: 2000000", 1), `m.yaml:6:13: spec.replicas: found 2000000, expected 0 to 100000`},
		"other Service":     {deployment + "---" + strings.Replace(service, "{app: web}", "{app: api}", 1), `s.yaml:4:23: workload.manifests: found Service web-svc with the selector app=api, expected a match for the labels of the pods, which are app=web`},
		"other namespace":   {deployment + "---" + strings.Replace(service, "{name: web-svc}", "{name: web-svc, namespace: shop}", 1), `s.yaml:4:23: workload.manifests: found Service web-svc in namespace shop, expected default as the Deployment`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, messagesOf(t, workload, files{"m.yaml": c.manifest}))
		})
	}
}

func TestOldControlPlanesDropResourcesOfThePod(t *testing.T) {
	old := head + "kubernetesVersion: \"1.33\"\nworkload: {manifests: [m.yaml]}\n" + tail
	pod := strings.Replace(deployment, "      containers:", "      resources: {requests: {cpu: 1}}\n      containers:", 1)
	assert.Equal(t, []string{`m.yaml:12:18: spec.template.spec.resources: found resources of the whole pod, expected them in its containers: Kubernetes 1.33 drops the field`},
		messagesOf(t, old, files{"m.yaml": pod}))
}

func TestManifestListsSay(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"a path alone":   {"m.yaml", "s.yaml:4:23: workload.manifests: found m.yaml, expected a list of files and manifests"},
		"an empty list":  {"[]", "s.yaml:4:23: workload.manifests: found an empty list, expected a list of files and manifests"},
		"a list of list": {"[[]]", "s.yaml:4:24: workload.manifests[0]: found a list, expected a file or a manifest"},
		"nothing":        {"", "s.yaml:4:23: workload.manifests: found nothing, expected a list of files and manifests"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, messagesOf(t, head+"workload: {manifests: "+c.list+"}\n"+tail, nil))
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	src := []byte(head + "workload: {manifests: [m.yaml]}\n" + tail)
	_, err := scenarios.Parse("s.yaml", src, func(string) (io.ReadCloser, error) { return nil, errors.New("locked") })
	assert.EqualError(t, err, "s.yaml:4:24: workload.manifests[0]: found m.yaml, which cannot be opened (locked), expected a file of manifests")
	_, err = scenarios.Parse("s.yaml", src, func(string) (io.ReadCloser, error) { return io.NopCloser(torn{}), nil })
	assert.EqualError(t, err, "s.yaml:4:24: workload.manifests[0]: found m.yaml, which cannot be read (torn), expected a file of manifests")
}

type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, errors.New("torn") }

// How long a control loop's period is depends on who scales: an offset is held
// against all of them.
func TestOffsetsOfControlLoops(t *testing.T) {
	hpa := "workload: {manifests: [k8s/deployment.yaml]}\nautoscalers: {hpa: {manifests: [k8s/hpa.yaml]}, other: {extends: hpa, patch: {spec: {maxReplicas: 7}}}}\n"
	for name, c := range map[string]struct {
		pipeline, rest string
		want           []string
	}{
		"of the HPA":            {"phases: {hpa: 15s}", hpa, []string{`s.yaml:4:26: pipeline.phases.hpa: found 15s, expected less than the 15s after which hpa comes round again`}},
		"with another period":   {"phases: {hpa: 15s}", hpa + "controllers: {hpa: {syncPeriod: 20s}}\n", nil},
		"of nobody":             {"phases: {keda: 10m, hpa: 14s}", hpa, nil},
		"of all, for Knative":   {"phase: 7s", "autoscalers: {knative: {annotations: {autoscaling.knative.dev/target: \"8\"}}}\n", []string{`s.yaml:4:19: pipeline.phase: found 7s, expected less than the 2s after which knative comes round again`}},
		"of all but one":        {"phase: 7s, phases: {knative: 1s}", "autoscalers: {knative: {annotations: {autoscaling.knative.dev/target: \"8\"}}}\n", nil},
		"of everything, random": {"phase: random", hpa, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenarios.Parse("s.yaml", []byte(head+"pipeline: {"+c.pipeline+"}\n"+c.rest+tail), shop().open)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, strings.Join(c.want, "\n"))
		})
	}
}
