package hpa

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/hpa"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	upstreammetrics "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/utils/ptr"
)

// BenchmarkDecide puts our whole decision beside the upstream ReplicaCalculator,
// which is the part of the controller's that looks at pods and metrics. Both
// look at the same pods with the same samples and want the same count.
func BenchmarkDecide(b *testing.B) {
	for _, pods := range []int{1, 10, 100, 1000} {
		s := benchScene(pods)
		b.Run(fmt.Sprintf("ours/pods=%d", pods), func(b *testing.B) { benchOurs(b, s, false) })
		b.Run(fmt.Sprintf("ours-quiet/pods=%d", pods), func(b *testing.B) { benchOurs(b, s, true) })
		b.Run(fmt.Sprintf("upstream/pods=%d", pods), func(b *testing.B) { benchUpstream(b, s) })
	}
}

// benchScene is so many pods at 60 % of their request of 500m.
func benchScene(pods int) *scene {
	now := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	s := &scene{at: now, containers: []string{name}}
	requests := []messages.ResourceRequest{{Container: name, Resource: "cpu", Milli: 500}}
	m := messages.Metric{At: now, Window: 30 * time.Second}
	for i := range pods {
		s.seen.Pods = append(s.seen.Pods, messages.Pod{Name: fmt.Sprintf("web-%d", i), Phase: messages.PodRunning, Ready: true, HasCondition: true,
			Started: now.Add(-time.Hour), ReadyChanged: now.Add(-time.Hour), Requests: requests})
		m.Pods = append(m.Pods, messages.PodMetric{Pod: i, Milli: 300, At: now, Window: m.Window})
	}
	s.seen.Metrics = []messages.Metric{m}
	s.seen.Replicas = messages.Replicas{Desired: int32(pods), Created: int32(pods), Ready: int32(pods)}
	return s
}

func benchOurs(b *testing.B, s *scene, quiet bool) {
	m := &autoscalingv2.HorizontalPodAutoscaler{}
	m.Name = name
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name}
	m.Spec.MaxReplicas = 10_000
	m.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)}}}}
	a, err := ours.New(ours.Spec{Manifest: m, Controller: ours.DefaultController()})
	require.NoError(b, err)
	if quiet {
		a.Quietly()
	}
	now, pods := s.at, int32(len(s.seen.Pods))
	b.ReportAllocs()
	for b.Loop() {
		d, err := a.Decide(now, s.seen)
		if err != nil || d.Desired != wanted(pods) {
			b.Fatal(d.Desired, err)
		}
		now = now.Add(15 * time.Second)
	}
}

// wanted is ceil(pods x 60 / 50).
func wanted(pods int32) int32 { return (pods*6 + 4) / 5 }

func benchUpstream(b *testing.B, s *scene) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	info := upstreammetrics.PodMetricsInfo{}
	for i := range s.seen.Pods {
		require.NoError(b, indexer.Add(s.podObject(i)))
		info[s.seen.Pods[i].Name] = upstreammetrics.PodMetric{Timestamp: s.at, Window: 30 * time.Second, Value: 300}
	}
	c := podautoscaler.NewReplicaCalculator(known{info: info}, corelisters.NewPodLister(indexer), 5*time.Minute, 30*time.Second)
	// The fields are private: both tolerances are 0.1.
	tolerances := *(*podautoscaler.Tolerances)(unsafe.Pointer(&[2]float64{0.1, 0.1}))
	pods := int32(len(s.seen.Pods))
	b.ReportAllocs()
	for b.Loop() {
		n, _, _, _, err := c.GetResourceReplicas(context.Background(), pods, 50, corev1.ResourceCPU, tolerances, namespace, labels.SelectorFromSet(selector), "")
		if err != nil || n != wanted(pods) {
			b.Fatal(n, err)
		}
	}
}

// known is a metrics client with the answer at hand: nothing is asked, decoded
// or added up.
type known struct {
	upstreammetrics.MetricsClient
	info upstreammetrics.PodMetricsInfo
}

func (k known) GetResourceMetric(context.Context, corev1.ResourceName, string, labels.Selector, string) (upstreammetrics.PodMetricsInfo, time.Time, error) {
	return maps.Clone(k.info), time.Time{}, nil
}
