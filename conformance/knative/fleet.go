package knative

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/knative"

	"knative.dev/serving/pkg/autoscaler/metrics"
)

// fleet is the pods of a world, their load, and both sides that hear of it.
type fleet struct {
	dice
	load   load
	pods   []pod // oldest first
	born   int
	window time.Duration // pods of that age are old

	us      *ours.Autoscaler
	them    *upstream
	sample  sampled
	reports []messages.PodStats // of the next scrape; none if it fails
	order   []*pod              // whose reports they are
}

// grow makes a pod that becomes ready within so many seconds.
func (f *fleet) grow(now time.Time, startup int) {
	started := now.Truncate(time.Second)
	f.pods = append(f.pods, pod{id: f.born, started: started, ready: started.Add(time.Duration(f.IntN(startup+1)) * time.Second)})
	f.born++
}

// counts are those of the pods that are not terminating, as both sides see them.
func (f *fleet) counts() (created, ready int32) {
	for i := range f.pods {
		if f.pods[i].gone.IsZero() {
			created++
		}
		if f.pods[i].isReady {
			ready++
		}
	}
	return created, ready
}

// podsCount has the pods' reports ready, a millisecond before they are scraped.
func (f *fleet) podsCount(now time.Time) error {
	f.order = f.order[:0]
	var ages []time.Duration
	for i := range f.pods {
		if p := &f.pods[i]; p.isReady {
			f.order = append(f.order, p)
			ages = append(ages, now.Add(time.Millisecond).Sub(p.started))
		}
	}
	f.reports = f.load.reports(&f.dice, ages)
	answers := map[string]metrics.Stat{}
	for i, r := range f.reports {
		ip := f.order[i].ip()
		answers[ip] = metrics.Stat{PodName: ip,
			AverageConcurrentRequests: r.Concurrency, AverageProxiedConcurrentRequests: r.ProxiedConcurrency,
			RequestCount: r.Requests, ProxiedRequestCount: r.ProxiedRequests}
	}
	if f.load.mute > 0 {
		f.reports = nil
		// A pod that does not answer is as bad as all where each of them is asked.
		if len(f.order) > 3 || f.chance(0.5) {
			clear(answers)
		} else if len(f.order) > 0 {
			delete(answers, f.order[0].ip())
		}
	}
	f.them.client.show(answers)
	return nil
}

// podsReport lets ours sample the pods that upstream has asked.
func (f *fleet) podsReport(now time.Time) error {
	asked := f.them.client.taken()
	if len(f.reports) > 0 {
		f.sample.follow(f.reports, f.window, func(i int) bool { return asked[f.order[i].ip()] })
	}
	f.us.Collect(now, messages.Stats{Pods: f.reports})
	return nil
}
