package scenarios

import (
	"slices"

	"github.com/scalelab/scalelab/sim/cluster"

	corev1 "k8s.io/api/core/v1"
)

// sharedDefaults are the defaults that differ under processor sharing. They
// have to be there before the file is decoded over them.
func (l *loader) sharedDefaults() {
	if d := l.root.Get("workload").Get("perPod").Get("discipline"); d != nil && d.Text == "ps" {
		l.doc.Workload.PerPod.Concurrency = cluster.SharedConcurrency
	}
}

// resolveCores takes the CPU that requests share from the containers, when the
// scenario does not say.
func (l *loader) resolveCores() {
	p := &l.doc.Workload.PerPod
	if p.Discipline != "ps" || p.Cores != nil {
		return
	}
	cores := 1.0
	if milli := cpuLimit(l.podSpec()); milli != 0 {
		cores = float64(milli) / 1000
	}
	p.Cores = &cores
}

// cpuLimit is the CPU limit of the whole pod or, where it has none, the sum of
// its containers', in thousandths of a core. A container without one counts
// with its request.
func cpuLimit(pod corev1.PodSpec) (milli int64) {
	if r := pod.Resources; r != nil && !r.Limits.Cpu().IsZero() {
		return r.Limits.Cpu().MilliValue()
	}
	for _, c := range slices.Concat(pod.Containers, sidecars(pod)) {
		amounts := fill(c.Resources.Limits, c.Resources.Requests)
		milli += amounts.Cpu().MilliValue()
	}
	return milli
}
