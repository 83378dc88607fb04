package hpa

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestObjectAndExternalValues(t *testing.T) {
	const (
		objectValue     = `{type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: rps}, target: {type: Value, value: "100"}}}`
		objectAverage   = `{type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: rps}, target: {type: AverageValue, averageValue: "100"}}}`
		externalValue   = `{type: External, external: {metric: {name: rps}, target: {type: Value, value: "100"}}}`
		externalAverage = `{type: External, external: {metric: {name: rps}, target: {type: AverageValue, averageValue: "100"}}}`
	)
	three := messages.Replicas{Desired: 3, Created: 3, Ready: 3}
	notAllReady := readyPods(3)
	notAllReady[0].Ready, notAllReady[1].Phase = false, messages.PodPending
	deleting := readyPods(3)
	deleting[0].Deleting = true
	for _, c := range []struct {
		name     string
		metrics  []string
		replicas messages.Replicas
		pods     []messages.Pod
		milli    int64
		want     int32
		within   bool
		problem  string
	}{
		{"value: ceil(1.5 x 3 ready)", []string{objectValue, externalValue}, three, readyPods(3), 150_000, 5, false, ""},
		{"value: only running and ready pods are multiplied", []string{objectValue, externalValue}, three, notAllReady, 250_000, 3, false, ""},
		{"value: deleting pods that are ready count", []string{objectValue, externalValue}, three, deleting, 200_000, 6, false, ""},
		{"value: 110 of 100 is within tolerance", []string{objectValue, externalValue}, three, readyPods(3), 110_000, 3, true, ""},
		{"value: a thousandth more is not", []string{objectValue, externalValue}, three, readyPods(3), 110_001, 4, false, ""},
		{"value: without pods within tolerance", []string{objectValue, externalValue}, three, nil, 100_000, 3, true, ""},
		{"value: without pods outside tolerance", []string{objectValue, externalValue}, three, nil, 200_000, 0, false, "no pods returned by selector while calculating replica count"},
		{"value: from zero the ratio is the count", []string{objectValue, externalValue}, messages.Replicas{}, nil, 250_000, 3, false, ""},
		{"average: ceil(450 / 100)", []string{objectAverage, externalAverage}, three, nil, 450_000, 5, false, ""},
		{"average: 330 over 3 pods is within tolerance", []string{objectAverage, externalAverage}, three, nil, 330_000, 3, true, ""},
		{"average: the pods that exist count, not those asked for", []string{objectAverage, externalAverage},
			messages.Replicas{Desired: 5, Created: 4}, nil, 420_000, 4, true, ""},
		{"average: from zero", []string{objectAverage, externalAverage}, messages.Replicas{}, nil, 250_000, 3, false, ""},
		{"average: nothing at zero", []string{objectAverage, externalAverage}, messages.Replicas{}, nil, 0, 0, false, ""},
	} {
		for _, metric := range c.metrics {
			t.Run(c.name, func(t *testing.T) {
				a := newAutoscaler(t, "maxReplicas: 100\nmetrics: ["+metric+"]")
				o := messages.Observation{Replicas: c.replicas, Pods: c.pods, Metrics: []messages.Metric{total(c.milli)}}
				p := a.proposeOne(view{now: start, cur: c.replicas.Desired, seen: &o}, &a.sources[0], &o.Metrics[0])
				p.reading = messages.Reading{}
				assert.Equal(t, proposal{replicas: c.want, source: &a.sources[0], within: c.within, problem: c.problem}, p)
			})
		}
	}
}

func TestToleranceOfEachDirection(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 200
behavior: {scaleUp: {tolerance: "0.2"}, scaleDown: {tolerance: "0", stabilizationWindowSeconds: 0}}
`)
	assert.Equal(t, []int32{100, 121, 120}, []int32{
		follow(t, a, 100, 0, 120)[0], follow(t, a, 100, 0, 121)[0], follow(t, a, 121, 0, 120)[0],
	})
}

const two = `
maxReplicas: 20
metrics:
- {type: External, external: {metric: {name: first}, target: {type: AverageValue, averageValue: "1"}}}
- {type: External, external: {metric: {name: second}, target: {type: AverageValue, averageValue: "1"}}}
`

func TestTheLargestProposalWinsUnlessAFailureMayHideAHigherOne(t *testing.T) {
	failed := messages.Metric{Err: "HTTP 404"}
	for _, c := range []struct {
		name          string
		first, second messages.Metric
		want          int32
		reason        messages.Reason
		message       string
	}{
		{"largest of both", total(6000), total(7000), 7, messages.ReasonScaleUp, "scale up from 5 to 7: external metric second above target"},
		{"the first of equals is named", total(7000), total(7000), 7, messages.ReasonScaleUp, "scale up from 5 to 7: external metric first above target"},
		{"up in spite of a failure", failed, total(7000), 7, messages.ReasonScaleUp, "scale up from 5 to 7: external metric second above target"},
		{"hold at the target in spite of a failure", total(5000), failed, 5, messages.ReasonWithinTolerance, "hold 5: external metric first within tolerance of its target"},
		{"not down with a failure", total(1000), failed, 5, messages.ReasonMetricFailed, "hold 5: 1 of 2 metrics failed, the first with: HTTP 404"},
		{"all fail", failed, messages.Metric{Err: "HTTP 500"}, 5, messages.ReasonMetricFailed, "hold 5: 2 of 2 metrics failed, the first with: HTTP 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := wants(5, 0)
			o.Metrics = []messages.Metric{c.first, c.second}
			d, err := newAutoscaler(t, two).Decide(start, o)
			require.NoError(t, err)
			assert.Equal(t, c.want, d.Desired)
			assert.Equal(t, c.reason, d.Reason)
			assert.Equal(t, c.message, d.Message)
		})
	}
}

// A failure leaves no recommendation behind: the 7 of the first sync is the
// only one besides the initial 5.
func TestAFailureIsNotRemembered(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 20\n"+onePerPod)
	follow(t, a, 5, 0, 7)
	o := wants(7, 0)
	o.Metrics[0].Err = "HTTP 404"
	d, err := a.Decide(after(15), o)
	require.NoError(t, err)
	assert.EqualValues(t, 7, d.Desired)
	assert.Equal(t, recommendations{{5, start}, {7, start}}, a.recommendations)
}

func TestQueriesFollowTheManifest(t *testing.T) {
	a := newAutoscaler(t, `
maxReplicas: 20
metrics:
- {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 10Mi}}}
- {type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: Utilization, averageUtilization: 50}}}
- {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "1"}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, target: {type: Value, value: "1"}}}
- {type: External, external: {metric: {name: queue, selector: {matchLabels: {b: c, a: b}}}, target: {type: Value, value: "1"}}}
`)
	assert.Equal(t, []messages.Query{
		{Kind: messages.QueryResource, Name: "memory", Field: "spec.metrics[0].resource.name"},
		{Kind: messages.QueryResource, Name: "cpu", Container: "web", Field: "spec.metrics[1].containerResource.name"},
		{Kind: messages.QueryPods, Name: "rps", Field: "spec.metrics[2].pods.metric.name"},
		{Kind: messages.QueryObject, Name: "hits", Object: "Service/web", Field: "spec.metrics[3].object.metric.name"},
		{Kind: messages.QueryExternal, Name: "queue", Selector: "a=b,b=c", Field: "spec.metrics[4].external.metric.name"},
	}, a.Queries())
	assert.EqualValues(t, 10*1024*1024*1000, a.sources[0].target)
	assert.Equal(t, "10Mi", a.sources[0].shown)
	assert.Equal(t, []string{"memory", "cpu of container web utilization", "pods metric rps", "Service metric hits", "external metric queue"},
		[]string{a.sources[0].label, a.sources[1].label, a.sources[2].label, a.sources[3].label, a.sources[4].label})
}

func TestAManifestWithoutMetricsAsksForCPU(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 20")
	assert.Equal(t, []messages.Query{{Kind: messages.QueryResource, Name: "cpu", Field: "spec.metrics[0].resource.name"}}, a.Queries())
	assert.EqualValues(t, 80, a.sources[0].target)
	assert.Equal(t, DefaultController().SyncPeriod, a.Period())
}

// A metric far above its target asks for less than nothing, except where the
// controller takes care.
func TestCountsBeyondInt32(t *testing.T) {
	external := func(kind string) string {
		return "minReplicas: 2\nmaxReplicas: 10\nmetrics: [{type: External, external: {metric: {name: load}, target: {type: " + kind + "}}}]"
	}
	object := "minReplicas: 2\nmaxReplicas: 10\nmetrics: [{type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: load}, " +
		"target: {type: AverageValue, averageValue: 1}}}]"
	for _, c := range []struct {
		name    string
		spec    string
		version Version
		want    int32
	}{
		{"a total", external("Value, value: 1"), "1.35", math.MaxInt32},
		{"a total, before", external("Value, value: 1"), "1.34", math.MinInt32},
		{"an external average", external("AverageValue, averageValue: 1"), "1.34", math.MaxInt32},
		{"an external average, before", external("AverageValue, averageValue: 1"), "1.33", math.MinInt32},
		{"an average of an object", object, "", math.MinInt32},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := New(Spec{Manifest: manifest(t, c.spec), Controller: DefaultController(), KubernetesVersion: c.version})
			require.NoError(t, err)
			o := seen(readyPods(4), total(1e13))
			assert.Equal(t, c.want, a.proposeOne(view{now: start, cur: 4, seen: &o}, &a.sources[0], &o.Metrics[0]).replicas)
		})
	}
}

// A metric that the API server accepts and nobody can read fails without being
// asked for, whatever the metrics API would say.
func TestBrokenMetricsAreTold(t *testing.T) {
	const (
		object   = "type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: rps}, target: "
		broken   = "metric: {name: rps, selector: {matchExpressions: [{key: a, operator: Near}]}}, target: "
		noTarget = "invalid object metric source: neither a value target nor an average value target was set"
		operator = `"Near" is not a valid label selector operator`
	)
	for _, c := range []struct{ name, metric, reason, event, outer string }{
		{"object of type Value without it", object + "{type: Value, averageValue: 1}}", "FailedGetObjectMetric", noTarget, "failed to get object metric value: "},
		{"object of type AverageValue without it", object + "{type: AverageValue, value: 1}}", "FailedGetObjectMetric", noTarget, "failed to get object metric value: "},
		{"object of type Utilization", object + "{type: Utilization, value: 1, averageValue: 1}}", "FailedGetObjectMetric", noTarget, "failed to get object metric value: "},
		{"object with a bad selector", "type: Object, object: {describedObject: {kind: Service, name: web}, " + broken + "{type: AverageValue, averageValue: 1}}", "FailedGetObjectMetric", operator, "failed to get object metric value: "},
		{"object with a bad selector and target", "type: Object, object: {describedObject: {kind: Service, name: web}, " + broken + "{type: Utilization, averageValue: 1}}", "FailedGetObjectMetric", operator, "failed to get object metric value: "},
		{"pods with a bad selector", "type: Pods, pods: {" + broken + "{type: AverageValue, averageValue: 1}}", "FailedGetPodsMetric", operator, "failed to get pods metric value: "},
		{"external with a bad selector", "type: External, external: {" + broken + "{type: Value, value: 1}}", "FailedGetExternalMetric", operator, "failed to get rps external metric value: failed to get external metric rps: "},
		{"external with a bad selector, per pod", "type: External, external: {" + broken + "{type: AverageValue, averageValue: 1}}", "FailedGetExternalMetric", operator, "failed to get rps external metric value: failed to get rps external metric: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAutoscaler(t, "{maxReplicas: 9, metrics: [{"+c.metric+"}]}")
			for _, answer := range []messages.Metric{total(9000), {Err: "HTTP 503"}} {
				o := wants(3, 0)
				o.Metrics = []messages.Metric{answer}
				d, err := a.Decide(start, o)
				require.NoError(t, err)
				assert.Equal(t, []any{messages.ReasonMetricFailed, int32(3)}, []any{d.Reason, d.Desired})
				assert.Equal(t, []string{
					gotScale,
					"ScalingActive=False " + c.reason + ": the HPA was unable to compute the replica count: " + c.event,
					"Warning " + c.reason + ": " + c.event,
					"Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: " + c.outer + c.event,
				}, told(d))
				assert.Equal(t, []messages.Reading{{Failed: true}}, d.Readings)
			}
		})
	}
}
