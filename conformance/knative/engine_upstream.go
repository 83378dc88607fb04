package knative

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"

	"github.com/scalelab/scalelab/messages"

	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	netcfg "knative.dev/networking/pkg/config"
	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
	"knative.dev/serving/pkg/resources"
)

// upstream is the real engine: collector, scraper and MultiScaler.
type upstream struct {
	collector *metrics.MetricCollector
	scaler    *scaling.MultiScaler
	client    *scrapeClient
	stop      chan struct{}

	mu    sync.Mutex
	ticks []tick // since they were last taken
}

// tick is what a side came to at one tick.
type tick struct {
	At            time.Time
	Valid         bool
	Desired       int32
	Excess        int32
	Stable, Panic float64
	InPanic       bool
}

// newUpstream works for the revision once a decider and a metric are created.
func newUpstream(pods cache.Indexer) *upstream {
	u := &upstream{client: &scrapeClient{}, stop: make(chan struct{})}
	logger, provider := zap.NewNop().Sugar(), noop.NewMeterProvider()
	accessor := resources.NewPodAccessor(corelisters.NewPodLister(pods), namespace, name)
	u.collector = metrics.NewMetricCollector(func(m *v1alpha1.Metric, logger *zap.SugaredLogger) (metrics.StatsScraper, error) {
		if m.Spec.ScrapeTarget == "" {
			return nil, nil
		}
		s := metrics.NewStatsScraper(m, name, accessor, false, netcfg.MeshCompatibilityModeAuto, logger, provider)
		private(s, "directClient").Set(reflect.ValueOf(u.client))
		return s, nil
	}, logger)
	u.scaler = scaling.NewMultiScaler(u.stop, func(d *scaling.Decider) (scaling.UniScaler, error) {
		s := scaling.New(attribute.NewSet(), provider, namespace, name, u.collector, accessor, &d.Spec)
		return &recorder{UniScaler: s, upstream: u, rps: d.Spec.ScalingMetric == "rps"}, nil
	}, logger)
	return u
}

func (u *upstream) close() {
	close(u.stop)
	u.collector.Delete(namespace, name)
}

// take gives the ticks since it was last called.
func (u *upstream) take() []tick {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.ticks
	u.ticks = nil
	return taken
}

// recorder writes down what the real autoscaler answers.
type recorder struct {
	scaling.UniScaler
	upstream *upstream
	rps      bool
}

func (r *recorder) Scale(logger *zap.SugaredLogger, now time.Time) scaling.ScaleResult {
	result := r.UniScaler.Scale(logger, now)
	t := tick{At: now, Valid: result.ScaleValid, Desired: result.DesiredPodCount, Excess: result.ExcessBurstCapacity}
	t.InPanic = !private(r.UniScaler, "panicTime").Interface().(time.Time).IsZero()
	ask := r.upstream.collector.StableAndPanicConcurrency
	if r.rps {
		ask = r.upstream.collector.StableAndPanicRPS
	}
	if t.Valid {
		t.Stable, t.Panic, _ = ask(key, now)
	}
	r.upstream.mu.Lock()
	defer r.upstream.mu.Unlock()
	r.upstream.ticks = append(r.upstream.ticks, t)
	return result
}

// private is a field that a package keeps to itself.
func private(of any, field string) reflect.Value {
	f := reflect.ValueOf(of).Elem().FieldByName(field)
	if !f.IsValid() {
		panic(fmt.Sprintf("%T has no field %s", of, field))
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// scrapeClient stands for the queue-proxies of the pods.
type scrapeClient struct {
	mu      sync.Mutex
	reports map[string]metrics.Stat // by IP; one that is missing fails
	asked   map[string]bool         // who answered since asked was cleared
}

// Do answers the scrape of a pod.
func (c *scrapeClient) Do(r *http.Request) (metrics.Stat, error) {
	ip, _, _ := strings.Cut(r.URL.Host, ":")
	c.mu.Lock()
	defer c.mu.Unlock()
	stat, known := c.reports[ip]
	if !known {
		return metrics.Stat{}, errors.New("no answer")
	}
	c.asked[ip] = true
	return stat, nil
}

// show has the pods' next answers ready.
func (c *scrapeClient) show(reports map[string]metrics.Stat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports, c.asked = reports, map[string]bool{}
}

// taken are the pods that have answered since show.
func (c *scrapeClient) taken() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// hear is a message of an activator, as the autoscaler's server takes it.
func (u *upstream) hear(now time.Time, r messages.ProxyStats) {
	stat := metrics.Stat{PodName: "activator", AverageConcurrentRequests: r.Concurrency, RequestCount: r.Requests, Timestamp: now.Unix()}
	u.collector.Record(key, time.Unix(stat.Timestamp, 0), stat)
	u.scaler.Poke(key, stat)
}

// same compares to the last bit.
func (t tick) same(o tick) bool {
	return t.At.Equal(o.At) && t.Valid == o.Valid && t.Desired == o.Desired && t.Excess == o.Excess && t.InPanic == o.InPanic &&
		math.Float64bits(t.Stable) == math.Float64bits(o.Stable) && math.Float64bits(t.Panic) == math.Float64bits(o.Panic)
}
