package hpa

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// told are the conditions and events of a decision, a line each.
func told(d messages.Decision) (lines []string) {
	for _, c := range d.Conditions {
		lines = append(lines, c.Type+"="+c.Status+" "+c.Reason+": "+c.Message)
	}
	for _, e := range d.Events {
		lines = append(lines, e.Type+" "+e.Reason+": "+e.Message)
	}
	return lines
}

const (
	gotScale  = "AbleToScale=True SucceededGetScale: the HPA controller was able to get the target's current scale"
	ready     = "AbleToScale=True ReadyForNewScale: recommended size matches current size"
	heldDown  = "AbleToScale=True ScaleDownStabilized: recent recommendations were higher than current one, applying the highest recent recommendation"
	heldUp    = "AbleToScale=True ScaleUpStabilized: recent recommendations were lower than current one, applying the lowest recent recommendation"
	rescaled5 = "AbleToScale=True SucceededRescale: the HPA controller was able to update the target scale to 5"
	active    = "ScalingActive=True ValidMetricFound: the HPA was able to successfully calculate a replica count from external metric load(nil)"
	within    = "ScalingLimited=False DesiredWithinRange: the desired count is within the acceptable range"
	tooMany   = "ScalingLimited=True TooManyReplicas: the desired replica count is more than the maximum replica count"
	tooFew    = "ScalingLimited=True TooFewReplicas: the desired replica count is less than the minimum replica count"
	tooFast   = "ScalingLimited=True ScaleUpLimit: the desired replica count is increasing faster than the maximum scale rate"
	fallsFast = "ScalingLimited=True ScaleDownLimit: the desired replica count is decreasing faster than the maximum scale rate"
	awake     = "ScaledToZero=False NotScaledToZero: the HPA controller did not scale the workload to zero"
	asleep    = "ScaledToZero=True ScaledToZero: the HPA controller scaled the workload to zero"
	disabled  = "ScalingActive=False ScalingDisabled: scaling is disabled since the replica count of the target is zero"
)

func TestWhatASyncTells(t *testing.T) {
	const (
		limits = "minReplicas: 2\nmaxReplicas: 20\n" + onePerPod
		atOnce = limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 0}}"
	)
	rescaled := func(size, why string) []string {
		return []string{"Normal SuccessfulRescale: New size: " + size + "; reason: " + why}
	}
	able := func(size string) string {
		return "AbleToScale=True SucceededRescale: the HPA controller was able to update the target scale to " + size
	}
	for _, c := range []struct {
		name, spec string
		cur, want  int32
		conditions []string
		events     []string
	}{
		{"nothing to do", limits, 5, 5, []string{ready, active, within}, nil},
		{"above target", limits, 3, 5, []string{rescaled5, active, within, awake}, rescaled("5", "external metric load(nil) above target")},
		{"below target", atOnce, 7, 5, []string{rescaled5, active, within, awake}, rescaled("5", "All metrics below target")},
		{"above the maximum", limits, 25, 5, []string{able("20"), awake}, rescaled("20", "Current number of replicas above Spec.MaxReplicas")},
		{"below the minimum", limits, 1, 5, []string{able("2"), awake}, rescaled("2", "Current number of replicas below Spec.MinReplicas")},
		{"switched off", limits, 0, 5, []string{gotScale, disabled}, nil},
		{"a window without a behavior", limits, 5, 3, []string{heldDown, active, within}, nil},
		{"a window of scaleDown", limits + "behavior: {}", 5, 3, []string{heldDown, active, within}, nil},
		{"a window of scaleUp", limits + "behavior: {scaleUp: {stabilizationWindowSeconds: 60}}", 5, 9, []string{heldUp, active, within}, nil},
		{"more than the maximum", limits, 15, 40, []string{able("20"), active, tooMany, awake}, rescaled("20", "external metric load(nil) above target")},
		{"the maximum is there", limits, 20, 40, []string{ready, active, tooMany}, nil},
		{"less than the minimum", atOnce, 2, 1, []string{ready, active, tooFew}, nil},
		{"more than twice", limits, 3, 9, []string{able("6"), active, tooFast, awake}, rescaled("6", "external metric load(nil) above target")},
		{"twice is the maximum", limits, 10, 40, []string{able("20"), active, tooMany, awake}, rescaled("20", "external metric load(nil) above target")},
		{"more than the policies", limits + "behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 15}]}}", 3, 9,
			[]string{rescaled5, active, tooFast, awake}, rescaled("5", "external metric load(nil) above target")},
		{"policies that reach the maximum", limits + "behavior: {scaleUp: {policies: [{type: Pods, value: 5, periodSeconds: 15}]}}", 15, 40,
			[]string{able("20"), active, tooMany, awake}, rescaled("20", "external metric load(nil) above target")},
		{"less than the policies", limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Pods, value: 2, periodSeconds: 15}]}}", 7, 3,
			[]string{rescaled5, active, fallsFast, awake}, rescaled("5", "All metrics below target")},
		{"policies that reach the minimum", limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Pods, value: 2, periodSeconds: 15}]}}", 4, 1,
			[]string{able("2"), active, tooFew, awake}, rescaled("2", "All metrics below target")},
		{"scaling down switched off", limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 0, selectPolicy: Disabled}}", 7, 3,
			[]string{ready, active, fallsFast}, nil},
		{"within tolerance", limits, 11, 12, []string{ready, active, within}, nil},
		{"a negative metric asks for nothing", "minReplicas: 0\nmaxReplicas: 20\nbehavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n" +
			"metrics: [{type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: load}, target: {type: AverageValue, averageValue: 1}}}]", 2, -3,
			[]string{able("0"), active, within, asleep}, rescaled("0", "All metrics below target")},
		{"an external one passes for an overflow", limits, 5, -3, []string{able("10"), active, tooFast, awake},
			rescaled("10", "external metric load(nil) above target")},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := newAutoscaler(t, c.spec).Decide(start, wants(c.cur, c.want))
			require.NoError(t, err)
			assert.Equal(t, append(c.conditions, c.events...), told(d))
		})
	}
}

// A rate limit left the count below an earlier recommendation: it goes on
// rising, and the event says what upstream's says.
func TestARiseThatNoMetricAsksFor(t *testing.T) {
	for want, why := range map[int32]string{3: "All metrics below target", 4: ""} {
		a := newAutoscaler(t, "maxReplicas: 100\n"+onePerPod)
		follow(t, a, 2, 0, 20)
		d, err := a.Decide(after(15), wants(4, want))
		require.NoError(t, err)
		assert.Equal(t, "New size: 8; reason: "+why, d.Events[0].Message)
	}
}

func TestConditionsStayUntilTouched(t *testing.T) {
	a := newAutoscaler(t, fromZero)
	var d messages.Decision
	sync := func(at float64, cur, want int32) []string {
		var err error
		d, err = a.Decide(after(at), wants(cur, want))
		require.NoError(t, err)
		return told(d)
	}
	able := func(size string) string {
		return "AbleToScale=True SucceededRescale: the HPA controller was able to update the target scale to " + size
	}
	size := func(size, why string) string {
		return "Normal SuccessfulRescale: New size: " + size + "; reason: " + why
	}
	assert.Equal(t, []string{able("20"), awake, size("20", "Current number of replicas above Spec.MaxReplicas")}, sync(0, 30, 5))
	assert.Empty(t, d.Readings)
	assert.Equal(t, []string{able("5"), awake, active, within, size("5", "All metrics below target")}, sync(15, 20, 5), "in the order in which they came")
	assert.Equal(t, []messages.Reading{{Milli: 250}}, d.Readings)
	assert.Equal(t, []string{able("0"), asleep, active, within, size("0", "All metrics below target")}, sync(30, 5, 0))
	assert.Equal(t, []string{ready, asleep, active, within}, sync(45, 0, 0))
	assert.Equal(t, []messages.Reading{{Milli: math.MinInt64}}, d.Readings, "per pod of none")
	assert.Equal(t, []string{able("2"), awake, active, within, size("2", "external metric load(nil) above target")}, sync(60, 0, 2))
	assert.Equal(t, []string{gotScale, awake, disabled, within}, sync(75, 0, 2), "somebody scaled to 0")
	assert.Empty(t, d.Readings)
}

func TestFailingMetricsAreTold(t *testing.T) {
	const (
		unable   = "the HPA was unable to compute the replica count: "
		object   = "type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: rps}, target: "
		external = "type: External, external: {metric: {name: rps, selector: {matchLabels: {a: b}}}, target: "
		selector = "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}"
		refused  = "unable to fetch metrics from %s metrics API: HTTP 503"
		none     = "no pods returned by selector while calculating replica count"
	)
	for _, c := range []struct {
		name, metric, err    string
		reason, event, outer string
	}{
		{"cpu", "type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}", "HTTP 503", "FailedGetResourceMetric",
			"failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: HTTP 503", "failed to get cpu resource metric value: "},
		{"nothing", "type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}", "no metrics returned from resource metrics API", "FailedGetResourceMetric",
			"failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API", "failed to get cpu resource metric value: "},
		{"no pods", "type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Mi}}", "", "FailedGetResourceMetric",
			"failed to get memory usage: " + none, "failed to get memory resource metric value: "},
		{"container", "type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: Utilization, averageUtilization: 50}}", "", "FailedGetContainerResourceMetric",
			"failed to get cpu utilization: " + none, "failed to get web container metric value: "},
		{"pods", "type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1}}", "HTTP 503", "FailedGetPodsMetric",
			"unable to get metric rps: unable to fetch metrics from custom metrics API: HTTP 503", "failed to get pods metric value: "},
		{"no pods of a pods metric", "type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1}}", "", "FailedGetPodsMetric",
			none, "failed to get pods metric value: "},
		{"object", object + "{type: Value, value: 1}}", "HTTP 503", "FailedGetObjectMetric",
			"unable to get metric rps on Service shop/web: unable to fetch metrics from custom metrics API: HTTP 503", "failed to get object metric value: "},
		{"object per pod", object + "{type: AverageValue, averageValue: 1}}", "HTTP 503", "FailedGetObjectMetric",
			"unable to get metric rps on Service shop/web: unable to fetch metrics from custom metrics API: HTTP 503", "failed to get object metric value: failed to get rps object metric: "},
		{"no pods for an object", object + "{type: Value, value: 1}}", "", "FailedGetObjectMetric",
			"unable to calculate ready pods: " + none, "failed to get object metric value: "},
		{"external", external + "{type: Value, value: 1}}", "HTTP 503", "FailedGetExternalMetric",
			"unable to get external metric shop/rps/" + selector + ": unable to fetch metrics from external metrics API: HTTP 503", "failed to get rps external metric value: failed to get external metric rps: "},
		{"external per pod", external + "{type: AverageValue, averageValue: 1}}", "no metrics returned from external metrics API", "FailedGetExternalMetric",
			"unable to get external metric shop/rps/" + selector + ": no metrics returned from external metrics API", "failed to get rps external metric value: failed to get rps external metric: "},
		{"no pods for an external metric", external + "{type: Value, value: 1}}", "", "FailedGetExternalMetric",
			"unable to calculate ready pods: " + none, "failed to get rps external metric value: failed to get external metric rps: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manifest(t, "{maxReplicas: 9, metrics: [{"+c.metric+"}]}")
			m.Namespace = "shop"
			a, err := New(Spec{Manifest: m, Controller: DefaultController()})
			require.NoError(t, err)
			d, err := a.Decide(start, messages.Observation{
				Replicas: messages.Replicas{Desired: 3}, Metrics: []messages.Metric{{Err: c.err, Milli: 9000}}})
			require.NoError(t, err)
			assert.Equal(t, []string{
				gotScale,
				"ScalingActive=False " + c.reason + ": " + unable + c.event,
				"Warning " + c.reason + ": " + c.event,
				"Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: " + c.outer + c.event,
			}, told(d))
			assert.Equal(t, []messages.Reading{{Failed: true}}, d.Readings)
		})
	}
}

// A failure is told even where the other metric carries the sync; only an
// abort says so in ScalingActive, with the first failure.
func TestOneOfSeveralMetricsFails(t *testing.T) {
	failed := messages.Metric{Err: "HTTP 404"}
	event := func(name string) string {
		return "Warning FailedGetExternalMetric: unable to get external metric default/" + name + "/nil: unable to fetch metrics from external metrics API: HTTP 404"
	}
	decide := func(cur int32, metrics ...messages.Metric) messages.Decision {
		o := wants(cur, 0)
		o.Metrics = metrics
		d, err := newAutoscaler(t, two).Decide(start, o)
		require.NoError(t, err)
		return d
	}
	found := "ScalingActive=True ValidMetricFound: the HPA was able to successfully calculate a replica count from external metric "
	d := decide(3, failed, total(5000))
	assert.Equal(t, []string{rescaled5, found + "second(nil)", within, awake, event("first"),
		"Normal SuccessfulRescale: New size: 5; reason: external metric second(nil) above target"}, told(d))
	assert.Equal(t, []messages.Reading{{Failed: true}, {Milli: 1667}}, d.Readings)

	d = decide(5, total(1000), failed)
	assert.Equal(t, []string{gotScale,
		"ScalingActive=False FailedGetExternalMetric: the HPA was unable to compute the replica count: " + event("second")[len("Warning FailedGetExternalMetric: "):],
		event("second"),
		"Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 2), first error is: failed to get second external metric value: failed to get second external metric: " +
			event("second")[len("Warning FailedGetExternalMetric: "):],
	}, told(d))
	assert.Equal(t, []messages.Reading{{Milli: 200}, {Failed: true}}, d.Readings)

	d = decide(5, failed, failed)
	assert.Equal(t, []string{"FailedGetExternalMetric", "FailedGetExternalMetric", "FailedComputeMetricsReplicas"},
		[]string{d.Events[0].Reason, d.Events[1].Reason, d.Events[2].Reason})
	assert.Contains(t, d.Events[2].Message, "invalid metrics (2 invalid out of 2), first error is: failed to get first ")

	assert.Contains(t, told(decide(5, total(0), total(0))), found+"second(nil)", "a proposal for 0 gives way to any")
}

func TestMetricsAreNamedAsTheControllerNamesThem(t *testing.T) {
	a := newAutoscaler(t, `
maxReplicas: 20
metrics:
- {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
- {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 10Mi}}}
- {type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: Utilization, averageUtilization: 50}}}
- {type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: AverageValue, averageValue: 100m}}}
- {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "1"}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, target: {type: Value, value: "1"}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, target: {type: AverageValue, averageValue: "1"}}}
- {type: External, external: {metric: {name: queue}, target: {type: Value, value: "1"}}}
`)
	var names []string
	for _, s := range a.sources {
		names = append(names, s.says.name)
	}
	assert.Equal(t, []string{
		"cpu resource utilization (percentage of request)", "memory resource",
		"cpu container resource utilization (percentage of request)", "cpu resource",
		"pods metric rps", "Service metric hits", "external metric hits(nil)", "external metric queue(nil)",
	}, names)
}

func TestReadings(t *testing.T) {
	pods := readyPods(3)
	pods[2].Phase = messages.PodPending
	for _, c := range []struct {
		name, metrics string
		metric        messages.Metric
		want          messages.Reading
	}{
		{"utilization: 301 of 400, without the pending pod", cpuAt50, perPod(start, 150, 151), messages.Reading{Percent: 75, Milli: 150}},
		{"average", "metrics: [{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1}}}]", perPod(start, 150, 152), messages.Reading{Milli: 151}},
		{"total", "metrics: [{type: External, external: {metric: {name: load}, target: {type: Value, value: 1}}}]", total(7001), messages.Reading{Milli: 7001}},
		{"per pod, rounded up", onePerPod, total(7001), messages.Reading{Milli: 2334}},
		{"a sum below 0", onePerPod, total(-1), messages.Reading{Milli: math.MaxInt64}},
		{"a sum that did not fit", onePerPod, total(math.MaxInt64), messages.Reading{Milli: math.MaxInt64}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := newAutoscaler(t, "maxReplicas: 9\n"+c.metrics).Decide(start, seen(pods, c.metric))
			require.NoError(t, err)
			assert.Equal(t, []messages.Reading{c.want}, d.Readings)
		})
	}
}

func TestQuietlyLeavesOutTheWordsOnly(t *testing.T) {
	loud, quiet := newAutoscaler(t, two), newAutoscaler(t, two)
	quiet.Quietly()
	for i, metrics := range [][]messages.Metric{
		{total(5000), total(9000)}, {{Err: "HTTP 404"}, total(9000)}, {{Err: "HTTP 404"}, {Err: "HTTP 404"}}, {total(0), total(0)},
	} {
		o := wants(4, 0)
		o.Metrics = metrics
		now := start.Add(time.Duration(i) * time.Minute)
		d, err := loud.Decide(now, o)
		require.NoError(t, err)
		q, err := quiet.Decide(now, o)
		require.NoError(t, err)
		for i := range d.Conditions {
			d.Conditions[i].Message = ""
		}
		for i := range d.Events {
			d.Events[i].Message = ""
		}
		d.Message, d.Steps = "-", nil
		assert.Equal(t, d, q)
	}
	o := wants(4, 0)
	o.Metrics = []messages.Metric{{Err: "HTTP 404"}, total(9000)}
	now := start.Add(time.Hour)
	assert.EqualValues(t, 1, testing.AllocsPerRun(1000, func() {
		now = now.Add(quiet.Period())
		_, _ = quiet.Decide(now, o)
	}), "the copy of the Observation")
}

func TestVersions(t *testing.T) {
	newest := newAutoscaler(t, "maxReplicas: 9")
	assert.Zero(t, newest.First())
	spec := Spec{Manifest: manifest(t, "maxReplicas: 100\n"+onePerPod+`behavior: {scaleUp: {tolerance: "0.5"}, scaleDown: {tolerance: "-1"}}`), Controller: DefaultController()}
	spec.Manifest.Spec.ScaleTargetRef.APIVersion = ""
	const (
		noGroup  = `spec.scaleTargetRef.apiVersion: Invalid value: "": expected an API group, such as apps/v1`
		negative = `spec.behavior.scaleDown.tolerance: Invalid value: "-1": must be 0 or more`
	)
	zero := manifest(t, fromZero)
	const tooLow = "spec.minReplicas: Invalid value: 0: must be 1 or more: 1.37 scales to zero, "
	for _, c := range []struct {
		version            Version
		refused            []string
		tolerance          float64
		toZero             []string
		first              time.Duration
		generation, binary bool
	}{
		{"1.33", nil, 1.1, []string{tooLow + "1.33 does not"}, 15 * time.Second, false, false},
		{"1.34", []string{noGroup}, 1.1, []string{tooLow + "1.34 does not"}, 15 * time.Second, false, true},
		{"1.35", []string{noGroup, negative}, 1.5, []string{tooLow + "1.35 does not"}, 15 * time.Second, false, true},
		{"1.36", []string{noGroup, negative}, 1.5, []string{tooLow + "1.36 does not"}, 15 * time.Second, false, true},
		{"1.37", []string{noGroup, negative}, 1.5, nil, 0, true, true},
		{"", []string{noGroup, negative}, 1.5, nil, 0, true, true},
	} {
		t.Run("version "+string(c.version), func(t *testing.T) {
			var refused, toZero []string
			for _, e := range c.version.Validate(spec.Manifest) {
				refused = append(refused, e.Error())
			}
			assert.Equal(t, c.refused, refused)
			for _, e := range c.version.Validate(zero) {
				toZero = append(toZero, e.Error())
			}
			assert.Equal(t, c.toZero, toZero)

			good := Spec{Manifest: manifest(t, "maxReplicas: 100\n"+onePerPod+`behavior: {scaleUp: {tolerance: "0.5"}}`), Controller: DefaultController(), KubernetesVersion: c.version}
			a, err := New(good)
			require.NoError(t, err)
			assert.Equal(t, band{low: 0.9, high: c.tolerance}, a.tolerance)
			assert.Equal(t, c.first, a.First())
			assert.Equal(t, c.generation, c.version.has(seesGenerations))
			assert.Equal(t, c.binary, c.version.has(binaryMemory))
			assert.Equal(t, c.binary, c.version.KnowsPodResources())
			d, err := a.Decide(start, wants(1, 3))
			require.NoError(t, err)
			assert.Equal(t, c.version.has("1.37"), told(d)[3] == awake, "the ScaledToZero condition")
			d, err = a.Decide(after(15), wants(10, -3))
			require.NoError(t, err)
			assert.Equal(t, c.version.has("1.34"), d.Desired == 20, "a negative sum")
		})
	}
	const byObject = "{maxReplicas: 9, metrics: [{type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: rps}, target: {type: Value, value: 1}}}]}"
	for version, asking := range map[Version]string{"1.36": "unable to get metric rps: Service on default web/", "1.37": "unable to get metric rps on Service default/web: "} {
		a, err := New(Spec{Manifest: manifest(t, byObject), Controller: DefaultController(), KubernetesVersion: version})
		require.NoError(t, err)
		assert.Equal(t, asking, a.sources[0].says.asking)
	}
	spec.KubernetesVersion = "1.32"
	_, err := New(spec)
	assert.ErrorContains(t, err, "kubernetesVersion: found 1.32, expected one of 1.33, 1.34, 1.35, 1.36, 1.37")
}
