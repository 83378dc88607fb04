package metrics

import (
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// describe fills the pods of the next Observation with what the API says.
func (d *Door) describe(pods []cluster.PodStatus) {
	d.pods = d.pods[:0]
	for i := range pods {
		if i > 0 && pods[i].ID <= pods[i-1].ID {
			panic("metrics: pods out of order: " + d.name(pods[i].ID) + " after " + d.name(pods[i-1].ID))
		}
		d.pods = append(d.pods, d.pod(&pods[i]))
	}
}

// pod is the truth as the kubelet and the API server report it: startTime and
// the Ready condition appear when the kubelet accepts the pod. A terminating
// pod keeps its condition until its containers stop.
func (d *Door) pod(p *cluster.PodStatus) messages.Pod {
	seen := messages.Pod{
		Name:     d.name(p.ID),
		Deleting: p.State == cluster.Draining,
		Requests: d.spec.Requests,
	}
	if p.StartedAt != cluster.NotYet {
		seen.Phase = messages.PodRunning
	}
	if p.ScheduledAt != cluster.NotYet {
		seen.Started = d.instant(p.ScheduledAt)
		seen.HasCondition = true
		seen.ReadyChanged = seen.Started
	}
	switch {
	case p.ReadyAt != cluster.NotYet:
		seen.Ready = true
		seen.ReadyChanged = d.instant(p.ReadyAt)
	case p.UnreadyAt != cluster.NotYet:
		seen.ReadyChanged = d.instant(p.UnreadyAt)
	}
	return seen
}

// name is cluster.PodName, made once per pod.
func (d *Door) name(id int32) string {
	for int(id) >= len(d.names) {
		d.names = append(d.names, cluster.PodName(d.spec.Workload, int32(len(d.names))))
	}
	return d.names[id]
}
