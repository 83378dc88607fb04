package knative

import (
	"slices"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// turn has the ingress follow whoever is in the way of requests.
func (w *world) turn(now time.Time) {
	switch {
	case w.decision.Path == w.path:
		w.turns = time.Time{}
	case w.turns.IsZero():
		lag := time.Duration(w.Float64() * float64(w.turning))
		if w.chance(w.lost) {
			lag *= 20
		}
		w.turns = now.Add(lag)
	}
}

// ingressTurns changes the way of requests where it is due. It does not at the
// instant of a probe, whose answer would be chance.
func (w *world) ingressTurns(now time.Time) error {
	if w.turns.IsZero() || w.turns.After(now) || w.us.Next().Equal(now) {
		return nil
	}
	w.turns = time.Time{}
	if w.path == messages.PathProxy {
		w.path = messages.PathDirect
	} else {
		w.path = messages.PathProxy
	}
	w.cluster.server.ingress.set(w.path)
	return w.reconcile(now) // of no interest to the autoscaler
}

// engineTicks is a tick in every other second.
func (w *world) engineTicks(now time.Time) error {
	if now.Sub(w.created)%period != 0 {
		return nil
	}
	d, err := w.us.Decide(now, w.observe())
	return w.compare(now, d, err)
}

// podsMove makes and ends pods as the Deployment wants them.
func (w *world) podsMove(now time.Time) error {
	w.load.step(&w.dice, pick(&w.dice, 1.0, 10, 70))
	before := slices.Clone(w.pods)
	created, _ := w.counts()
	for ; created < min(w.decision.Desired, 30); created++ {
		w.grow(now, w.startup)
		if w.chance(w.failing) {
			w.pods[len(w.pods)-1].ready = now.Add(time.Hour)
		}
	}
	for i := len(w.pods) - 1; i >= 0 && created > w.decision.Desired; i-- {
		if p := &w.pods[i]; p.gone.IsZero() {
			p.gone = now
			created--
		}
	}
	for i := range w.pods {
		if p := &w.pods[i]; p.isReady && w.chance(w.flapping) {
			p.ready = now.Add(time.Duration(w.between(1, 30)) * time.Second)
		}
	}
	return w.showChanged(now, before)
}

// showChanged shows the pods if their counts have changed. Pods that are gone
// are forgotten at the same time: no event comes without another count.
func (w *world) showChanged(now time.Time, before []pod) error {
	after := slices.Clone(w.pods)
	for i := range after {
		after[i].move(now)
	}
	count := func(pods []pod) (created, ready int32) { return (&fleet{pods: pods}).counts() }
	c0, r0 := count(before)
	c1, r1 := count(after)
	if c0 == c1 && r0 == r1 {
		// Whatever else has changed is seen with the next change.
		return nil
	}
	w.pods = slices.DeleteFunc(after, func(p pod) bool { return !p.gone.IsZero() && p.gone.Before(now) })
	if err := w.cluster.server.showPods(w.cluster.ctx, w.pods, before); err != nil {
		return err
	}
	synctest.Wait()
	return w.reconcile(now)
}

// proxyReports is the report of an activator that requests come by.
func (w *world) proxyReports(now time.Time) error {
	_, ready := w.counts()
	if ready > 0 && w.load.proxied == 0 {
		return nil
	}
	r := w.load.proxy(&w.dice)
	if ready == 0 {
		level := w.load.value(w.load.now(&w.dice), true)
		r = messages.ProxyStats{Concurrency: level, Requests: level}
	}
	w.them.hear(now, r)
	synctest.Wait()
	w.us.Collect(now, messages.Stats{Proxies: []messages.ProxyStats{r}})
	return w.reconcile(now)
}

// proxyWakes is an activator's first request for a revision it did not know.
func (w *world) proxyWakes(now time.Time) error {
	if _, ready := w.counts(); ready > 0 || !w.chance(0.02) {
		return nil
	}
	w.them.hear(now, messages.ProxyStats{Concurrency: 1, Requests: 1})
	synctest.Wait()
	d, err := w.us.Wake(now, messages.RequestCount{Count: 1, Svc: name, Namespace: namespace}, w.observe().Replicas)
	return w.compare(now, d, err)
}
