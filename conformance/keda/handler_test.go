package keda

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	ours "github.com/scalelab/scalelab/scaling/keda"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	worldsFlag = flag.Int("worlds", 60, "worlds of the handler")
	drawsFlag  = flag.Int("draws", 400, "ScaledObjects of the other tests")
)

func firstSeed(t *testing.T) uint64 {
	ctrl.SetLogger(logr.Discard())
	seed := *seedFlag
	if seed == 0 {
		y, m, d := time.Now().Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	t.Logf("worlds from seed %d on", seed)
	return seed
}

// TestConformanceHandler plays random worlds to the real scale handler and ours.
func TestConformanceHandler(t *testing.T) {
	seed, begun := firstSeed(t), time.Now()
	p := newPrometheus()
	defer p.Close()
	counts := map[string]int{}
	worlds, wrong := 0, 0
	for ; worlds < *worldsFlag && wrong < 3; seed++ {
		var err error
		synctest.Test(t, func(*testing.T) { err = play(seed, p, counts) })
		if err != nil {
			wrong++
			t.Errorf("seed %d: %v", seed, err)
		}
		worlds++
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[what], what)
	}
	t.Logf("%d worlds, %d polls and %d answers compared, %d mismatches, %.1f s", worlds, counts["polls"], counts["answers"], wrong, time.Since(begun).Seconds())
}

// world is one ScaledObject in both.
type world struct {
	die
	prometheus *prometheus
	counts     map[string]int
	manifest   *ours.ScaledObject
	mine       *ours.Autoscaler
	horizontal *ours.Horizontal
	real       *upstream
	answers    map[string]string
	text       string // of the ScaledObject
	log        []string
}

const minutes = 12

func play(seed uint64, p *prometheus, counts map[string]int) error {
	w := &world{die: newDie(seed), prometheus: p, counts: counts, answers: map[string]string{}}
	// A little after the second, as nearly always.
	time.Sleep(time.Duration(w.IntN(3)) * 333 * time.Millisecond)
	object, err := w.create()
	if err != nil {
		return nil // not valid
	}
	w.change(100)
	if _, err := w.real.handler.GetScalersCache(context.Background(), object.DeepCopy()); err != nil { // as the reconciler, for the HPA
		return err
	}
	if err := w.real.handler.HandleScalableObject(context.Background(), object); err != nil {
		return err
	}
	defer func() {
		w.real.handler.DeleteScalableObject(context.Background(), object)
		synctest.Wait()
		time.Sleep(time.Minute) // caches are closed
	}()
	if err := w.run(); err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, w.text, strings.Join(w.log, "\n"))
	}
	return nil
}

// create makes the object in both; the error says that ours refuses it.
func (w *world) create() (*v1alpha1.ScaledObject, error) {
	tree := w.object("prometheus", "prometheus", "prometheus", "cron", "cpu")
	for _, t := range tree["spec"].(map[string]any)["triggers"].([]any) {
		if m := t.(map[string]any)["metadata"].(map[string]any); m["serverAddress"] != nil {
			m["serverAddress"] = w.prometheus.URL
		}
	}
	calm(tree["spec"].(map[string]any))
	mine, real, err := both(tree)
	if err != nil {
		return nil, err
	}
	spec := ours.Spec{Manifest: mine, Controller: hpa.DefaultController()}
	if w.mine, err = ours.New(spec, time.Now()); err != nil {
		w.counts["refused"]++
		return nil, err
	}
	if w.horizontal, err = w.mine.Horizontal(); err != nil {
		return nil, err
	}
	w.manifest = mine
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	w.text = string(text)
	real.CreationTimestamp.Time = time.Now().Truncate(time.Second)
	real.Status.ScaleTargetGVKR = &v1alpha1.GroupVersionKindResource{Group: "apps", Version: "v1", Kind: "Deployment", Resource: "deployments"}
	real.Status.HpaName = mine.HPAName()
	real.Status.Conditions = *v1alpha1.GetInitializedConditions()
	for _, m := range w.external(mine) {
		real.Status.ExternalMetricNames = append(real.Status.ExternalMetricNames, m)
	}
	w.real = newUpstream(real, mine.HPA(), int32(w.IntN(4)))
	return real, nil
}

// calm takes the fallback from a formula over several triggers that can fail: KEDA
// asks them at the same time, and how often it then counts depends on who is first.
func calm(spec map[string]any) {
	advanced, _ := spec["advanced"].(map[string]any)
	failing := 0
	for _, t := range spec["triggers"].([]any) {
		if t.(map[string]any)["type"] == "prometheus" {
			failing++
		}
	}
	if advanced["scalingModifiers"] != nil && failing > 1 {
		delete(spec, "fallback")
	}
}

// external are the names of the metrics of external triggers.
func (w *world) external(o *ours.ScaledObject) (names []string) {
	plain := *o
	plain.Spec.Advanced = nil // without a formula each has one of its own
	for _, m := range plain.HPA().Spec.Metrics {
		if m.External != nil {
			names = append(names, m.External.Metric.Name)
		}
	}
	return names
}

// change draws new answers of Prometheus.
func (w *world) change(percent int) {
	for _, query := range []string{"a", "b", "c"} {
		if !w.chance(percent) {
			continue
		}
		answer := w.pick("0", "0", "1", "3.25", "7", "25.4321", "-2", "NaN", "+Inf", "empty", "error", "error", "error")
		w.answers[query] = answer
		w.prometheus.set(query, answer)
	}
}

// seen is what ours sees of the same instant.
func (w *world) seen(queries []messages.Query) messages.Observation {
	n := w.real.replicas()
	o := messages.Observation{Replicas: messages.Replicas{Desired: n, Created: n, Ready: w.real.ready}}
	for range w.real.ready {
		o.Pods = append(o.Pods, messages.Pod{Phase: messages.PodRunning, Ready: true, HasCondition: true})
	}
	for _, q := range queries {
		o.Metrics = append(o.Metrics, w.answer(q))
	}
	return o
}

func (w *world) answer(q messages.Query) messages.Metric {
	if q.Kind == messages.QueryResource {
		return messages.Metric{Err: "no CPU"}
	}
	switch text := w.answers[q.Name]; text {
	case "empty":
		return messages.Metric{Err: messages.EmptyResult}
	case "error":
		return messages.Metric{Err: "503"}
	default:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		return messages.Metric{Value: v}
	}
}

// run lets the real loop poll at its instants, ours at the same, and the HPA ask
// half a second later than at every quarter of a minute.
func (w *world) run() error {
	begun := time.Now()
	if err := w.first(); err != nil { // the one at the start
		return err
	}
	nextPoll, nextSync := begun.Add(w.mine.Period()), begun.Add(500*time.Millisecond)
	for time.Since(begun) < minutes*time.Minute {
		w.change(20)
		if nextSync.Before(nextPoll) {
			time.Sleep(time.Until(nextSync))
			nextSync = nextSync.Add(15 * time.Second)
			if err := w.sync(); err != nil {
				return err
			}
			continue
		}
		if err := w.pollAt(nextPoll); err != nil {
			return err
		}
		nextPoll = nextPoll.Add(w.mine.Period())
	}
	return nil
}

// pollAt looks at what the real loop will see at an instant, lets it, and compares.
func (w *world) pollAt(at time.Time) error {
	time.Sleep(time.Until(at) - time.Nanosecond)
	synctest.Wait()
	return w.compare(at, w.seen(w.mine.Queries()), func() { time.Sleep(time.Nanosecond); synctest.Wait() })
}

// first is the poll with which the loop begins.
func (w *world) first() error {
	return w.compare(time.Now(), w.seen(w.mine.Queries()), synctest.Wait)
}

func (w *world) compare(at time.Time, seen messages.Observation, wait func()) error {
	wait()
	d, err := w.mine.Decide(at, seen)
	if err != nil {
		return err
	}
	w.counts["polls"]++
	w.counts["poll "+string(d.Reason)]++
	w.log = append(w.log, fmt.Sprintf("%s poll of %v: %s", at.Format(time.TimeOnly+".000"), w.answers, d.Message))
	if got := w.real.replicas(); got != d.Desired {
		return fmt.Errorf("%s: KEDA scales from %d to %d, ours to %d (%s)", at.Format(time.TimeOnly+".000"), seen.Replicas.Desired, got, d.Desired, d.Message)
	}
	status := w.real.status()
	last := time.Time{}
	if status.LastActiveTime != nil {
		last = status.LastActiveTime.Time
	}
	if !last.Equal(w.mine.LastActive()) {
		return fmt.Errorf("%s: KEDA was last active at %s, ours at %s", at, last, w.mine.LastActive())
	}
	return w.health(status)
}

// health compares the failures in a row.
func (w *world) health(status v1alpha1.ScaledObjectStatus) error {
	for metric, n := range w.mine.Failures() {
		real := int32(0)
		if h := status.Health[metric]; h.NumberOfFailures != nil {
			real = *h.NumberOfFailures
		}
		if real != n {
			return fmt.Errorf("%s has failed %d times for KEDA, %d for ours", metric, real, n)
		}
	}
	return nil
}

// sync lets our HPA decide on what our adapter says, and the real adapter answer the
// same questions. What the HPA wants is done in both.
func (w *world) sync() error {
	synctest.Wait()
	cur := w.real.replicas()
	d, err := w.horizontal.Decide(time.Now(), w.seen(w.horizontal.Queries()))
	if err != nil {
		return err
	}
	w.log = append(w.log, fmt.Sprintf("%s sync of %v: %s", time.Now().Format(time.TimeOnly+".000"), w.answers, d.Message))
	h := w.manifest.HPA()
	if cur > 0 && cur >= *h.Spec.MinReplicas && cur <= h.Spec.MaxReplicas {
		for i, m := range h.Spec.Metrics {
			if m.External == nil {
				continue
			}
			if err := w.compareAnswer(m.External.Metric.Name, w.horizontal.Seen()[i]); err != nil {
				return err
			}
		}
	}
	active := slices.ContainsFunc(d.Conditions, func(c messages.Condition) bool {
		return c.Type == string(autoscalingv2.ScalingActive) && c.Status == "True"
	})
	if err := w.real.setActive(h.Name, active); err != nil {
		return err
	}
	if d.Desired != cur {
		w.real.setReplicas(d.Desired)
	}
	w.real.ready = max(0, d.Desired-int32(w.IntN(2)))
	return w.health(w.real.status())
}

func (w *world) compareAnswer(name string, mine messages.Metric) error {
	milli, err := w.real.metric(name)
	synctest.Wait()
	w.counts["answers"]++
	switch {
	case err != nil && mine.Err != "":
		w.counts["answer failed"]++
		if !strings.HasSuffix(mine.Err, err.Error()) {
			return fmt.Errorf("%s: KEDA says %q, ours %q", name, err, mine.Err)
		}
	case err != nil || mine.Err != "" || milli != mine.Milli && !(milli == math.MinInt64 && mine.Milli == math.MinInt64):
		return fmt.Errorf("%s at %s: KEDA answers %d (%v), ours %d (%s)", name, time.Now().Format(time.TimeOnly+".000"), milli, err, mine.Milli, mine.Err)
	}
	return nil
}
