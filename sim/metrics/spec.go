// Package metrics is the only door from the truth of a simulated cluster to
// what an autoscaler sees of it: scrape intervals, windows, metrics-server,
// the adapters in front of Prometheus, and Prometheus itself.
//
// It models the age of a metric. The kubelet samples each container's CPU time
// on its interval, metrics-server collects the newest samples on its own, and
// Prometheus scrapes on a third; all three grids start at time 0, or at their
// Phase. A sample of the same instant is collected, a collection of the same
// instant is seen, unless there is a Delay. Gaps, Noise and what a container
// that was started again does to its metrics are modelled too.
//
// It ignores the random offset between the scrapes of different targets,
// metrics-server's estimate for a container of 10 to 15 seconds of age, and
// labels: a selector always means the whole workload. The containers of a pod
// other than the first use no CPU.
//
// Sources: metrics-server, pkg/storage (two newest samples, window);
// prometheus-adapter (thousandths are cut, not rounded); the metrics client of
// the HPA controller in Kubernetes 1.37 (millicores are rounded up).
package metrics

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Pipeline is how old a metric is when an autoscaler sees it.
type Pipeline struct {
	Kubelet          time.Duration `yaml:"kubelet" doc:"interval at which the kubelet samples container CPU"`
	MetricsServer    time.Duration `yaml:"metricsServer" doc:"interval at which metrics-server scrapes the kubelets"`
	PrometheusScrape time.Duration `yaml:"prometheusScrape" doc:"interval at which Prometheus scrapes the workload"`

	Phase  Phase  `yaml:"phase,omitempty" doc:"when the intervals and the control loops begin: aligned, random or an offset; default aligned"`
	Phases Phases `yaml:"phases,omitempty" doc:"phases of single ones; default: as phase"`
	Delay  Delay  `yaml:"delay,omitempty" doc:"how long after its instant a sample can be seen; default: at once"`
	// AdapterCache is how long an answer for Pods, Object and External metrics is
	// given again. prometheus-adapter, which asks Prometheus every time, has none.
	AdapterCache time.Duration `yaml:"adapterCache,omitempty" doc:"how long the adapter of Pods, Object and External metrics gives an answer again; default 0s, as prometheus-adapter"`
	Noise        Noise         `yaml:"noise,omitempty" doc:"relative error of samples; default none"`
}

// Delay is how long it takes from the instant of a sample until the next part of the
// pipeline can see it.
type Delay struct {
	Kubelet       time.Duration `yaml:"kubelet,omitempty" doc:"from the kubelet's sample until metrics-server can collect it"`
	MetricsServer time.Duration `yaml:"metricsServer,omitempty" doc:"from the collection until the resource metrics API shows it"`
	Prometheus    time.Duration `yaml:"prometheus,omitempty" doc:"from the scrape until a query finds it"`
}

// maxDelay bounds delays and the adapter's cache.
const maxDelay = time.Hour

// Source says what a metric's name in a manifest means in the simulation.
type Source struct {
	Source string         `yaml:"source" enum:"workload.rps|workload.queue|workload.concurrency|workload.cpu" doc:"what is measured"`
	Window *time.Duration `yaml:"window,omitempty" doc:"what it is averaged over; rates default to 1m, levels to the newest sample"`
}

// What a Source can measure, over the workload or for one pod.
const (
	// SourceRPS is the rate of requests received, in requests per second: of the
	// workload all arrivals, also those that a front holds or that are rejected.
	SourceRPS = "workload.rps"
	// SourceQueue is the number of requests that wait. Of a workload that consumes it
	// is what the broker says: without partitions the messages that can be taken
	// (ApproximateNumberOfMessages of SQS, messages ready of RabbitMQ), with partitions
	// the lag, those that have not been processed yet.
	SourceQueue = "workload.queue"
	// SourceConcurrency is the number of requests that wait or are in service, of
	// messages all that have not been processed.
	SourceConcurrency = "workload.concurrency"
	// SourceCPU is the rate of CPU time used, in cores.
	SourceCPU = "workload.cpu"
)

var sources = []string{SourceRPS, SourceQueue, SourceConcurrency, SourceCPU}

// rateWindow is what rates are taken over unless the source says otherwise.
const rateWindow = time.Minute

// Defaults are the intervals of a stock cluster: the kubelet's cAdvisor
// housekeeping (10 s), metrics-server's --metric-resolution (15 s) and the
// scrape interval of the kube-prometheus-stack chart (30 s).
func Defaults() Pipeline {
	return Pipeline{
		Kubelet:          10 * time.Second,
		MetricsServer:    15 * time.Second,
		PrometheusScrape: 30 * time.Second,
	}
}

// DefaultSources are the names that mean something without being declared:
//
//	workload.rps          http_requests, http_requests_per_second, requests_per_second, requests-per-second, rps
//	workload.queue        queue_depth, queue_length, queue_size, pending_requests
//	workload.concurrency  concurrency, concurrent_requests, in_flight_requests, inflight_requests,
//	                      http_requests_in_flight, active_requests
//	workload.cpu          cpu_usage, cpu_cores
func DefaultSources() map[string]Source {
	named := map[string]Source{}
	for source, names := range map[string][]string{
		SourceRPS:   {"http_requests", "http_requests_per_second", "requests_per_second", "requests-per-second", "rps"},
		SourceQueue: {"queue_depth", "queue_length", "queue_size", "pending_requests"},
		SourceConcurrency: {"concurrency", "concurrent_requests", "in_flight_requests", "inflight_requests",
			"http_requests_in_flight", "active_requests"},
		SourceCPU: {"cpu_usage", "cpu_cores"},
	} {
		for _, name := range names {
			named[name] = Source{Source: source}
		}
	}
	return named
}

// Validate reports every interval that cannot be used.
func (p Pipeline) Validate() error {
	var problems messages.Problems
	for _, interval := range []struct {
		field string
		value time.Duration
	}{
		{"kubelet", p.Kubelet},
		{"metricsServer", p.MetricsServer},
		{"prometheusScrape", p.PrometheusScrape},
	} {
		// Prometheus counts in milliseconds; the others would only spin.
		if interval.value < time.Millisecond {
			problems.Addf(interval.field, "found %v, expected at least 1ms", interval.value)
		}
	}
	for _, delay := range []struct {
		field string
		value time.Duration
	}{
		{"delay.kubelet", p.Delay.Kubelet},
		{"delay.metricsServer", p.Delay.MetricsServer},
		{"delay.prometheus", p.Delay.Prometheus},
		{"adapterCache", p.AdapterCache},
	} {
		if delay.value < 0 || delay.value > maxDelay {
			problems.Addf(delay.field, "found %v, expected 0s to %v", delay.value, maxDelay)
		}
	}
	problems.Add(p.Noise.validate())
	if len(problems) == 0 { // offsets are held against intervals
		problems.Add(p.checkPhases())
	}
	return problems.Err()
}

// Validate reports what cannot be measured. Whether the window is long enough
// for the scrape interval is for NewDoor.
func (s Source) Validate() error {
	var problems messages.Problems
	if !slices.Contains(sources, s.Source) {
		problems.Addf("source", "found %q, %s", s.Source, messages.OneOf(s.Source, sources))
	}
	if s.Window != nil && *s.Window <= 0 {
		problems.Addf("window", "found %v, expected more than 0s", *s.Window)
	}
	return problems.Err()
}

// isRate tells a source that is a counter from one that is a level.
func isRate(source string) bool { return source == SourceRPS || source == SourceCPU }

// window is what the source is averaged over; 0 is the newest sample alone.
func (s Source) window() time.Duration {
	switch {
	case s.Window != nil:
		return *s.Window
	case isRate(s.Source):
		return rateWindow
	}
	return 0
}
