package hpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	custom "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	external "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsv1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
	customclient "k8s.io/metrics/pkg/client/custom_metrics"
	externalclient "k8s.io/metrics/pkg/client/external_metrics"
)

// failure says how a metrics API fails.
type failure uint8

const (
	works failure = iota
	refuses
	empty
)

var errRefused = errors.New("the server is currently unable to handle the request")

// metricsAPI serves the metrics of a scene to the controller's own metrics
// client, which asks once for each entry of the manifest and in that order.
type metricsAPI struct {
	scene *scene
	next  int // the entry that is asked for next
}

func (m *metricsAPI) show(s *scene) { m.scene, m.next = s, 0 }
func (m *metricsAPI) begin()        { m.next = 0 }

// ask is the index of the entry that the controller computes now.
func (m *metricsAPI) ask(kind messages.QueryKind) (int, failure) {
	i := m.next
	m.next++
	if got := m.scene.queries[i].Kind; got != kind {
		panic("the controller asked for " + kind.String() + " in the place of " + got.String())
	}
	return i, m.scene.failures[i]
}

// PodMetricses and List are the resource metrics API.
func (m *metricsAPI) PodMetricses(string) metricsclient.PodMetricsInterface { return podMetrics{m: m} }

type podMetrics struct {
	metricsclient.PodMetricsInterface
	m *metricsAPI
}

func (p podMetrics) List(context.Context, metav1.ListOptions) (*metricsv1.PodMetricsList, error) {
	list := &metricsv1.PodMetricsList{}
	switch _, f := p.m.ask(messages.QueryResource); f {
	case refuses:
		return nil, errRefused
	case empty:
		return list, nil
	}
	for i := range p.m.scene.samples {
		if s := &p.m.scene.samples[i]; !s.at.IsZero() {
			list.Items = append(list.Items, s.object(p.m.scene.podName(i)))
		}
	}
	return list, nil
}

// customMetrics is the custom metrics API, externalMetrics the external one.
type (
	customMetrics   struct{ m *metricsAPI }
	externalMetrics struct{ m *metricsAPI }
)

func (c customMetrics) RootScopedMetrics() customclient.MetricsInterface           { return c }
func (c customMetrics) NamespacedMetrics(string) customclient.MetricsInterface     { return c }
func (e externalMetrics) NamespacedMetrics(string) externalclient.MetricsInterface { return e }

func (c customMetrics) GetForObject(schema.GroupKind, string, string, labels.Selector) (*custom.MetricValue, error) {
	i, f := c.m.ask(messages.QueryObject)
	if f != works {
		return nil, errRefused
	}
	seen := c.m.scene.seen.Metrics[i]
	return &custom.MetricValue{Timestamp: metav1.NewTime(seen.At), Value: *milli(seen.Milli)}, nil
}

func (c customMetrics) GetForObjects(schema.GroupKind, labels.Selector, string, labels.Selector) (*custom.MetricValueList, error) {
	i, f := c.m.ask(messages.QueryPods)
	list := &custom.MetricValueList{}
	switch f {
	case refuses:
		return nil, errRefused
	case empty:
		return list, nil
	}
	for j, p := range c.m.scene.seen.Metrics[i].Pods {
		pod := fmt.Sprintf("gone-%d", j)
		if p.Pod != messages.Unlisted {
			pod = c.m.scene.podName(p.Pod)
		}
		list.Items = append(list.Items, custom.MetricValue{
			DescribedObject: corev1.ObjectReference{Kind: "Pod", Name: pod, Namespace: namespace},
			Timestamp:       metav1.NewTime(p.At), Value: *milli(p.Milli),
		})
	}
	return list, nil
}

func (e externalMetrics) List(string, labels.Selector) (*external.ExternalMetricValueList, error) {
	i, f := e.m.ask(messages.QueryExternal)
	list := &external.ExternalMetricValueList{}
	switch f {
	case refuses:
		return nil, errRefused
	case empty:
		return list, nil
	}
	for _, v := range e.m.scene.series[i] {
		list.Items = append(list.Items, external.ExternalMetricValue{Timestamp: metav1.NewTime(e.m.scene.seen.Metrics[i].At), Value: *milli(v)})
	}
	return list, nil
}

func milli(n int64) *resource.Quantity { return resource.NewMilliQuantity(n, resource.DecimalSI) }

// sample is what the metrics server knows of one pod; a zero instant is no
// sample at all.
type sample struct {
	at     time.Time
	window time.Duration
	use    []usage // a container's use of a resource is there, or not
}

type usage struct {
	container, resource string
	milli               int64
}

// of is the pod's use of a resource, or that of one container. A pod's use is
// missing when a container that is listed lacks it, or when none is listed.
func (s *sample) of(resource, container string) (sum int64, ok bool) {
	if s.at.IsZero() {
		return 0, false
	}
	listed, found := map[string]bool{}, 0
	for _, u := range s.use {
		if container == "" || u.container == container {
			listed[u.container] = true
			if u.resource == resource {
				sum += u.milli
				found++
			}
		}
	}
	return sum, found > 0 && found == len(listed)
}

func (s *sample) object(pod string) metricsv1.PodMetrics {
	m := metricsv1.PodMetrics{Timestamp: metav1.NewTime(s.at), Window: metav1.Duration{Duration: s.window}}
	m.Name, m.Namespace, m.Labels = pod, namespace, selector
	for _, u := range s.use {
		i := slices.IndexFunc(m.Containers, func(c metricsv1.ContainerMetrics) bool { return c.Name == u.container })
		if i < 0 {
			i = len(m.Containers)
			m.Containers = append(m.Containers, metricsv1.ContainerMetrics{Name: u.container, Usage: corev1.ResourceList{}})
		}
		m.Containers[i].Usage[corev1.ResourceName(u.resource)] = *milli(u.milli)
	}
	return m
}
