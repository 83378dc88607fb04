package scenarios

import (
	"fmt"

	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// consumerDefaults are the defaults that differ where pods take messages: nothing
// is sent to them. They have to be there before the file is decoded over them.
func (l *loader) consumerDefaults() {
	if l.root.Get("workload").Get("consumes") == nil {
		return
	}
	w := &l.doc.Workload
	w.Routing.Policy, w.PerPod.Queue, w.RequestTimeout = "central-queue", 0, 0
	l.doc.Lifecycle.EndpointPropagation = random.Constant(0)
}

// resolveConsumption fills in what the section leaves out.
func (l *loader) resolveConsumption() {
	if m := l.doc.Workload.Consumes; m != nil {
		filled := m.WithDefaults()
		l.doc.Workload.Consumes = &filled
	}
}

// refuseConsumption reports what is only there for requests that somebody waits for.
func (l *loader) refuseConsumption(at *strict.Node, what string) {
	if l.doc.Workload.Consumes != nil {
		l.problems.Addf(at, "found %s for a workload that consumes, expected none: nobody waits for messages", what)
	}
}

// checkUsers refuses users of a workload that consumes.
func (l *loader) checkUsers() {
	for i, phase := range l.doc.Traffic {
		if phase.Users != nil {
			l.refuseConsumption(l.root.Locate(fmt.Sprintf("traffic[%d].users", i)), "users")
		}
	}
}

// checkQueueOfPods refuses to count messages by the pod, where none waits.
func (l *loader) checkQueueOfPods(n *strict.Node, i int, metric autoscalingv2.MetricSpec) {
	if l.doc.Workload.Consumes == nil || metric.Type != autoscalingv2.PodsMetricSourceType {
		return
	}
	if name := metric.Pods.Metric.Name; l.doc.Metrics[name].Source == metrics.SourceQueue {
		at := n.Locate(fmt.Sprintf("spec.metrics[%d].pods.metric.name", i))
		l.problems.Addf(at, "found %s by pod, expected an External metric: messages wait in no pod", name)
	}
}
