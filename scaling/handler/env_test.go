package handler

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

var update = flag.Bool("update", false, "rewrite the golden scripts")

var errTest = errors.New("test")

// env is a cluster with one ElastiService shop/web, and a handler.
type env struct {
	t       *testing.T
	start   time.Time
	cluster *fakecluster.Cluster
	kind    string
	options Options
	handler *Handler
	trigger *stub
	stop    func()
	log     strings.Builder
	faults  atomic.Pointer[fakecluster.Faults]
	own     map[int]bool // calls of the test itself, by their number in the log
}

// inBubble runs a test in virtual time: the clock of cluster and handler is the
// bubble's, and a goroutine that is left fails the test.
func inBubble(t *testing.T, test func(e *env), changes ...func(*env)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, changes...)
		test(e)
		if e.stop != nil {
			e.stop()
		}
	})
}

func newEnv(t *testing.T, changes ...func(*env)) *env {
	t.Helper()
	e := &env{t: t, start: time.Now(), kind: "Deployment", trigger: &stub{}, own: map[int]bool{}}
	var err error
	e.cluster, err = fakecluster.New(fakecluster.Options{
		Clock:    clock.RealClock{},
		LogCalls: 1 << 16,
		Faults: func(c fakecluster.Call) fakecluster.Fault {
			if faults := e.faults.Load(); faults != nil {
				return (*faults)(c)
			}
			return fakecluster.Fault{}
		},
	})
	require.NoError(t, err)
	e.options = Options{
		Clients:  e.cluster.Clients(),
		Clock:    clock.RealClock{},
		Log:      slog.New(slog.NewTextHandler(&e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Resolver: Resolver{Namespace: "elasti", Service: "resolver", Port: 8012},
		Scalers:  func(Source) (scaling.Scaler, error) { return e.trigger, nil },
	}
	e.put(resolverSlice("10.0.0.9"))
	e.put(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}},
		},
	})
	for _, change := range changes {
		change(e)
	}
	if found, err := e.options.Clients.Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop").Get(t.Context(), "web", metav1.GetOptions{}); err != nil || found == nil {
		e.put(elastiService("shop", "web", nil))
	}
	e.replicas(3, 3)
	e.pods(3)
	e.handler, err = New(e.options)
	require.NoError(t, err)
	e.cluster.ClearCalls()
	return e
}

// replicas plays whoever else scales, and the target's controller.
func (e *env) replicas(desired, created int32) {
	e.t.Helper()
	e.put(workload(e.kind, "shop", "web", desired, created))
}

// pods plays the kubelet: so many pods are ready.
func (e *env) pods(ready int) {
	e.t.Helper()
	for i := range 3 {
		status := corev1.ConditionFalse
		if i < ready {
			status = corev1.ConditionTrue
		}
		e.put(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%d", i), Namespace: "shop", Labels: map[string]string{"app": "web"}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning,
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
		})
	}
}

// run starts the handler.
func (e *env) run() {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.handler.Run(ctx) }()
	e.stop = func() {
		e.stop = nil
		cancel()
		assert.NoError(e.t, <-ended)
	}
}

// until lets time pass up to an instant of the test.
func (e *env) until(at time.Duration) {
	e.t.Helper()
	time.Sleep(time.Until(e.start.Add(at)))
	synctest.Wait()
}

func (e *env) wake() error {
	return e.handler.Wake(e.t.Context(), messages.RequestCount{Count: 3, Svc: "web", Namespace: "shop"})
}

// desired is spec.replicas of the target.
func (e *env) desired() int32 {
	e.t.Helper()
	defer e.aside()()
	ops, err := k8shelper.New(e.cluster.Clients())
	require.NoError(e.t, err)
	api := "apps/v1"
	if e.kind == "Rollout" {
		api = "argoproj.io/v1alpha1"
	}
	s, err := ops.Scale(e.t.Context(), k8shelper.Target{APIVersion: api, Kind: e.kind, Namespace: "shop", Name: "web"})
	require.NoError(e.t, err)
	return s.Desired
}

func (e *env) object(gvr string) *unstructured.Unstructured {
	e.t.Helper()
	defer e.aside()()
	resource := k8shelper.ElastiServices
	if gvr == "scaledobjects" {
		resource = k8shelper.ScaledObjects
	}
	u, err := e.cluster.Dynamic.Resource(resource).Namespace("shop").Get(e.t.Context(), "web", metav1.GetOptions{})
	require.NoError(e.t, err)
	return u
}

// aside keeps the calls up to the call of what it returns out of the script.
func (e *env) aside() func() {
	before, _ := e.cluster.Calls()
	return func() {
		after, _ := e.cluster.Calls()
		for i := len(before); i < len(after); i++ {
			e.own[i] = true
		}
	}
}

// script is the log of calls: instants since the start, verbs, resources, what
// was sent and what came out.
func (e *env) script() string {
	e.t.Helper()
	calls, dropped := e.cluster.Calls()
	require.Zero(e.t, dropped)
	var b strings.Builder
	for i, c := range calls {
		if !e.own[i] {
			fmt.Fprintf(&b, "%-7s %s\n", c.At.Sub(e.start), c)
		}
	}
	return b.String()
}

// golden compares the script with testdata; -update rewrites it.
func (e *env) golden(name string) {
	e.t.Helper()
	file := filepath.Join("testdata", name+".txt")
	got := e.script()
	if *update {
		require.NoError(e.t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(e.t, err)
	assert.Equal(e.t, string(want), got)
}

func (e *env) delete(name string) {
	e.t.Helper()
	defer e.aside()()
	require.NoError(e.t, e.cluster.Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop").Delete(e.t.Context(), name, metav1.DeleteOptions{}))
}

func conflict() error {
	return apierrors.NewConflict(k8shelper.ElastiServices.GroupResource(), "web", errTest)
}

// events are the Events in the order of their instants, then of reasons.
func (e *env) events() []string {
	e.t.Helper()
	defer e.aside()()
	list, err := e.cluster.Client.CoreV1().Events("").List(e.t.Context(), metav1.ListOptions{})
	require.NoError(e.t, err)
	slices.SortFunc(list.Items, func(a, b corev1.Event) int {
		return cmp.Or(a.FirstTimestamp.Compare(b.FirstTimestamp.Time), cmp.Compare(a.Reason, b.Reason))
	})
	var out []string
	for _, event := range list.Items {
		out = append(out, event.Type+" "+event.Reason+": "+event.Message)
	}
	return out
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// fault makes calls go wrong from now on; nil: none.
func (e *env) fault(faults fakecluster.Faults) {
	if faults == nil {
		e.faults.Store(nil)
		return
	}
	e.faults.Store(&faults)
}
