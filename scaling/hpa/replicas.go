package hpa

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
)

// noPods is what the controller says of a selector that selects nothing.
const noPods = "no pods returned by selector while calculating replica count"

// cpu is the only resource whose samples are distrusted while a pod starts.
const cpu = string(corev1.ResourceCPU)

// group is how a pod counts in a metric that is read per pod.
type group uint8

const (
	counted group = iota
	unready       // its sample says nothing yet
	missing       // it has no sample
	ignored       // it is on its way out
)

// tally adds up pods of one group.
type tally struct {
	pods          int64
	use, requests int64 // thousandths
}

func (t tally) plus(o tally) tally {
	return tally{pods: t.pods + o.pods, use: t.use + o.use, requests: t.requests + o.requests}
}

// idle is the tally with all its pods using nothing.
func (t tally) idle() tally { return tally{pods: t.pods, requests: t.requests} }

// groups is a workload's pods as one metric sees them. missing.use is what
// pods without a sample are taken to use on a scale-down; strangers have a
// sample and are not listed.
type groups struct{ counted, unready, missing, strangers tally }

// fillIn adds the pods without a usable sample so as to dampen the change that
// ratio r calls for: on a scale-down the missing ones are busy, on a scale-up
// they and the unready ones are idle. At exactly 1 nobody is needed.
func (g groups) fillIn(r float64) tally {
	all := g.counted
	switch {
	case r < 1:
		return all.plus(g.missing)
	case r > 1:
		return all.plus(g.missing.idle()).plus(g.unready.idle())
	}
	return all
}

// level is the tally in the target's unit, truncated to a whole percent or a
// whole thousandth, and its ratio to the target. ok is false when the tally
// has nothing to divide by.
func (s *source) level(t tally) (level int64, r float64, ok bool) {
	if s.kind == averageValue {
		level = t.use / t.pods
	} else {
		if t.requests == 0 {
			return 0, 0, false
		}
		level = int64(int32(t.use * 100 / t.requests))
	}
	return level, float64(level) / float64(s.target), true
}

// withStrangers adds samples of unlisted pods to a tally, where they count: in
// averages, and nowhere in utilizations, since their requests are not known.
func (s *source) withStrangers(t tally, g groups) tally {
	if s.kind == averageValue {
		return t.plus(g.strangers)
	}
	return t
}

// fromPods compares the pods' use with the target. Pods without a usable
// sample are left out at first and filled in afterwards; where that turns the
// change round, nothing is changed.
func (a *Autoscaler) fromPods(v view, s *source, m *messages.Metric) proposal {
	g, problem := a.groupPods(v, s, m)
	if problem != "" {
		return proposal{source: s, problem: problem}
	}
	known := s.withStrangers(g.counted, g)
	level, r, ok := s.level(known)
	all := g.fillIn(r)
	corrected, r2, ok2 := s.level(s.withStrangers(all, g))
	if !ok || !ok2 {
		return proposal{source: s, problem: "no metrics returned matched known pods"}
	}
	p := proposal{source: s, replicas: scaled(r, g.counted.pods)}
	p.reading.Milli = known.use / known.pods
	if s.kind == utilization {
		p.reading.Percent = int32(level)
	}
	against(inUnit(a.describe(v, s, m), s, level), s, r).Text(", x ").Pods(g.counted.pods).
		Text(" = ").Decimals(r*float64(g.counted.pods), 4).Step(messages.StageMetric, p.replicas)
	if all.pods == g.counted.pods {
		if a.tolerance.holds(r) {
			return a.heldNear(r, v.cur, p)
		}
		return p
	}
	samples := all.pods + g.strangers.pods
	p.replicas = scaled(r2, samples)
	against(inUnit(filledIn(&a.trail, s, g, r), s, corrected), s, r2).Text(", x ").Pods(samples).
		Text(" = ").Decimals(r2*float64(samples), 4).Step(messages.StageReadiness, p.replicas)
	switch {
	case a.tolerance.holds(r2):
		return a.heldNear(r2, v.cur, p)
	case r < 1 && r2 > 1, r > 1 && r2 < 1, r2 < 1 && p.replicas > v.cur, r2 > 1 && p.replicas < v.cur:
		a.trail.Text("the correction turns the direction round").Step(messages.StageReadiness, v.cur)
		p.replicas = v.cur
	}
	return p
}

// scaled is ceil(r x pods).
func scaled(r float64, pods int64) int32 { return toInt32(math.Ceil(float64(r * float64(pods)))) }

// groupPods sorts the pods into groups and adds each group up. The problem is
// empty unless the metric cannot be used at all.
func (a *Autoscaler) groupPods(v view, s *source, m *messages.Metric) (g groups, problem string) {
	pods := v.seen.Pods
	if len(pods) == 0 {
		return g, noPods
	}
	g.strangers = a.indexSamples(m.Pods, len(pods))
	rules := a.readiness(v.now, s)
	var request int64
	for i := range pods {
		pod := &pods[i]
		if s.kind == utilization && problem == "" && (i == 0 || !sameRequests(pod.Requests, pods[i-1].Requests)) {
			request, problem = requestOf(pod, s.query.Name, s.query.Container)
		}
		var sample *messages.PodMetric
		if at := a.samples[i]; at > 0 {
			sample = &m.Pods[at-1]
		}
		switch rules.group(pod, sample) {
		case counted:
			g.counted = g.counted.plus(tally{pods: 1, use: sample.Milli, requests: request})
		case unready:
			g.unready = g.unready.plus(tally{pods: 1, requests: request})
		case missing:
			g.missing = g.missing.plus(tally{pods: 1, use: s.busy(request), requests: request})
		}
	}
	if g.counted.pods+g.strangers.pods == 0 {
		return g, "did not receive metrics for targeted pods (pods might be unready)"
	}
	return g, problem
}

// busy is what a pod without a sample is taken to use on a scale-down: all of
// its request, or its target where that is more.
func (s *source) busy(request int64) int64 {
	if s.kind == averageValue {
		return s.target
	}
	return request * max(100, s.target) / 100
}

// readiness is what decides into which group a pod belongs at one sync.
type readiness struct {
	startCounts bool      // CPU use at a pod's start must not count
	settled     time.Time // pods that started by then are initialized
	delay       time.Duration
}

func (a *Autoscaler) readiness(now time.Time, s *source) readiness {
	return readiness{
		startCounts: s.query.Kind == messages.QueryResource && s.query.Name == cpu,
		settled:     now.Add(-a.controller.CPUInitializationPeriod),
		delay:       a.controller.InitialReadinessDelay,
	}
}

// group classifies one pod. The order of the questions is the controller's.
func (r *readiness) group(pod *messages.Pod, sample *messages.PodMetric) group {
	switch {
	case pod.Deleting || pod.Phase == messages.PodFailed:
		return ignored
	case pod.Phase == messages.PodPending:
		return unready
	case sample == nil:
		return missing
	case r.startCounts && r.stillStarting(pod, sample):
		return unready
	}
	return counted
}

// stillStarting reports whether a pod's CPU sample may be that of its start.
// During the initialization period that is any sample whose window began
// before the pod last became ready; later, only a pod that was never ready.
func (r *readiness) stillStarting(pod *messages.Pod, sample *messages.PodMetric) bool {
	if !pod.HasCondition || pod.Started.IsZero() {
		return true
	}
	if pod.Started.After(r.settled) {
		return !pod.Ready || sample.At.Before(pod.ReadyChanged.Add(sample.Window))
	}
	return !pod.Ready && pod.Started.Add(r.delay).After(pod.ReadyChanged)
}

// indexSamples makes samples[pod] the sample's index plus 1, or 0 for none.
// Samples of pods that are not listed are added up.
func (a *Autoscaler) indexSamples(samples []messages.PodMetric, pods int) (strangers tally) {
	if cap(a.samples) < pods {
		a.samples = make([]int32, pods)
	}
	a.samples = a.samples[:pods]
	clear(a.samples)
	for i, sample := range samples {
		if sample.Pod >= 0 && sample.Pod < pods {
			a.samples[sample.Pod] = int32(i) + 1
		} else {
			strangers = strangers.plus(tally{pods: 1, use: sample.Milli})
		}
	}
	return strangers
}

// sameRequests reports whether two pods share their list of requests, as pods
// of one template do.
func sameRequests(a, b []messages.ResourceRequest) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

// requestOf sums what a pod's containers, or the named one, request of a
// resource. What the pod requests as a whole stands in for all its containers.
// The problem names who does not request it.
func requestOf(pod *messages.Pod, name, container string) (sum int64, problem string) {
	if container == "" && len(pod.Requests) > 0 && pod.Requests[0].Container == "" {
		return wholeRequest(pod, name)
	}
	found := false
	for _, r := range pod.Requests {
		switch {
		case r.Container == "" || container != "" && r.Container != container: // of somebody else
		case r.Resource == name:
			sum += r.Milli
			found = true
		case !hasRequest(pod.Requests, r.Container, name):
			return 0, "missing request for " + name + " in container " + r.Container + " of Pod " + pod.Name
		}
	}
	switch {
	case found:
		return sum, ""
	case container != "":
		return 0, "container " + container + " not found in Pod " + pod.Name
	}
	return 0, "missing request for " + name + " in Pod " + pod.Name
}

// wholeRequest is what the pod requests as a whole: the entries in front.
func wholeRequest(pod *messages.Pod, name string) (milli int64, problem string) {
	for _, r := range pod.Requests {
		if r.Container == "" && r.Resource == name {
			return r.Milli, ""
		}
	}
	return 0, "missing pod-level request for " + name + " in Pod " + pod.Name
}

func hasRequest(list []messages.ResourceRequest, container, name string) bool {
	for _, r := range list {
		if r.Container == container && r.Resource == name {
			return true
		}
	}
	return false
}

// countReady counts the pods that run and are ready, deleted ones included.
func countReady(pods []messages.Pod) (n int64) {
	for i := range pods {
		if pods[i].Phase == messages.PodRunning && pods[i].Ready {
			n++
		}
	}
	return n
}
