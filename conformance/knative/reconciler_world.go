package knative

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/knative"

	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/autoscaler/config"
	aresources "knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

// world is a revision from its first moment, or from one at which the
// autoscaler starts again, with pods and an ingress that take their time.
type world struct {
	fleet
	manifests
	seed    uint64
	seconds int
	isNew   bool

	startup  int           // seconds at most until a pod is ready
	failing  float64       // chance of a pod never to become ready
	flapping float64       // chance in a second of a pod to be unready for a while
	turning  time.Duration // how long the ingress takes at most to turn
	lost     float64       // chance of the ingress to take twenty times as long

	turns   time.Time     // when the ingress turns; zero: it does not
	path    messages.Path // of a probe
	created time.Time

	ours     ours.Spec
	cluster  *controllers
	decision messages.Decision // our latest
	seen     observer
	compared int
}

// observer is told of every comparison, before it is made.
type observer interface {
	compares(w *world, theirs said)
}

func newWorld(seed uint64) *world {
	w := &world{fleet: fleet{dice: newDice("reconciler", seed)}, seed: seed, path: messages.PathProxy}
	d := &w.dice
	w.manifests = drawManifests(d)
	if d.chance(0.7) {
		w.sleepy(d)
	}
	w.load = newLoad(d, pick(d, 0, 0.5, 0.5, 0.8))
	w.isNew = d.chance(0.6)
	w.seconds = pick(d, 200, 500, 1000)
	w.startup = pick(d, 1, 5, 30, 100)
	w.failing = pick(d, 0, 0, 0.1, 0.8)
	w.flapping = pick(d, 0, 0, 0.01)
	w.turning = time.Duration(pick(d, 10, 800, 5000, 20_000)) * time.Millisecond
	w.lost = pick(d, 0, 0.2)
	return w
}

// sleepy makes a revision that can go to zero, and soon does.
func (m *manifests) sleepy(d *dice) {
	delete(m.data, "min-scale")
	delete(m.data, "enable-scale-to-zero")
	for _, name := range autoscaling.MinScaleAnnotation {
		delete(m.annotations, name)
	}
	m.annotations[autoscaling.WindowAnnotationKey] = pick(d, "6s", "10s", "20s", "30s")
}

// begin makes both sides at one instant.
func (w *world) begin() error {
	d := &w.dice
	spec, err := w.spec(w.isNew, w.sample.draw)
	if err != nil {
		return fmt.Errorf("ours refuses what upstream accepts: %w", err)
	}
	w.ours = spec
	replicas := spec.InitialScale()
	if !w.isNew {
		replicas = int32(pick(d, 0, 0, 1, 1, 2, 4, 7))
	}
	if w.cluster, err = startControllers(w.data, replicas); err != nil {
		return err
	}
	w.them, w.decision.Desired = w.cluster.engine, replicas
	time.Sleep(time.Duration(pick(d, 130, 270, 410)+d.IntN(50)) * time.Millisecond)
	w.created = time.Now()
	if !w.isNew {
		for range replicas {
			w.grow(w.created.Add(-time.Hour), 0)
		}
	}
	if err := w.show(nil); err != nil {
		return err
	}
	w.cluster.server.ingress.set(w.path)
	synctest.Wait()
	pa := w.podAutoscaler()
	if !w.isNew {
		if err := w.cluster.server.restore(w.cluster.ctx, pa, replicas); err != nil {
			return err
		}
	}
	if err := w.cluster.server.createPodAutoscaler(w.cluster.ctx, pa); err != nil {
		return err
	}
	synctest.Wait()
	if w.us, err = ours.New(spec, w.created); err != nil {
		return fmt.Errorf("ours refuses what upstream accepts: %w", err)
	}
	if err := w.reconcile(w.created); err != nil {
		return err
	}
	configuration, err := config.NewConfigFromMap(w.data)
	if err != nil {
		return err
	}
	w.window = aresources.StableWindow(pa, configuration)
	return nil
}

// show makes the API show the pods as they are now.
func (w *world) show(before []pod) error {
	now := time.Now()
	for i := range w.pods {
		w.pods[i].move(now)
	}
	return w.cluster.server.showPods(w.cluster.ctx, w.pods, before)
}

func (w *world) observe() messages.Observation {
	o := messages.Observation{Path: w.path}
	o.Replicas.Created, o.Replicas.Ready = w.counts()
	o.Replicas.Desired = w.decision.Desired
	return o
}

func (w *world) reconcile(now time.Time) error {
	d, err := w.us.Reconcile(now, w.observe())
	return w.compare(now, d, err)
}

// run drives a world on both sides and stops at the first difference. It has to
// be called in a bubble.
func (w *world) run(seen observer) (compared int, err error) {
	w.seen = seen
	defer func() {
		if w.cluster != nil {
			w.cluster.close()
			synctest.Wait()
		}
	}()
	if err := w.begin(); err != nil {
		return 0, w.failed(err)
	}
	const scrape = 200 * time.Millisecond
	if err := w.until(w.created.Add(scrape)); err != nil {
		return 0, w.failed(err)
	}
	if err := w.cluster.collect(); err != nil {
		return 0, w.failed(err)
	}
	for second := range w.seconds {
		jitter := func(base int) time.Duration { return time.Duration(base+w.IntN(80)) * time.Millisecond }
		plan := []event{
			{0, w.engineTicks}, {scrape - time.Millisecond, w.podsCount}, {scrape, w.podsReport},
			{jitter(300), w.podsMove}, {jitter(400), w.proxyReports}, {jitter(500), w.proxyWakes}, {jitter(600), w.ingressTurns},
			{jitter(700), w.podsMove}, {jitter(850), w.proxyReports},
		}
		for _, e := range plan {
			now := w.created.Add(time.Duration(second)*time.Second + e.offset)
			if !now.After(time.Now()) {
				continue
			}
			if err := w.until(now); err != nil {
				return w.compared, w.failed(err)
			}
			if err := e.happens(now); err != nil {
				return w.compared, w.failed(err)
			}
		}
	}
	return w.compared, nil
}

// until goes on to an instant, and stops at those that ours asks for.
func (w *world) until(now time.Time) error {
	for {
		next := w.us.Next()
		if next.IsZero() || !next.Before(now) {
			break
		}
		time.Sleep(time.Until(next))
		synctest.Wait()
		if err := w.reconcile(next); err != nil {
			return err
		}
	}
	time.Sleep(time.Until(now))
	synctest.Wait()
	return nil
}

func (w *world) failed(err error) error {
	return fmt.Errorf("seed %d, comparison %d: %w\nnew %v, %v", w.seed, w.compared, err, w.isNew, w.manifests)
}

// compare holds what both sides have come to at an instant against one another.
func (w *world) compare(now time.Time, d messages.Decision, err error) error {
	if err != nil {
		return err
	}
	before := w.decision.Desired
	w.decision = d
	theirs, changes := w.cluster.server.take()
	w.compared++
	_, ready := w.counts()
	own := said{
		Replicas: d.Desired, Path: messages.PathDirect, Desired: int32(d.Signal("desired_scale")), Activators: w.ours.Activators(ready),
		Conditions: slices.Clone(d.Conditions),
	}
	if d.Signal("proxy_mode") == 1 {
		own.Path = messages.PathProxy
	}
	if d.Desired != before {
		own.Writes = []write{{now, d.Desired}}
	}
	w.seen.compares(w, theirs)
	if diff := cmp.Diff(theirs, own); diff != "" {
		return fmt.Errorf("at %v upstream (-) and ours (+) differ\n%s%s %v", now.Sub(w.created), diff, d.Message, d.Steps)
	}
	for _, at := range changes {
		if !at.Equal(now) {
			return fmt.Errorf("at %v upstream writes something, ours looks at %v", at.Sub(w.created), now.Sub(w.created))
		}
	}
	w.turn(now)
	return nil
}
