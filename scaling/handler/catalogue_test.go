package handler_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/handler"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// TestCatalogueDrivesTheHandler plays every scenario of the catalogue that has
// an ElastiService to the real handler on a fake cluster: its triggers answer,
// requests are held, and the HPA beside it scales when they did in the
// simulation. The handler must set the same counts at the same instants, and
// the sequence of its API calls is on record.
func TestCatalogueDrivesTheHandler(t *testing.T) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		require.NoError(t, err)
		for _, strategy := range s.AutoscalerNames() {
			spec, err := s.Spec(strategy, s.Document.Seed)
			require.NoError(t, err)
			// A released version decides differently, and incidents befall the
			// simulated operator only. A fleet keeps no decisions to be held against.
			if e := spec.Strategy.Elasti; e == nil || e.World.Released() || len(e.World.Incidents) > 0 || spec.Fleet != nil {
				continue
			}
			t.Run(name+"/"+strategy, func(t *testing.T) {
				result, err := sim.Run(context.Background(), spec)
				require.NoError(t, err)
				objects, err := s.Objects(strategy)
				require.NoError(t, err)
				synctest.Test(t, func(t *testing.T) {
					p := newPlay(t, spec, objects, result)
					p.run()
					assert.Equal(t, p.simulated(), p.written())
					golden(t, name+"."+strategy, p.script())
				})
			})
		}
	}
}

// play is one scenario on its way through the handler.
type play struct {
	t       *testing.T
	start   time.Time
	spec    sim.Spec
	result  *sim.Result
	cluster *fakecluster.Cluster
	ops     *k8shelper.Ops
	handler *handler.Handler
	target  k8shelper.Target
	votes   map[time.Duration]messages.Decision // of the simulated polls
	others  map[int]bool                        // calls that are not the handler's
}

func newPlay(t *testing.T, spec sim.Spec, objects sim.Objects, result *sim.Result) *play {
	p := &play{
		t: t, start: time.Now(), spec: spec, result: result,
		target: k8shelper.Deployment(objects.Deployment.Namespace, objects.Deployment.Name),
		votes:  map[time.Duration]messages.Decision{},
		others: map[int]bool{},
	}
	var err error
	p.cluster, err = fakecluster.New(fakecluster.Options{Clock: clock.RealClock{}, LogCalls: 1 << 20})
	require.NoError(t, err)
	service, err := runtime.DefaultUnstructuredConverter.ToUnstructured(objects.Elasti)
	require.NoError(t, err)
	objects.Elasti.CreationTimestamp = metav1.NewTime(p.start)
	u := &unstructured.Unstructured{Object: service}
	u.SetCreationTimestamp(metav1.NewTime(p.start))
	for _, object := range []runtime.Object{objects.Deployment, objects.Service, u} {
		require.NoError(t, p.cluster.Put(object))
	}
	p.ops, err = k8shelper.New(p.cluster.Clients())
	require.NoError(t, err)
	p.handler, err = handler.New(handler.Options{
		Clients:         p.cluster.Clients(),
		Clock:           clock.RealClock{},
		Log:             slog.New(slog.DiscardHandler),
		Scalers:         func(handler.Source) (scaling.Scaler, error) { return &recorded{p}, nil },
		PollingInterval: spec.Strategy.Elasti.Controller.PollingInterval,
	})
	require.NoError(t, err)
	p.cluster.ClearCalls()
	return p
}

// run lets the handler live through the scenario.
func (p *play) run() {
	for _, d := range p.result.Decisions {
		if d.Autoscaler == "elasti" && !isWake(d) {
			for again := range d.Again + 1 {
				p.votes[instant(d)+time.Duration(again)*p.spec.Strategy.Elasti.Controller.PollingInterval] = messages.Decision{Reason: d.Reason, Steps: d.Steps}
			}
		}
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.handler.Run(ctx) }()
	for _, d := range p.result.Decisions {
		switch {
		case d.Autoscaler == "hpa" && d.Desired != d.Current:
			// Just before the poll of the same instant, as in the simulation.
			p.until(instant(d) - time.Millisecond)
			p.rescale(d.Desired)
		case isWake(d):
			p.until(instant(d))
			require.NoError(p.t, p.handler.Wake(ctx, messages.RequestCount{Count: 1, Svc: p.spec.Service, Namespace: p.spec.Namespace}))
		}
	}
	p.until(time.Duration(p.result.DurationS*1e9) - time.Millisecond)
	cancel()
	require.NoError(p.t, <-ended)
}

func (p *play) until(at time.Duration) {
	time.Sleep(time.Until(p.start.Add(at)))
	synctest.Wait()
}

// rescale is somebody else's.
func (p *play) rescale(replicas int32) {
	before, _ := p.cluster.Calls()
	_, err := p.ops.SetScale(p.t.Context(), p.target, replicas)
	require.NoError(p.t, err)
	after, _ := p.cluster.Calls()
	for i := len(before); i < len(after); i++ {
		p.others[i] = true
	}
}

func isWake(d sim.Decision) bool {
	return d.Autoscaler == "elasti" && len(d.Steps) > 0 && strings.HasPrefix(d.Steps[0].Detail, "requests held")
}

func instant(d sim.Decision) time.Duration { return time.Duration(math.Round(d.TS * 1e9)) }

// simulated are the changes that the simulated operator made.
func (p *play) simulated() []string {
	changes := []string{}
	for _, d := range p.result.Decisions {
		if d.Autoscaler == "elasti" && d.Desired != d.Current {
			changes = append(changes, fmt.Sprintf("%s replicas=%d", instant(d), d.Desired))
		}
	}
	return changes
}

// written are the counts that the handler wrote.
func (p *play) written() []string {
	changes := []string{}
	calls, dropped := p.cluster.Calls()
	require.Zero(p.t, dropped)
	for i, c := range calls {
		if !p.others[i] && c.Subresource == "scale" && c.IsWrite() {
			changes = append(changes, fmt.Sprintf("%s %s", c.At.Sub(p.start), c.Detail))
		}
	}
	return changes
}

// script is the sequence of the handler's calls by instant; what repeats at
// equal distances is written once.
func (p *play) script() string {
	type group struct {
		at    time.Duration
		calls string
	}
	var groups []group
	calls, _ := p.cluster.Calls()
	for i, c := range calls {
		if p.others[i] {
			continue
		}
		at := c.At.Sub(p.start)
		call := "  " + strings.ReplaceAll(c.String(), c.At.UTC().Format(time.RFC3339), "now") + "\n"
		if last := len(groups) - 1; last >= 0 && groups[last].at == at {
			groups[last].calls += call
		} else {
			groups = append(groups, group{at, call})
		}
	}
	var b strings.Builder
	for len(groups) > 0 {
		n := 1
		for n < len(groups) && groups[n].calls == groups[0].calls && groups[n].at-groups[n-1].at == groups[1].at-groups[0].at {
			n++
		}
		if n < 3 {
			n = 1
			fmt.Fprintf(&b, "%s\n", groups[0].at)
		} else {
			fmt.Fprintf(&b, "%s to %s, every %s\n", groups[0].at, groups[n-1].at, groups[1].at-groups[0].at)
		}
		b.WriteString(groups[0].calls)
		groups = groups[n:]
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "catalogue", name+".txt")
	if handler.Update() {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// recorded is a trigger that answers as it did in the simulation.
type recorded struct{ play *play }

func (r *recorded) poll() messages.Decision {
	d, known := r.play.votes[time.Since(r.play.start)]
	require.True(r.play.t, known, "the handler asks at %s, when the simulated operator did not", time.Since(r.play.start))
	return d
}

func (r *recorded) IsHealthy(context.Context) (bool, error) {
	return r.poll().Reason != messages.ReasonMetricFailed, nil
}

func (r *recorded) ShouldScaleToZero(context.Context) (bool, error) {
	return slices.ContainsFunc(r.poll().Steps, func(s messages.Step) bool {
		return s.Stage == messages.StageTrigger && s.Replicas == 0
	}), nil
}

func (r *recorded) ShouldScaleFromZero(ctx context.Context) (bool, error) {
	zero, err := r.ShouldScaleToZero(ctx)
	return !zero, err
}

func (r *recorded) Close() error { return nil }
