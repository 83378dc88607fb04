package metrics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/sim/cluster"
)

// family are series of one name and one set of labels: of every pod, or one of the
// workload as a whole.
type family struct {
	name string
	// labels are pairs of name and value; in those of a pod, podMark stands for the
	// pod's name.
	labels []string
	// One of these gives the value at a scrape, and whether the exporter shows the
	// series at all. Of pods, running ones are asked, terminating ones included.
	ofPod func(p *cluster.PodStatus) (value float64, there bool)
	ofAll func(t *Truth) (value float64, there bool)
}

const podMark = "\x00"

// labelsOf are the labels of one pod's series.
func (f *family) labelsOf(pod string) []string {
	labels := slices.Clone(f.labels)
	for i := range labels {
		labels[i] = strings.ReplaceAll(labels[i], podMark, pod)
	}
	return labels
}

// families are all that Prometheus can find: what usual exporters show of the
// workload, as far as Series does not say otherwise.
func (s *Spec) families() []family {
	own := map[string]bool{}
	for _, series := range s.Series {
		own[series.Name] = true
	}
	usual := slices.Concat(s.applicationFamilies(), s.istioFamilies(), s.nginxFamilies(), s.kubeStateFamilies(), s.containerFamilies(), s.queueFamilies())
	usual = slices.DeleteFunc(usual, func(f family) bool { return own[f.name] })
	for _, series := range s.Series {
		usual = append(usual, series.family(s))
	}
	return usual
}

// job is what a ServiceMonitor calls the workload's targets.
func (s *Spec) job() string {
	if s.Service != "" {
		return s.Service
	}
	return s.Workload
}

// podTarget are the labels of a pod that a ServiceMonitor makes a target.
func (s *Spec) podTarget() []string {
	container := ""
	if names := s.containers(); len(names) > 0 {
		container = names[0]
	}
	return []string{
		"namespace", s.Namespace, "service", s.Service, "pod", podMark, "container", container,
		"endpoint", "http", "job", s.job(), "instance", podMark + ":8080",
	}
}

// applicationFamilies are those of the pods themselves, and Prometheus' own up.
func (s *Spec) applicationFamilies() []family {
	return []family{
		{
			name: "up", ofAll: func(*Truth) (float64, bool) { return 1, true },
			labels: []string{
				"namespace", "monitoring", "service", "prometheus", "pod", "prometheus-0", "container", "prometheus",
				"endpoint", "web", "job", "prometheus", "instance", "prometheus-0:9090",
			},
		},
		{name: "up", labels: s.podTarget(), ofPod: func(p *cluster.PodStatus) (float64, bool) {
			if comesUp(p) {
				return 1, true
			}
			return 0, true
		}},
		{name: "http_requests_total", labels: append(s.podTarget(), "code", "200"), ofPod: func(p *cluster.PodStatus) (float64, bool) {
			return float64(p.Completed - p.Former), comesUp(p)
		}},
	}
}

// comesUp says whether a pod's container answers scrapes: once it has been Ready,
// until it ends.
func comesUp(p *cluster.PodStatus) bool {
	return p.RunningSince != cluster.NotYet && (p.ReadyAt != cluster.NotYet || p.UnreadyAt > p.RunningSince)
}

// ending are the ways in which requests end, as a proxy in front of the pods counts
// them: a counter is there once it has counted something.
type ending struct {
	code, flags string
	count       func(t *Truth) uint64
}

func endings(gaveUp, flags string) []ending {
	return []ending{
		{"200", "-", func(t *Truth) uint64 { return t.Counters.Completed }},
		{"503", "UH", func(t *Truth) uint64 { return t.errors() }},
		{gaveUp, flags, func(t *Truth) uint64 { return t.Counters.TimedOut }},
	}
}

// errors are the attempts that were refused or failed; one that is tried again
// counts when that happens.
func (t *Truth) errors() uint64 { return t.Counters.Rejected + t.Counters.Failed + t.Counters.Retried }

func counted(n uint64) (float64, bool) { return float64(n), n > 0 }

// istioFamilies are istio_requests_total, with the standard labels of Istio: by the
// sidecar of each pod (reporter="destination"), and by the ingress gateway that all
// requests come through (reporter="source"), of which the target is that of the
// PodMonitor envoy-stats-monitor. Only the gateway knows of requests that no pod
// answered.
func (s *Spec) istioFamilies() []family {
	if s.Consumes {
		return nil
	}
	const name = "istio_requests_total"
	labels := func(reporter, security, code, flags string, target ...string) []string {
		return append([]string{
			"reporter", reporter,
			"source_workload", "istio-ingressgateway", "source_workload_namespace", "istio-system",
			"source_app", "istio-ingressgateway", "source_version", "unknown", "source_cluster", "Kubernetes",
			"source_principal", "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
			"source_canonical_service", "istio-ingressgateway", "source_canonical_revision", "latest",
			"destination_workload", s.Workload, "destination_workload_namespace", s.Namespace,
			"destination_app", s.Workload, "destination_version", "unknown", "destination_cluster", "Kubernetes",
			"destination_principal", "spiffe://cluster.local/ns/" + s.Namespace + "/sa/default",
			"destination_canonical_service", s.Workload, "destination_canonical_revision", "latest",
			"destination_service", s.job() + "." + s.Namespace + ".svc.cluster.local",
			"destination_service_name", s.job(), "destination_service_namespace", s.Namespace,
			"request_protocol", "http", "response_code", code, "response_flags", flags,
			"connection_security_policy", security, "container", "istio-proxy", "endpoint", "http-envoy-prom",
			"job", "istio-system/envoy-stats-monitor",
		}, target...)
	}
	list := []family{{
		name: name, ofPod: func(p *cluster.PodStatus) (float64, bool) { return counted(p.Completed) },
		labels: labels("destination", "mutual_tls", "200", "-", "namespace", s.Namespace, "pod", podMark, "instance", podMark+":15020"),
	}}
	for _, e := range endings("0", "DC") {
		list = append(list, family{
			name: name, ofAll: func(t *Truth) (float64, bool) { return counted(e.count(t)) },
			labels: labels("source", "unknown", e.code, e.flags, "namespace", "istio-system", "pod", "istio-ingressgateway-0", "instance", "istio-ingressgateway-0:15020"),
		})
	}
	return list
}

// nginxFamilies are nginx_ingress_controller_requests of an Ingress that is named
// after the Service, through the ServiceMonitor of the controller's chart: the
// target's own labels namespace and service win, so that those of the application
// are exported_namespace and exported_service.
func (s *Spec) nginxFamilies() []family {
	if s.Consumes {
		return nil
	}
	var list []family
	for _, e := range endings("499", "") {
		list = append(list, family{
			name: "nginx_ingress_controller_requests", ofAll: func(t *Truth) (float64, bool) { return counted(e.count(t)) },
			labels: []string{
				"ingress", s.job(), "exported_namespace", s.Namespace, "exported_service", s.job(),
				"host", s.job() + ".example.com", "path", "/", "method", "GET", "canary", "", "status", e.code,
				"controller_class", "k8s.io/ingress-nginx", "controller_namespace", "ingress-nginx", "controller_pod", "ingress-nginx-controller-0",
				"namespace", "ingress-nginx", "service", "ingress-nginx-controller-metrics", "pod", "ingress-nginx-controller-0",
				"container", "controller", "endpoint", "metrics", "job", "ingress-nginx-controller-metrics", "instance", "ingress-nginx-controller-0:10254",
			},
		})
	}
	return list
}

// kubeStateFamilies are those of kube-state-metrics about the Deployment. A pod that
// is Ready is available: minReadySeconds is not looked at.
func (s *Spec) kubeStateFamilies() []family {
	var list []family
	for _, count := range []struct {
		name string
		of   func(t *Truth) int32
	}{
		{"spec_replicas", func(t *Truth) int32 { return t.Replicas.Desired }},
		{"status_replicas", func(t *Truth) int32 { return t.Replicas.Created }},
		{"status_replicas_ready", func(t *Truth) int32 { return t.Replicas.Ready }},
		{"status_replicas_available", func(t *Truth) int32 { return t.Replicas.Ready }},
		{"status_replicas_unavailable", func(t *Truth) int32 { return max(0, t.Replicas.Created-t.Replicas.Ready) }},
	} {
		list = append(list, family{
			name: "kube_deployment_" + count.name, ofAll: func(t *Truth) (float64, bool) { return float64(count.of(t)), true },
			labels: []string{
				"namespace", s.Namespace, "deployment", s.Workload,
				"container", "kube-state-metrics", "endpoint", "http", "job", "kube-state-metrics", "service", "kube-state-metrics",
				"pod", "kube-state-metrics-0", "instance", "kube-state-metrics-0:8080",
			},
		})
	}
	return list
}

// containerFamilies are the kubelet's container_cpu_usage_seconds_total, as cAdvisor
// shows it: of every container, and once more of the pod's own cgroup, which has no
// container label, so that a sum over all of them counts twice.
func (s *Spec) containerFamilies() []family {
	target := func(container, image string) []string {
		return []string{
			"namespace", s.Namespace, "pod", podMark, "container", container, "image", image, "cpu", "total",
			"endpoint", "https-metrics", "job", "kubelet", "metrics_path", "/metrics/cadvisor", "node", "node-0", "service", "kubelet", "instance", "node-0:10250",
		}
	}
	used := func(p *cluster.PodStatus) (float64, bool) { return p.CPU.Seconds(), true }
	const name = "container_cpu_usage_seconds_total"
	list := []family{{name: name, labels: target("", ""), ofPod: used}}
	for i, container := range s.containers() {
		f := family{name: name, labels: target(container, container), ofPod: used}
		if i > 0 { // it uses none
			f.ofPod = func(*cluster.PodStatus) (float64, bool) { return 0, true }
		}
		list = append(list, f)
	}
	return list
}

// queueFamilies are those of the exporters of brokers, where the workload consumes.
// Queue, topic and consumer group have its name. With partitions it is
// kafka-exporter; without, RabbitMQ's own and the CloudWatch exporters, whose labels
// (queue_name, and dimension_QueueName of YACE) stand side by side.
func (s *Spec) queueFamilies() []family {
	if !s.Consumes {
		return nil
	}
	level := func(name string, of func(t *Truth) int64, labels ...string) family {
		return family{name: name, labels: labels, ofAll: func(t *Truth) (float64, bool) { return float64(of(t)), true }}
	}
	ready := func(t *Truth) int64 { return t.length(SourceQueue) }
	all := func(t *Truth) int64 { return t.length(SourceConcurrency) }
	taken := func(t *Truth) int64 { return all(t) - ready(t) }
	if s.Partitions > 0 {
		kafka := []string{"consumergroup", s.Workload, "topic", s.Workload, "namespace", "kafka", "job", "kafka-exporter",
			"service", "kafka-exporter", "pod", "kafka-exporter-0", "instance", "kafka-exporter-0:9308"}
		list := []family{level("kafka_consumergroup_lag_sum", all, kafka...)}
		for k := range s.Partitions {
			lag := func(t *Truth) int64 { return t.Topic[k].Lag }
			list = append(list, level("kafka_consumergroup_lag", lag, append(slices.Clone(kafka), "partition", fmt.Sprint(k))...))
		}
		return list
	}
	rabbit := []string{"queue", s.Workload, "vhost", "/", "namespace", "rabbitmq", "job", "rabbitmq",
		"service", "rabbitmq", "pod", "rabbitmq-0", "instance", "rabbitmq-0:15692"}
	sqs := []string{"queue_name", s.Workload, "dimension_QueueName", s.Workload, "namespace", "monitoring", "job", "cloudwatch-exporter",
		"service", "cloudwatch-exporter", "pod", "cloudwatch-exporter-0", "instance", "cloudwatch-exporter-0:5000"}
	return []family{
		level("rabbitmq_queue_messages_ready", ready, rabbit...),
		level("rabbitmq_queue_messages_unacked", taken, rabbit...),
		level("rabbitmq_queue_messages", all, rabbit...),
		level("aws_sqs_approximate_number_of_messages_visible_average", ready, sqs...),
		level("aws_sqs_approximate_number_of_messages_not_visible_average", taken, sqs...),
	}
}
