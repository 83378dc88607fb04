package keda

import (
	"fmt"
	"math/rand/v2"

	"sigs.k8s.io/yaml"

	ours "github.com/scalelab/scalelab/scaling/keda"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

// die draws a ScaledObject.
type die struct{ *rand.Rand }

func newDie(seed uint64) die { return die{rand.New(rand.NewPCG(seed, 1))} }

func (d die) chance(percent int) bool { return d.IntN(100) < percent }

func (d die) pick(words ...string) string { return words[d.IntN(len(words))] }

// object draws a ScaledObject that is valid, as a tree of YAML, with triggers of
// the given kinds.
func (d die) object(kinds ...string) map[string]any {
	spec := map[string]any{"scaleTargetRef": map[string]any{"name": "web"}}
	lowest := d.IntN(4)
	if lowest > 0 || d.chance(50) {
		spec["minReplicaCount"] = lowest
	}
	if d.chance(70) {
		spec["maxReplicaCount"] = lowest + 1 + d.IntN(8)
	}
	if lowest > 0 && d.chance(40) {
		spec["idleReplicaCount"] = d.IntN(lowest)
	}
	for name, most := range map[string]int{"cooldownPeriod": 90, "initialCooldownPeriod": 60} {
		if value := d.IntN(most); d.chance(60) {
			spec[name] = value
		}
	}
	spec["pollingInterval"] = 1 + d.IntN(40)
	var triggers []any
	names := []string{"a", "b", "c"}
	for i := range 1 + d.IntN(3) {
		triggers = append(triggers, d.trigger(names[i], kinds))
	}
	spec["triggers"] = triggers
	advanced := map[string]any{}
	if d.chance(30) {
		advanced["scalingModifiers"] = d.modifiers(names[:len(triggers)])
	}
	if d.chance(40) {
		config := map[string]any{}
		if d.chance(50) {
			config["name"] = "own-name"
		}
		if d.chance(70) {
			config["behavior"] = map[string]any{"scaleDown": map[string]any{"stabilizationWindowSeconds": d.IntN(300)}}
		}
		advanced["horizontalPodAutoscalerConfig"] = config
	}
	if len(advanced) > 0 {
		spec["advanced"] = advanced
	}
	if d.chance(60) {
		spec["fallback"] = map[string]any{"failureThreshold": d.IntN(4), "replicas": d.IntN(6),
			"behavior": d.pick("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower", "scalingModifiers")}
	}
	annotations := map[string]any{}
	for _, a := range []string{"autoscaling.keda.sh/paused-scale-in", "autoscaling.keda.sh/paused-scale-out", "autoscaling.keda.sh/force-activation"} {
		if d.chance(8) {
			annotations[a] = d.pick("true", "false", "yes please")
		}
	}
	labels := map[string]any{"team": "web"}
	if d.chance(30) {
		annotations["scaledobject.keda.sh/hpa-excluded-labels"] = d.pick("team", "app,team", "none")
	}
	metadata := map[string]any{"name": "web", "namespace": "shop", "uid": "0123", "labels": labels, "annotations": annotations}
	return map[string]any{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": spec}
}

func (d die) trigger(name string, kinds []string) map[string]any {
	kind := d.pick(kinds...)
	t := map[string]any{"type": kind, "name": name}
	external := func(metadata map[string]any) {
		t["metadata"] = metadata
		if d.chance(30) {
			t["metricType"] = d.pick("Value", "AverageValue")
		}
	}
	switch kind {
	case "prometheus":
		metadata := map[string]any{"serverAddress": "ADDRESS", "query": name, "threshold": d.pick("1", "0.5", "10", "2.3456")}
		if d.chance(40) {
			metadata["activationThreshold"] = d.pick("0", "1.5", "4")
		}
		if d.chance(50) {
			metadata["ignoreNullValues"] = d.pick("true", "false")
		}
		external(metadata)
		if d.chance(25) {
			t["useCachedMetrics"] = true
		}
	case "cron":
		external(map[string]any{"timezone": d.pick("UTC", "America/New_York", "Asia/Kathmandu"), "start": fmt.Sprintf("%d * * * *", d.IntN(5)),
			"end": fmt.Sprintf("%d,%d * * * *", 5+d.IntN(5), 20+d.IntN(5)), "desiredReplicas": fmt.Sprint(1 + d.IntN(9))})
	case "rabbitmq":
		metadata := map[string]any{"queueName": d.pick("jobs", "a b", "a/b%c", "x(y).z:1"), "host": "http://guest:guest@localhost:1"}
		if d.chance(60) {
			metadata["mode"], metadata["value"] = "QueueLength", d.pick("1", "7.5", "100")
		}
		external(metadata)
	case "cpu", "memory":
		metadata := map[string]any{"value": d.pick("50", "70")}
		t["metadata"], t["metricType"] = metadata, d.pick("Utilization", "AverageValue")
		if d.chance(30) {
			metadata["containerName"] = "app"
		}
	}
	return t
}

func (d die) modifiers(names []string) map[string]any {
	all := names[0]
	for _, name := range names[1:] {
		all += d.pick(" + ", " * 2 + ") + name
	}
	m := map[string]any{"target": d.pick("1", "2", "2.5"), "formula": d.pick(all, names[0]+" > 3 ? 7 : 0", names[0]+" ?? 5", "("+names[0]+" ?? nil)", "max(["+names[0]+", 2])",
		"float("+all+")", names[0]+" > 2 ? nil : 1", all+" / 0")}
	if d.chance(40) {
		m["activationTarget"] = d.pick("0", "3", "5.5")
	}
	if d.chance(40) {
		m["metricType"] = d.pick("Value", "AverageValue")
	}
	return m
}

// both reads a tree as ours and as KEDA's own type, with the address of Prometheus
// filled in.
func both(tree map[string]any) (*ours.ScaledObject, *v1alpha1.ScaledObject, error) {
	text, err := yaml.Marshal(tree)
	if err != nil {
		return nil, nil, err
	}
	var mine ours.ScaledObject
	var real v1alpha1.ScaledObject
	if err := yaml.UnmarshalStrict(text, &mine); err != nil {
		return nil, nil, err
	}
	if err := yaml.UnmarshalStrict(text, &real); err != nil {
		return nil, nil, err
	}
	return &mine, &real, nil
}
