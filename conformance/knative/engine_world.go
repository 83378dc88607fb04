package knative

import (
	"context"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/knative"

	"k8s.io/client-go/tools/cache"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
	aresources "knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

// engineWorld is a revision, its pods and its traffic.
type engineWorld struct {
	fleet
	manifests
	seed    uint64
	seconds int
	startup int     // seconds at most
	follows bool    // the count of pods is what upstream wants
	wakes   float64 // chance of a wake-up in a second

	index   cache.Indexer
	created time.Time
	target  float64 // per pod
	ticks   int
	seen    engineObserver
}

func newEngineWorld(seed uint64) *engineWorld {
	w := &engineWorld{fleet: fleet{dice: newDice("engine", seed)}, seed: seed}
	d := &w.dice
	w.manifests = drawManifests(d)
	w.load = newLoad(d, 0.05)
	w.seconds = pick(d, 120, 300, 600, 1200)
	w.startup = pick(d, 0, 5, 40)
	w.follows = d.chance(0.7)
	w.wakes = pick(d, 0, 0.02, 0.2)
	return w
}

// engineObserver is told of every tick, before it is compared.
type engineObserver interface {
	saw(w *engineWorld, theirs tick, decision messages.Decision)
}

// begin makes both sides at one instant. The first tick is two seconds later.
func (w *engineWorld) begin(scrape time.Duration) error {
	d := &w.dice
	time.Sleep(time.Duration(d.IntN(1000)) * time.Millisecond)
	w.created = time.Now()
	w.index = newPodIndex()
	age := pick(d, time.Second, 20*time.Second, time.Hour)
	for range pick(d, 0, 0, 1, 1, 2, 5, 9) {
		w.grow(w.created.Add(-age), 0)
	}
	if err := w.publish(w.created); err != nil {
		return err
	}
	configuration, err := config.NewConfigFromMap(w.data)
	if err != nil {
		return err
	}
	pa := w.podAutoscaler()
	w.them = newUpstream(w.index)
	decider, err := w.them.scaler.Create(context.Background(), resources.MakeDecider(pa, configuration))
	if err != nil {
		return err
	}
	w.target, w.window = decider.Spec.TargetValue, decider.Spec.StableWindow
	spec, err := w.spec(d.chance(0.5), w.sample.draw)
	if err != nil {
		return fmt.Errorf("ours refuses what upstream accepts: %w", err)
	}
	if w.us, err = ours.New(spec, w.created); err != nil {
		return fmt.Errorf("ours refuses what upstream accepts: %w", err)
	}
	decision, err := w.us.Reconcile(w.created, w.observe())
	if err != nil {
		return err
	}
	_, ready := w.counts()
	theirs := tick{At: w.created, Desired: decider.Status.DesiredScale, Excess: decider.Status.ExcessBurstCapacity,
		InPanic: ready > 1}
	if own := ourTick(w.created, decision); !theirs.same(own) {
		return w.mismatch(theirs, own, decision)
	}
	time.Sleep(scrape)
	target := "metrics"
	if decider.Spec.TargetBurstCapacity == -1 {
		target = ""
	}
	return w.them.collector.CreateOrUpdate(aresources.MakeMetric(pa, target, configuration))
}

func (w *engineWorld) observe() messages.Observation {
	o := messages.Observation{Path: pick(&w.dice, messages.PathProxy, messages.PathDirect)}
	o.Replicas.Created, o.Replicas.Ready = w.counts()
	o.Replicas.Desired = o.Replicas.Created
	return o
}

// movePods lets pods come and go.
func (w *engineWorld) movePods(now time.Time) {
	w.pods = slices.DeleteFunc(w.pods, func(p pod) bool { return !p.gone.IsZero() && p.gone.Before(now) })
	want := len(w.pods)
	if decider, err := w.them.scaler.Get(context.Background(), namespace, name); err == nil && w.follows {
		want = int(max(0, min(decider.Status.DesiredScale, 40)))
	} else if w.chance(0.1) {
		want = w.between(0, pick(&w.dice, 3, 8, 40))
	}
	for n := len(w.pods); n < want; n++ {
		w.grow(now, w.startup)
	}
	for i := want; i < len(w.pods); i++ {
		if p := &w.pods[i]; p.gone.IsZero() {
			p.gone = now.Add(time.Duration(w.IntN(10)) * time.Second)
		}
	}
}

// publish shows the pods to upstream.
func (w *engineWorld) publish(now time.Time) error {
	objects := make([]any, len(w.pods))
	for i := range w.pods {
		w.pods[i].move(now)
		objects[i] = w.pods[i].object()
	}
	return w.index.Replace(objects, "")
}

// run drives a world on both sides and stops at the first difference. It has to
// be called in a bubble.
func (w *engineWorld) run(seen engineObserver) (ticks int, err error) {
	w.seen = seen
	offsets := []time.Duration{150, 300, 450, 600, 750, 900}
	scrape := offsets[w.between(1, 5)] * time.Millisecond
	defer func() {
		if w.them != nil {
			w.them.close()
			synctest.Wait()
		}
	}()
	if err := w.begin(scrape); err != nil {
		return 0, w.failed(err)
	}
	others := slices.DeleteFunc(offsets, func(o time.Duration) bool { return o*time.Millisecond == scrape })
	at := func(i int) time.Duration {
		return others[i]*time.Millisecond + time.Duration(w.IntN(100))*time.Millisecond
	}
	for second := range w.seconds {
		plan := []event{
			{0, w.engineTicks}, {at(0), w.podsMove}, {scrape - time.Millisecond, w.podsCount}, {scrape, w.podsReport},
			{at(1), w.proxyReports}, {at(2), w.proxyReports}, {at(3), w.proxyWakes},
		}
		slices.SortFunc(plan, func(a, b event) int { return int(a.offset - b.offset) })
		for _, e := range plan {
			now := w.created.Add(time.Duration(second)*time.Second + e.offset)
			if !now.After(time.Now()) {
				continue // begin took this long
			}
			time.Sleep(time.Until(now))
			synctest.Wait()
			if err := e.happens(now); err != nil {
				return w.ticks, w.failed(err)
			}
		}
	}
	return w.ticks, nil
}

// event is something that happens in a second.
type event struct {
	offset  time.Duration
	happens func(now time.Time) error
}

func (w *engineWorld) failed(err error) error {
	return fmt.Errorf("seed %d, tick %d: %w\n%v", w.seed, w.ticks, err, w.manifests)
}

// podsMove changes the pods and the traffic.
func (w *engineWorld) podsMove(now time.Time) error {
	w.movePods(now)
	w.load.step(&w.dice, w.target)
	return w.publish(now)
}

// proxyReports is the report of an activator, if it has any.
func (w *engineWorld) proxyReports(now time.Time) error {
	if w.load.proxied == 0 {
		return nil
	}
	r := w.load.proxy(&w.dice)
	w.them.hear(now, r)
	synctest.Wait()
	w.us.Collect(now, messages.Stats{Proxies: []messages.ProxyStats{r}})
	if next := w.us.Next(); next.IsZero() || next.After(now) {
		return w.compare(now, messages.Decision{})
	}
	decision, err := w.us.Reconcile(now, w.observe())
	if err != nil {
		return err
	}
	return w.compare(now, decision)
}

// proxyWakes is an activator's first request for a revision it did not know.
func (w *engineWorld) proxyWakes(now time.Time) error {
	if !w.chance(w.wakes) {
		return nil
	}
	w.them.hear(now, messages.ProxyStats{Concurrency: 1, Requests: 1})
	synctest.Wait()
	decision, err := w.us.Wake(now, messages.RequestCount{Count: 1, Svc: name, Namespace: namespace}, w.observe().Replicas)
	if err != nil {
		return err
	}
	return w.compare(now, decision)
}

// engineTicks is a tick in every other second.
func (w *engineWorld) engineTicks(now time.Time) error {
	if now.Sub(w.created)%period != 0 {
		return nil
	}
	decision, err := w.us.Decide(now, w.observe())
	if err != nil {
		return err
	}
	return w.compare(now, decision)
}
