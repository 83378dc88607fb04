package everything

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const head = `# Beside the real controllers

Three scenarios, each played twice. On one side everything is real but the kubelet: the HorizontalPodAutoscaler, Deployment, ReplicaSet and EndpointSlice controllers of Kubernetes 1.37.2 with their informers, queues and back-offs, in virtual time, on an API server in memory. On the other side is ` + "`scalelab run`" + ` with the clientset actuator. Both read the same External metric: the load that the scenario offers, as its metrics pipeline shows it. Pods take the scenario's lifecycle on both sides.

` + "`desired` is the Deployment's `spec.replicas`, `created` its `status.replicas`, `ready` its `status.readyReplicas`; `endpoints` are the ready endpoints of all EndpointSlices, held against our ready pods" + `. Two numbers in a cell are how often the count changes on the real side, and how long at most it differs from ours. The sides are compared up to the last sync, at every instant. Each scenario is played with an API that answers at once, and again with one that takes 2 to 20 ms for every call but those of the HPA controller.

`

const reasons = `## What differs, and why

- **Desired: nothing**, at any sync, in instant or value.
- **Created and ready: nothing** when the API answers at once. When calls take time, a change takes one step of the controllers longer than ours, which is immediate: the Deployment controller scales the ReplicaSet, that creates pods in batches of 1, 2, 4, ..., and each count travels back through two statuses. Pods are Ready later by their binding and status writes. In between, real counts pass through values that ours skip.
- **Endpoints: up to a second and its calls.** The EndpointSlice controller refuses to work on a cache that has not yet seen its own last write, and tries again after one second. Whether that happens depends on how goroutines interleave. In scalelab the time from readiness to traffic is the setting ` + "`lifecycle.endpointPropagation`" + `, 1 s unless the scenario says otherwise.
- **Which starting pods are deleted is chance** on the real side if their ages lie within one power of two: UIDs decide, but pods created in the same second compare as equal, so that the order has cycles and the outcome depends on the order in which the cache lists them. Scalelab decides by UID alone. The count of pods that are Ready can then differ until the youngest of them is: the scenarios here avoid it. In a version of slow-start that does not, and with the UIDs made the same on both sides, 10 of 40 runs had one pod Ready 15 s, one sync, later than ours.

## Rollouts

The template of a Deployment of ten pods changes in the middle of its life, without an HPA, and the ReplicaSet of every template is compared: by quarters (25%/25%), one by one, without a surge, all at once, with ` + "`minReadySeconds`" + `, overtaken by a third template, scaled up, down, and to none in the middle, and ` + "`Recreate`" + `, also scaled meanwhile.

- **Desired, created and ready of every template: nothing**, at any instant, when the API answers at once. When calls take 2 to 20 ms, each of the steps of a rollout comes about 0.1 s later than ours, and they add up: 1.3 s after the ten steps of one by one.
- **A scale-down that takes available pods from the new template is a race** on the real side: the Deployment controller goes on with statuses that still count them, and so deletes more old pods than ` + "`maxUnavailable`" + ` allows. Of 8 old and 6 new pods that are scaled to 7 it left 3 and 5 in one run, 2 and 6 in another; ours leaves 4 and 4, with which as many are available as there have to be.

Not covered: the rate limits of kube-controller-manager's clients (20 calls per second in the default, bursts of 30), which stretch jumps by dozens of pods; the scheduler; pods that crash; metrics that depend on the pods, whose reactions are compared in [the HPA's own conformance](hpa.md).

Cost: the Deployment controller polls itself ten times per second while a Deployment has pods that are not Ready and its last progress is more than ten minutes ago. Slow-start has 100 s of that for every change.

` + "`cd conformance && go test ./everything -write`" + ` writes this page.
`

// writeDocument writes the page and its pictures below a folder.
func writeDocument(dir string, all []*comparison) error {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString("| scenario | API | syncs | desired equal | created | ready | endpoints |\n|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "| %s | %s | %d | %d", c.name, c.api(), len(c.ours.syncs), c.equal())
		for _, p := range c.parts[1:] {
			fmt.Fprintf(&b, " | %d, %s", p.real, milliseconds(p.longest()))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n| scenario | API | simulated | real: wall | CPU | ours: wall | CPU |\n|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", c.name, c.api(), c.simulated,
			milliseconds(c.real.cost.wall), milliseconds(c.real.cost.cpu), milliseconds(c.ours.cost.wall), milliseconds(c.ours.cost.cpu))
	}
	b.WriteByte('\n')
	if err := os.MkdirAll(filepath.Join(dir, "controllers"), 0o755); err != nil {
		return err
	}
	for _, c := range all {
		if c.slow {
			continue
		}
		picture := filepath.Join("controllers", c.name+".svg")
		fmt.Fprintf(&b, "## %s\n\n%s: from %d to at most %d pods.\n\n![real and simulated replicas of %s](%s)\n\n",
			c.name, c.description, at(c.ours.curve, 0).Desired, columns[0].most(c.ours.curve), c.name, filepath.ToSlash(picture))
		if err := os.WriteFile(filepath.Join(dir, picture), []byte(c.picture()), 0o644); err != nil {
			return err
		}
	}
	b.WriteString(reasons)
	return os.WriteFile(filepath.Join(dir, "controllers.md"), []byte(b.String()), 0o644)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }
