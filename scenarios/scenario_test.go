package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const full = `
apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: shop, description: everything at once}
kubernetesVersion: "1.37"
seed: 42
start: 2026-02-01T00:00:00Z
duration: 1h
measure: {from: 5m}
workload:
  manifests: [k8s/all.yaml]
  perPod: {concurrency: 8, serviceTime: {dist: lognormal, p50: 40ms, p99: 180ms}}
  routing: {policy: p2c}
  requestTimeout: 10s
  onTimeout: cancel
  retries: {attempts: 3, on: [timeout], perAttemptTimeout: 2s, backoff: {jitter: equal}, budget: {maxTokens: 10, tokenRatio: 0.1}}
lifecycle: {schedule: 1s}
pipeline: {kubelet: 5s}
traffic:
  - {name: base, for: 30m, rps: 80, arrivals: uniform}
  - {name: replay, for: 20m, trace: {file: t.csv, time: t, count: n}}
metrics:
  jobs: {source: workload.queue}
autoscalers:
  fast: {extends: hpa, patch: {spec: {minReplicas: 5}}}
  hpa: {manifests: [k8s/hpa.yaml]}
  both: {manifests: [k8s/hpa.yaml, k8s/elasti.yaml]}
  lazy: {extends: both, patch: {kind: ElastiService, spec: {cooldownPeriod: 300}}}
  fixed: {replicas: 20}
controllers: {hpa: {tolerance: 0.05}}
cost: {podHour: 0.04}
`

func parse(t *testing.T, src string, f files, overrides ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse("s.yaml", []byte(src), f.open, overrides...)
	require.NoError(t, err)
	return s
}

func fullShop() files { return with(shop(), "t.csv", "t,n\n0,10\n60,20\n120,0\n") }

func TestSpec(t *testing.T) {
	s := parse(t, full, fullShop())
	assert.Equal(t, "shop", s.Name())
	assert.Equal(t, "everything at once", s.Description())
	assert.Equal(t, []string{"fast", "hpa", "both", "lazy", "fixed"}, s.AutoscalerNames())
	assert.Equal(t, 50*time.Minute, s.Traffic().Duration())

	spec, err := s.Spec("fast", 7)
	require.NoError(t, err)
	assert.Equal(t, "shop", spec.Scenario)
	assert.Equal(t, "web", spec.Workload)
	assert.Equal(t, uint64(7), spec.Seed)
	assert.Equal(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), spec.Start)
	assert.Equal(t, time.Hour, spec.Duration)
	assert.Equal(t, 5*time.Minute, spec.MeasureFrom)
	assert.Equal(t, int32(3), spec.Cluster.Replicas)
	assert.Equal(t, 45*time.Second, spec.Cluster.GracePeriod)
	assert.Equal(t, int64(500), spec.Cluster.CPURequestMilli)
	assert.Equal(t, cluster.Defaults().PerPod.Queue, spec.Cluster.PerPod.Queue)
	assert.Equal(t, 8, spec.Cluster.PerPod.Concurrency)
	assert.Equal(t, metrics.Pipeline{Kubelet: 5 * time.Second, MetricsServer: 15 * time.Second, PrometheusScrape: 30 * time.Second}, spec.Pipeline)
	assert.Equal(t, metrics.Source{Source: "workload.queue"}, spec.Sources["jobs"])
	assert.Equal(t, []messages.ResourceRequest{
		{Container: "web", Resource: "cpu", Milli: 500}, {Container: "web", Resource: "memory", Milli: 256 << 20 * 1000},
	}, spec.Requests)
	assert.Equal(t, "cancel", spec.Cluster.OnTimeout)
	assert.Equal(t, &cluster.Retries{
		Attempts: 3, On: []string{"timeout"}, PerAttemptTimeout: 2 * time.Second,
		Backoff: cluster.Backoff{Initial: 100 * time.Millisecond, Factor: 2, Max: time.Second, Jitter: "equal"},
		Budget:  &cluster.Budget{MaxTokens: 10, TokenRatio: 0.1},
	}, spec.Cluster.Retries)
	assert.Equal(t, 0.04, *spec.Prices.PodHour)
	assert.Equal(t, int32(5), *spec.Strategy.HPA.Manifest.Spec.MinReplicas)
	assert.Equal(t, int32(20), spec.Strategy.HPA.Manifest.Spec.MaxReplicas)
	assert.Equal(t, 0.05, spec.Strategy.HPA.Controller.Tolerance)
	assert.Nil(t, spec.Strategy.Elasti)

	lazy, err := s.Spec("lazy", 7)
	require.NoError(t, err)
	assert.Equal(t, int32(300), lazy.Strategy.Elasti.Manifest.Spec.CooldownPeriod)
	assert.NotNil(t, lazy.Strategy.HPA)

	fixed, err := s.Spec("fixed", 7)
	require.NoError(t, err)
	assert.Equal(t, int32(20), fixed.Cluster.Replicas)
	assert.Equal(t, int32(20), *fixed.Strategy.Replicas)

	perfect, err := s.Spec("oracle", 7)
	require.NoError(t, err)
	assert.Equal(t, sim.Strategy{Name: "oracle", Manifest: "{oracle: true}\n", Oracle: true}, perfect.Strategy)

	_, err = s.Spec("fats", 7)
	assert.EqualError(t, err, `scenario shop: autoscaler: found fats, expected one of [fast hpa both lazy fixed oracle] (did you mean "fast"?)`)
	_, err = s.Objects("fats")
	assert.Error(t, err)
}

func TestObjects(t *testing.T) {
	s := parse(t, full, fullShop())
	o, err := s.Objects("both")
	require.NoError(t, err)
	assert.Equal(t, "web", o.Deployment.Name)
	assert.Equal(t, "default", o.Deployment.Namespace)
	assert.Equal(t, int32(3), *o.Deployment.Spec.Replicas)
	assert.Equal(t, "web-svc", o.Service.Name)
	assert.Equal(t, "default", o.HPA.Namespace)
	assert.Equal(t, "web-svc", o.Elasti.Spec.Service)
	o.Deployment.Spec.Template.Labels["app"] = "changed"
	again, err := s.Objects("fixed")
	require.NoError(t, err)
	assert.Equal(t, "web", again.Deployment.Spec.Template.Labels["app"], "objects are copies")
	assert.Equal(t, int32(20), *again.Deployment.Spec.Replicas)
	assert.Nil(t, again.HPA)
	assert.Nil(t, again.Elasti)
}

func TestAScenarioWithoutManifests(t *testing.T) {
	s := parse(t, head+tail, nil)
	o, err := s.Objects("oracle")
	require.NoError(t, err)
	assert.Equal(t, "bad", o.Deployment.Name)
	assert.Equal(t, int32(0), *o.Deployment.Spec.Replicas, "the oracle has pods for requests only")
	assert.Equal(t, "bad", o.Service.Name)
	assert.Equal(t, o.Deployment.Spec.Selector.MatchLabels, o.Service.Spec.Selector)
	assert.Empty(t, s.AutoscalerNames())
	assert.Equal(t, uint64(1), s.Document.Seed)
	assert.Equal(t, 10*time.Minute, *s.Document.Duration)
	assert.Equal(t, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), s.Document.Start)
	spec, err := s.Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, cluster.Defaults(), spec.Cluster)
	assert.Nil(t, spec.Prices)
}

func TestServerless(t *testing.T) {
	s := parse(t, head+tail+"autoscalers: {lambda: {serverless: {coldServiceTime: 2s}}, small: {serverless: {keepAlive: 0s, coldServiceTime: 2s, maxInstances: 7}}}", nil)
	tenMinutes, none, most := 10*time.Minute, time.Duration(0), int32(7)
	for name, want := range map[string]cluster.Serverless{
		"lambda": {KeepAlive: &tenMinutes, ColdServiceTime: random.Constant(2 * time.Second)},
		"small":  {KeepAlive: &none, ColdServiceTime: random.Constant(2 * time.Second), MaxInstances: &most},
	} {
		spec, err := s.Spec(name, 1)
		require.NoError(t, err)
		assert.Equal(t, want, *spec.Strategy.Serverless)
		assert.Contains(t, spec.Strategy.Manifest, "serverless:\n  keepAlive: ")
		o, err := s.Objects(name)
		require.NoError(t, err)
		assert.Equal(t, int32(0), *o.Deployment.Spec.Replicas, "no pod runs beside the platform")
	}
	out, err := s.Resolved()
	require.NoError(t, err)
	assert.Contains(t, string(out), "      keepAlive: 10m\n")
	again, err := parse(t, string(out), nil).Resolved()
	require.NoError(t, err)
	assert.Equal(t, string(out), string(again))
}

func TestTheScenarioWinsOverTheDeployment(t *testing.T) {
	s := parse(t, head+"workload: {manifests: [k8s/deployment.yaml], replicas: 7, gracePeriod: 2s}\n"+tail, shop())
	spec, err := s.Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, int32(7), spec.Cluster.Replicas)
	assert.Equal(t, 2*time.Second, spec.Cluster.GracePeriod)
}

func TestRequestsOfAPod(t *testing.T) {
	pod := strings.Replace(deployment, "        - {name: web, resources: {requests: {cpu: 500m, memory: 256Mi}}}", `        - {name: web, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 250m}}}
        - {name: bare}
      initContainers:
        - {name: migrate, resources: {requests: {cpu: 2}}}
        - {name: mesh, restartPolicy: Always, resources: {requests: {cpu: 100m}}}`, 1)
	s := parse(t, head+"workload: {manifests: [d.yaml]}\n"+tail, files{"d.yaml": pod})
	spec, err := s.Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, []messages.ResourceRequest{
		{Container: "web", Resource: "cpu", Milli: 250},
		{Container: "web", Resource: "memory", Milli: 1 << 30 * 1000},
		{Container: "bare"},
		{Container: "mesh", Resource: "cpu", Milli: 100},
	}, spec.Requests)
	assert.Equal(t, int64(350), spec.Cluster.CPURequestMilli)
}

// The whole pod's limit is its request where no container requests the
// resource; what is not given for the pod is the sum of its containers.
func TestRequestsOfThePodAsAWhole(t *testing.T) {
	for name, c := range map[string]struct {
		resources string
		cpu       int64
		memory    int64 // MiB
	}{
		"requests":                {"{requests: {cpu: 2, memory: 1Gi}}", 2000, 1024},
		"the rest is summed up":   {"{requests: {cpu: 2}}", 2000, 320},
		"limits beside requests":  {"{limits: {cpu: 3, memory: 2Gi}}", 600, 320},
		"both":                    {"{limits: {cpu: 3}, requests: {memory: 1Gi}}", 600, 1024},
		"limits without requests": {"{limits: {cpu: 3, hugepages-2Mi: 4Mi}}", 600, 320},
	} {
		t.Run(name, func(t *testing.T) {
			pod := strings.Replace(deployment, "      containers:", "      resources: "+c.resources+"\n      containers:", 1) +
				"        - {name: log, resources: {limits: {cpu: 100m, memory: 64Mi}}}\n"
			spec, err := parse(t, head+"workload: {manifests: [d.yaml]}\n"+tail, files{"d.yaml": pod}).Spec("oracle", 1)
			require.NoError(t, err)
			assert.Equal(t, c.cpu, spec.Cluster.CPURequestMilli)
			assert.Equal(t, c.memory<<20, spec.Cluster.MemoryRequestBytes)
			assert.Contains(t, spec.Requests, messages.ResourceRequest{Resource: "cpu", Milli: c.cpu})
			assert.Contains(t, spec.Requests, messages.ResourceRequest{Resource: "memory", Milli: c.memory << 20 * 1000})
			assert.Equal(t, messages.ResourceRequest{Container: "log", Resource: "memory", Milli: 64 << 20 * 1000}, spec.Requests[len(spec.Requests)-1])
		})
	}
}

func TestKubernetesSpellingsAreUnderstood(t *testing.T) {
	pod := strings.Replace(deployment, "      containers:", `      volumes: [{name: v, configMap: {name: c, defaultMode: 0644}}, {name: e, emptyDir: {}}]
      containers:`, 1)
	pod = strings.Replace(pod, "metadata: {name: web}", "metadata: {name: web, creationTimestamp: null, annotations: {a.b/c: \"1\"}}\nstatus: {}", 1)
	o, err := parse(t, head+"workload: {manifests: [d.yaml]}\n"+tail, files{"d.yaml": pod}).Objects("oracle")
	require.NoError(t, err)
	assert.Equal(t, int32(0o644), *o.Deployment.Spec.Template.Spec.Volumes[0].ConfigMap.DefaultMode)
	assert.NotNil(t, o.Deployment.Spec.Template.Spec.Volumes[1].EmptyDir)
}

func TestResolvedMeansTheSame(t *testing.T) {
	s := parse(t, full, fullShop())
	out, err := s.Resolved()
	require.NoError(t, err)
	again := parse(t, string(out), files{"t.csv": fullShop()["t.csv"]})
	second, err := again.Resolved()
	require.NoError(t, err)
	assert.Equal(t, string(out), string(second))
	for _, name := range append(s.AutoscalerNames(), "oracle") {
		a, err := s.Spec(name, 3)
		require.NoError(t, err)
		b, err := again.Spec(name, 3)
		require.NoError(t, err)
		a.Traffic, b.Traffic = nil, nil // plans hold the files they were read with
		assert.Equal(t, a, b, name)
	}
	assert.Contains(t, string(out), "    concurrency: 8\n    queue: 100\n")
	assert.Contains(t, string(out), "  fixed: {replicas: 20}\n")
	assert.NotContains(t, string(out), "extends")
	assert.NotContains(t, string(out), "oracle")
}

func TestOverrides(t *testing.T) {
	s := parse(t, full, fullShop(), "traffic[0].rps=120", "workload.perPod.serviceTime=5ms", "autoscalers.fast.patch.spec.minReplicas=9", "seed=3")
	assert.Equal(t, 120.0, *s.Document.Traffic[0].RPS)
	assert.Equal(t, 5*time.Millisecond, *s.Document.Workload.PerPod.ServiceTime.Value)
	assert.Equal(t, uint64(3), s.Document.Seed)
	spec, err := s.Spec("fast", 1)
	require.NoError(t, err)
	assert.Equal(t, int32(9), *spec.Strategy.HPA.Manifest.Spec.MinReplicas)

	for override, want := range map[string]string{
		"traffic[2].rps=1":                      "--set:1:1: traffic: found index 2, expected less than 2",
		"traffic[0].rsp=1":                      `--set:1:1: traffic[0].rsp: found an unknown key, expected one of name, for, rps, ramp, sine, step, spike, trace, users, arrivals (did you mean "rps"?)`,
		"traffic[0].rps=fast":                   "--set:1:16: traffic[0].rps: found fast, expected a number",
		"sede=1":                                `--set:1:1: sede: found an unknown key, expected one of apiVersion, kind, metadata, kubernetesVersion, seed, start, duration, measure, workload, lifecycle, pipeline, traffic, ... (did you mean "seed"?)`,
		"seed":                                  "--set:1:1: found seed, expected path=value, such as traffic[0].rps=120",
		"autoscalers.hpa.manifests[0].spec.x=1": "--set:1:1: autoscalers.hpa.manifests[0]: found k8s/hpa.yaml, expected a mapping to set spec in",
		"autoscalers.fast.patch.spec.minReplicas=21": "k8s/hpa.yaml:8:16: spec.maxReplicas: found 20, expected at least minReplicas, which is 21",
	} {
		assert.Equal(t, []string{want}, messagesOf(t, full, fullShop(), override), override)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range fullShop() {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	path := filepath.Join(dir, "s.yaml")
	require.NoError(t, os.WriteFile(path, []byte(full), 0o644))
	s, err := scenarios.Load(path, "seed=9")
	require.NoError(t, err)
	assert.Equal(t, uint64(9), s.Document.Seed)

	require.NoError(t, os.WriteFile(path, []byte(head+"workload: {manifests: ["+dir+"/k8s/deployment.yaml, none.yaml]}\n"+tail), 0o644))
	_, err = scenarios.Load(path)
	var bad *scenarios.Error
	require.ErrorAs(t, err, &bad)
	assert.Len(t, bad.Problems, 1)
	assert.Equal(t, "found none.yaml, which does not exist, expected a file of manifests", bad.Problems[0].Text)

	_, err = scenarios.Load(dir)
	assert.ErrorContains(t, err, "expected a file, - or a name from the catalogue", "a directory hides no scenario of the catalogue")
	_, err = scenarios.Load("staedy")
	assert.EqualError(t, err, `scenario: found staedy, expected a file, - or a name from the catalogue (did you mean "steady"?)`)
	_, err = scenarios.Load("no/such.yaml")
	assert.EqualError(t, err, `scenario: found no/such.yaml, expected a file, - or a name from the catalogue`)
	_, err = scenarios.Load("\x00")
	assert.ErrorContains(t, err, "open scenario: ")
}

func TestLoadFromStandardInput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "in")
	require.NoError(t, os.WriteFile(path, []byte(head+"workload: {manifests: [d.yaml]}\n"+tail), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.yaml"), []byte(deployment), 0o644))
	in, err := os.Open(path)
	require.NoError(t, err)
	defer in.Close()
	t.Chdir(dir)
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	s, err := scenarios.Load("-")
	require.NoError(t, err)
	assert.Equal(t, int32(3), *s.Document.Workload.Replicas)
	in.Close()
	_, err = scenarios.Load("-")
	assert.ErrorContains(t, err, "read scenario from standard input: ")
}

func TestCatalogue(t *testing.T) {
	names := scenarios.Names()
	assert.Contains(t, names, "steady")
	list, err := scenarios.Describe()
	require.NoError(t, err)
	require.Len(t, list, len(names))
	for i, summary := range list {
		assert.Equal(t, names[i], summary.Name, "a scenario is called like its file")
		assert.NotEmpty(t, summary.Description)
		assert.Positive(t, summary.DurationS)
		assert.NotEmpty(t, summary.Autoscalers)
		src, err := scenarios.Source(summary.Name)
		require.NoError(t, err)
		s, err := scenarios.Load(summary.Name)
		require.NoError(t, err)
		resolved, err := s.Resolved()
		require.NoError(t, err)
		assert.Greater(t, len(resolved), len(src)/2)
		_, err = scenarios.Parse(summary.Name, resolved, scenarios.Files("catalogue"))
		require.NoError(t, err, "resolved, it is valid")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full, "seed=1")
	f.Add(bomb(), "a.b=1")
	f.Add(head+tail+"autoscalers: {a: {extends: b, patch: {spec: null}}, b: {extends: a, patch: {}}}", `a["x`)
	f.Add("{<<: [*a, &a {}]}", "traffic[0]=[]")
	f.Add("traffic: &x [*x]", "")
	f.Add(strings.Replace(shopWorkload, "[k8s/deployment.yaml, k8s/service.yaml]", deployment, 1), "workload=")
	for _, name := range scenarios.Names() {
		src, err := scenarios.Source(name)
		require.NoError(f, err)
		f.Add(string(src), "duration=1h")
	}
	open := fullShop().open
	f.Fuzz(func(t *testing.T, src, override string) {
		for _, overrides := range [][]string{nil, {override}} {
			_, err := scenarios.Parse("s.yaml", []byte(src), open, overrides...)
			if err == nil {
				continue
			}
			var bad *scenarios.Error
			require.ErrorAs(t, err, &bad)
			require.NotEmpty(t, bad.Problems)
			for _, p := range bad.Problems {
				require.NotEmpty(t, p.File)
				require.Positive(t, p.Line)
				require.Positive(t, p.Column)
				require.NotContains(t, p.Error(), "\n")
				require.LessOrEqual(t, len(p.Path), strict.MaxDepth*120)
			}
		}
	})
}
