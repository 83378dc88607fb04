package activator

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	netstats "knative.dev/networking/pkg/http/stats"
	"knative.dev/serving/pkg/queue"
)

// place is where a request is on upstream's side.
type place int

const (
	atActivator place = iota
	admitted          // by the activator, before a pod is chosen
	inPod             // its queue-proxy has it
	inService
	answered // by the pod; the activator has not heard of it yet
	over
)

// request is one on its way through the real proxies. It stops where it would
// take time, or where others of the same instant have to come first.
type request struct {
	index     int
	arrival   time.Duration
	entered   time.Duration // the pod
	service   time.Duration
	activator int
	pod       int
	order     int // of the starts of service
	place     place
	status    int // of the answer

	ctx    context.Context
	cancel context.CancelFunc
	goes   chan struct{}
}

// realPod is a pod's real queue-proxy, with what it has done.
type realPod struct {
	handler                               http.Handler
	received, waiting, serving, completed int
}

// newRealPod makes a queue-proxy as knative.dev/serving/pkg/queue/sharedmain does.
func (s *route) newRealPod(limit int) *realPod {
	var breaker *queue.Breaker
	if limit > 0 {
		breaker = queue.NewBreaker(queue.BreakerParams{QueueDepth: 10 * limit, MaxConcurrency: limit, InitialCapacity: limit})
	}
	container := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.serve(r.Context()) })
	return &realPod{handler: queue.ProxyHandler(noop.NewTracerProvider().Tracer(""), breaker, netstats.NewRequestStats(time.Now()), container)}
}

// route is everything between the ingress and the containers, real where it is
// Knative's.
type route struct {
	mu      sync.Mutex
	pods    []*realPod
	starts  int // of services
	news    []arrivedAt
	stopped chan struct{}

	proxies []*proxy
}

// arrivedAt is a request that has come to another place.
type arrivedAt struct {
	*request
	to place
}

type requestKey struct{}

// tell has the conductor look at a request that has come to another place.
func (s *route) tell(q *request, to place, also func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.place = to
	if also != nil {
		also()
	}
	s.news = append(s.news, arrivedAt{q, to})
}

// await stops the request until the conductor lets it go on.
func (s *route) await(q *request) {
	select {
	case <-q.goes:
	case <-s.stopped:
	}
}

// send is the life of a request.
func (s *route) send(q *request) {
	q.ctx = context.WithValue(q.ctx, requestKey{}, q)
	if len(s.proxies) == 0 {
		s.visit(q, 0)
	} else {
		err := s.proxies[q.activator].throttler.Try(q.ctx, revision, func(dest string, _ bool) error {
			s.visit(q, podOf(dest))
			return nil
		})
		if err != nil {
			q.status = http.StatusServiceUnavailable
		}
	}
	s.tell(q, over, nil)
}

// pass stops a request that the activator has admitted, until it is its turn to
// choose a pod.
func (s *route) pass(ctx context.Context) {
	q := ctx.Value(requestKey{}).(*request)
	s.tell(q, admitted, nil)
	s.await(q)
}

// visit is a request's stay in a pod.
func (s *route) visit(q *request, id int) {
	pod := s.pods[id]
	s.tell(q, inPod, func() {
		q.pod = id
		pod.received++
		pod.waiting++
	})
	response := httptest.NewRecorder()
	pod.handler.ServeHTTP(response, httptest.NewRequestWithContext(q.ctx, http.MethodGet, "/", nil))
	s.tell(q, answered, func() {
		q.status = response.Code
		if q.order == 0 {
			pod.waiting--
		}
	})
	s.await(q)
}

// serve is what the container does.
func (s *route) serve(ctx context.Context) {
	q := ctx.Value(requestKey{}).(*request)
	pod := s.pods[q.pod]
	s.tell(q, inService, func() {
		s.starts++
		q.order = s.starts
		pod.waiting--
		pod.serving++
	})
	finished := false
	select {
	case <-q.goes:
		finished = true
	case <-ctx.Done():
	case <-s.stopped:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pod.serving--
	if finished {
		pod.completed++
	}
}
