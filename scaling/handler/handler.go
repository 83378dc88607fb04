// Package handler is a scale handler for a real cluster: KubeElasti's operator
// on client-go's interfaces. It polls the triggers of every ElastiService,
// scales idle targets to zero and busy ones back, is woken by requests that are
// held, pauses KEDA meanwhile, and leads a service's traffic through the
// resolver while no pod is ready.
//
// What is decided is decided by elasti.Autoscaler, the same as in the
// simulator. What is here is everything around it: reading, writing, order,
// time limits, retries, Events.
//
// Where it differs from KubeElasti v0.1.30, so that no failure strands a
// service:
//
//   - What has been asked for counts, not what exists: spec.replicas is compared
//     and not status.replicas. So a wake-up is not lost while the pods of a
//     scale to zero still terminate, and a scale-up by an HPA is not taken back
//     while its pods start.
//   - A count is written only onto the version of the target that it was decided
//     on, so that two writers cannot undo each other unseen.
//   - Traffic is led to the resolver before the target goes to zero. While no
//     resolver is ready a target does not go to zero, and one that sleeps is
//     woken at the second poll that finds it so.
//   - A target whose ElastiService is deleted is scaled to its minimum.
//   - Pods are looked at by polling and not by watching: every second while a
//     service wakes up, otherwise at every poll.
//
// It ignores leader election (run one replica) and finalizers: an ElastiService
// that is deleted while no handler runs is not noticed.
//
// Source: KubeElasti v0.1.30, operator/internal and pkg/scaling.
package handler

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/scalelab/scalelab/k8shelper"
)

// For errors.Is.
var (
	// ErrUnknownService is a wake-up for a service that no ElastiService names.
	ErrUnknownService = errors.New("no ElastiService for this service")
	// ErrNoResolver means that no resolver is ready to hold requests.
	ErrNoResolver = errors.New("no resolver is ready")
	// ErrRunning is a Run while another one runs.
	ErrRunning = errors.New("the handler runs already")
)

// Handler handles the ElastiServices of a cluster. Its methods may be called
// from several goroutines.
type Handler struct {
	options Options
	ops     *k8shelper.Ops
	call    caller
	report  *reporter

	running atomic.Bool
	nudge   chan struct{}    // tells Run that a service has started to rise
	targets turns[targetKey] // who works on a target
	syncs   turns[struct{}]  // who reads the list
	mu      sync.Mutex       // of what follows
	known   map[types.NamespacedName]*service
	leaving []*service // no longer wanted, not yet released
	synced  atomic.Bool
}

// New makes a Handler. Errors are messages.Problems with the fields of Options.
// Nothing is sent before Run.
func New(options Options) (*Handler, error) {
	o := options.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Scalers == nil {
		o.Scalers = PrometheusScalers("", "")
	}
	ops, err := k8shelper.New(o.Clients)
	if err != nil {
		return nil, err
	}
	events, err := k8shelper.NewRecorder(o.Clients, component, o.Clock)
	if err != nil {
		return nil, err
	}
	call := caller{clock: o.Clock, retry: o.Retry, timeout: o.CallTimeout}
	return &Handler{
		options: o,
		ops:     ops,
		call:    call,
		report:  &reporter{events: events, call: call, clock: o.Clock, log: o.Log, trouble: map[troubleKey]*trouble{}},
		nudge:   make(chan struct{}, 1),
		known:   map[types.NamespacedName]*service{},
	}, nil
}

// Run polls until ctx ends, and then returns nil and leaves no goroutine. It
// reads the list of ElastiServices at once; the first poll is one interval
// after the start. A poll that takes longer than the interval skips those that
// fall into it. Scalers are closed when it returns.
func (h *Handler) Run(ctx context.Context) error {
	if !h.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer h.running.Store(false)
	defer h.closeScalers()
	clock := h.options.Clock
	due := clock.Now().Add(h.options.PollingInterval)
	if err := h.Sync(ctx); err != nil && ctx.Err() == nil {
		h.options.Log.ErrorContext(ctx, "elastiservices not read, the next poll tries again", "error", err)
	}
	for ctx.Err() == nil {
		now := clock.Now()
		if !now.Before(due) {
			h.Poll(ctx)
			missed := clock.Now().Sub(due) / h.options.PollingInterval
			due = due.Add((missed + 1) * h.options.PollingInterval)
			continue
		}
		rising := h.rising()
		pause := due.Sub(now)
		if len(rising) > 0 {
			pause = min(pause, h.options.ModeInterval)
		}
		if h.wait(ctx, pause) && clock.Now().Before(due) {
			for _, s := range rising {
				h.look(ctx, s)
			}
		}
	}
	return nil
}

// wait is true after the pause, and false if ctx or a nudge came first.
func (h *Handler) wait(ctx context.Context, pause time.Duration) bool {
	timer := h.options.Clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-h.nudge:
	case <-ctx.Done():
	}
	return false
}

// Poll is one poll of all services, after reading the list of them anew. If
// that fails, the services known are polled as they are known.
func (h *Handler) Poll(ctx context.Context) {
	if err := h.Sync(ctx); err != nil && ctx.Err() == nil {
		h.options.Log.ErrorContext(ctx, "elastiservices not read, polling those known", "error", err)
	}
	var workers sync.WaitGroup
	queue := make(chan *service)
	for range h.options.Workers {
		workers.Go(func() {
			for s := range queue {
				h.poll(ctx, s)
			}
		})
	}
	for _, s := range h.services(func(*service) bool { return true }) {
		queue <- s
	}
	close(queue)
	workers.Wait()
}

// services are those known of which something holds, by namespace and name.
func (h *Handler) services(holds func(*service) bool) []*service {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []*service
	for _, s := range h.known {
		if holds(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *service) int {
		return cmp.Or(cmp.Compare(a.key.Namespace, b.key.Namespace), cmp.Compare(a.key.Name, b.key.Name))
	})
	return found
}

// rising are the services that have been scaled up and do not serve yet.
func (h *Handler) rising() []*service {
	return h.services(func(s *service) bool { return s.rises.Load() })
}

// current says whether s has not been replaced or removed since it was found.
func (h *Handler) current(s *service) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[s.key] == s
}

func (h *Handler) closeScalers() {
	for _, s := range h.services(func(*service) bool { return true }) {
		s.close(h.options.Log)
	}
}
