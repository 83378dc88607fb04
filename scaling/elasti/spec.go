// Package elasti is KubeElasti's control loop: the operator that scales an idle
// workload to zero and back to its minimum, and the wake-up by a held request.
//
// It models the operator's decision: the grace after creation, the enabled
// period, the health and the vote of every trigger, the cooldown, and the
// comparison with the replicas that lets a scale be skipped: those of the spec,
// or, in a released version, those of the status. It ignores the pausing of a
// KEDA ScaledObject and the switch between proxy and serve mode, which are
// scaling/handler's; the rules by which requests are held are package hold's.
//
// Source: KubeElasti v0.1.30, pkg/scaling, pkg/cronutil and the CRD's schema.
package elasti

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Spec is an ElastiService and the settings of the operator and the resolver.
type Spec struct {
	Manifest   *ElastiService
	Controller Controller
	World      World
}

// Controller holds the settings of KubeElasti's operator and resolver.
// DefaultController gives those of its Helm charts.
type Controller struct {
	PollingInterval time.Duration `yaml:"pollingInterval" doc:"POLLING_INTERVAL: time between two looks at the triggers"`
	QueueRetry      time.Duration `yaml:"queueRetry" doc:"QUEUE_RETRY_DURATION: how long a held request sleeps between two looks for a ready pod"`
	QueueSize       int           `yaml:"queueSize" doc:"QUEUE_SIZE: requests held beyond maxConcurrency"`
	MaxConcurrency  int           `yaml:"maxConcurrency" doc:"MAX_QUEUE_CONCURRENCY"`
	InitialCapacity int           `yaml:"initialCapacity" doc:"INITIAL_CAPACITY: requests that look for a pod or are proxied at the same time"`
	RequestTimeout  time.Duration `yaml:"requestTimeout" doc:"REQ_TIMEOUT: how long a request may be held"`
	OperatorRetry   time.Duration `yaml:"operatorRetry" doc:"OPERATOR_RETRY_DURATION: shortest time between two wake-up messages for a service"`
	TrafficReEnable time.Duration `yaml:"trafficReEnable" doc:"TRAFFIC_RE_ENABLE_DURATION: with the behaviour of a released version, how long a ready pod is believed in, and how long requests are refused after a wake-up"`
	DisableGrace    time.Duration `yaml:"disableGrace" doc:"with the behaviour of a released version, how long after a wake-up requests are still taken"`
}

// ElastiService is elasti.truefoundry.com/v1alpha1.
type ElastiService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ElastiServiceSpec `json:"spec"`
}

// ElastiServiceSpec says what is scaled to zero, when, and for which service
// requests are held.
type ElastiServiceSpec struct {
	ScaleTargetRef    ScaleTargetRef `json:"scaleTargetRef"`
	Service           string         `json:"service"`
	MinTargetReplicas int32          `json:"minTargetReplicas,omitempty"`
	CooldownPeriod    int32          `json:"cooldownPeriod,omitempty"` // seconds; 0: 900
	Triggers          []Trigger      `json:"triggers"`
	Autoscaler        *AutoscalerRef `json:"autoscaler,omitempty"`
	EnabledPeriod     *EnabledPeriod `json:"enabledPeriod,omitempty"`
}

// ScaleTargetRef names the workload.
type ScaleTargetRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
}

// Trigger is one vote for or against zero.
type Trigger struct {
	Type     string          `json:"type"`
	Metadata TriggerMetadata `json:"metadata"`
}

// TriggerMetadata configures a prometheus trigger.
type TriggerMetadata struct {
	ServerAddress string            `json:"serverAddress"`
	Query         string            `json:"query"`
	Threshold     string            `json:"threshold"`
	UptimeFilter  string            `json:"uptimeFilter,omitempty"`
	Headers       map[string]string `json:"headers,omitempty"`
}

// AutoscalerRef names the autoscaler that scales from 1 to n.
type AutoscalerRef struct {
	Type string `json:"type"` // hpa or keda
	Name string `json:"name"`
}

// EnabledPeriod limits scaling to zero to times of the day.
type EnabledPeriod struct {
	Schedule string `json:"schedule,omitempty"` // 5-field cron in UTC; default "0 0 * * *"
	Duration string `json:"duration,omitempty"` // default 24h
}
