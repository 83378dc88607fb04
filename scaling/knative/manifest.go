package knative

import (
	"cmp"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
)

// APIVersion is that of the manifests.
const APIVersion = "serving.knative.dev/v1"

// ServiceManifest is a Service of serving.knative.dev/v1, as far as its revision
// is concerned.
type ServiceManifest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ServiceSpec `json:"spec"`
}

// ServiceSpec has the template of revisions, and how requests are shared among them.
type ServiceSpec struct {
	Template RevisionTemplate `json:"template"`
	Traffic  []TrafficTarget  `json:"traffic,omitempty"`
}

// RevisionTemplate is what a new revision is made of.
type RevisionTemplate struct {
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              RevisionSpec `json:"spec,omitempty"`
}

// TrafficTarget is a share of the requests. Only one revision is modelled: all
// of them go to the latest.
type TrafficTarget struct {
	LatestRevision *bool  `json:"latestRevision,omitempty"`
	Percent        *int64 `json:"percent,omitempty"`
}

// RevisionManifest is a Revision of serving.knative.dev/v1, as far as scaling is
// concerned.
type RevisionManifest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              RevisionSpec `json:"spec,omitempty"`
}

// RevisionSpec is the pod of a revision and what a pod takes at a time.
type RevisionSpec struct {
	corev1.PodSpec       `json:",inline"`
	ContainerConcurrency *int64 `json:"containerConcurrency,omitempty"` // requests in a pod; 0: no limit
	TimeoutSeconds       *int64 `json:"timeoutSeconds,omitempty"`
}

// Limits of config-defaults.
const (
	mostConcurrency = 1000
	longestTimeout  = 600 // seconds
)

// Validate reports what Knative would refuse, and what is not modelled.
func (s *ServiceManifest) Validate(config Config) error {
	var problems messages.Problems
	validateType(&problems, s.TypeMeta, "Service")
	problems.Add(messages.Under("metadata.name", validateName(s.Name)))
	for _, key := range sortedKeys(s.Annotations) {
		if strings.HasPrefix(key, group) {
			problems.Addf("metadata.annotations["+key+"]", "found an annotation of the autoscaler at the Service, expected it below spec.template.metadata.annotations")
		}
	}
	problems.Add(messages.Under("spec.template.metadata.annotations", ValidateRevision(s.Spec.Template.Annotations, config)))
	problems.Add(messages.Under("spec.template.spec", s.Spec.Template.Spec.validate()))
	problems.Add(messages.Under("spec.traffic", validateTraffic(s.Spec.Traffic)))
	return problems.Err()
}

// Validate reports what Knative would refuse.
func (r *RevisionManifest) Validate(config Config) error {
	var problems messages.Problems
	validateType(&problems, r.TypeMeta, "Revision")
	problems.Add(messages.Under("metadata.name", validateName(r.Name)))
	problems.Add(messages.Under("metadata.annotations", ValidateRevision(r.Annotations, config)))
	problems.Add(messages.Under("spec", r.Spec.validate()))
	return problems.Err()
}

func validateType(problems *messages.Problems, found metav1.TypeMeta, kind string) {
	if found.APIVersion != APIVersion {
		problems.Addf("apiVersion", "found %q, expected %s", found.APIVersion, APIVersion)
	}
	if found.Kind != kind {
		problems.Addf("kind", "found %q, expected %s", found.Kind, kind)
	}
}

// validateName takes what can be a part of a host name.
func validateName(name string) error {
	if reasons := validation.IsDNS1035Label(name); len(reasons) > 0 {
		return messages.Invalidf("", "found %q, expected a name: %s", name, reasons[0])
	}
	return nil
}

// ValidateRevision takes the annotations as the webhook of the PodAutoscaler
// sees them, with the class filled in.
func ValidateRevision(annotations map[string]string, config Config) error {
	filled := map[string]string{classAnnotation[0]: config.Class}
	for key, value := range annotations {
		filled[key] = value
	}
	var problems messages.Problems
	problems.Add(ValidateAnnotations(filled, config))
	problems.Add(unknownAnnotations(annotations))
	problems.Add(progressDeadline(annotations))
	return problems.Err()
}

func (s *RevisionSpec) validate() error {
	var problems messages.Problems
	if n := s.ContainerConcurrency; n != nil && (*n < 0 || *n > mostConcurrency) {
		problems.Addf("containerConcurrency", "found %d, expected 0 to %d", *n, mostConcurrency)
	}
	if n := s.TimeoutSeconds; n != nil && (*n < 0 || *n > longestTimeout) {
		problems.Addf("timeoutSeconds", "found %d, expected 0 to %d", *n, longestTimeout)
	}
	return problems.Err()
}

func validateTraffic(targets []TrafficTarget) error {
	var problems messages.Problems
	if len(targets) == 0 {
		return nil
	}
	if len(targets) > 1 {
		problems.Addf("[1]", "found a second target, expected all requests to go to the latest revision")
	}
	if latest := targets[0].LatestRevision; latest == nil || !*latest {
		problems.Addf("[0].latestRevision", "found a revision of its own, expected true: only the latest revision is modelled")
	}
	if percent := ptr.Deref(targets[0].Percent, 0); percent != 100 {
		problems.Addf("[0].percent", "found %d, expected 100: only one revision is modelled", percent)
	}
	return problems.Err()
}

// Revision is what a manifest comes to.
type Revision struct {
	Name        string // of the Service, where there is one
	Namespace   string
	Annotations map[string]string
	// ContainerConcurrency is how many requests a pod takes at a time; 0 is no limit.
	ContainerConcurrency int64
	Timeout              time.Duration // of a request
	ProgressDeadline     time.Duration // for a Deployment to get its pods ready
}

// Revision is the latest revision of the Service.
func (s *ServiceManifest) Revision() Revision {
	return s.Spec.Template.Spec.revision(s.ObjectMeta, s.Spec.Template.Annotations)
}

// Revision is the revision of the manifest.
func (r *RevisionManifest) Revision() Revision { return r.Spec.revision(r.ObjectMeta, r.Annotations) }

func (s *RevisionSpec) revision(meta metav1.ObjectMeta, annotations map[string]string) Revision {
	r := Revision{
		Name:             meta.Name,
		Namespace:        cmp.Or(meta.Namespace, metav1.NamespaceDefault),
		Annotations:      annotations,
		Timeout:          defaultTimeout,
		ProgressDeadline: defaultProgressDeadline,
	}
	if s.ContainerConcurrency != nil {
		r.ContainerConcurrency = *s.ContainerConcurrency
	}
	if s.TimeoutSeconds != nil && *s.TimeoutSeconds != 0 {
		r.Timeout = time.Duration(*s.TimeoutSeconds) * time.Second
	}
	progressDeadlineAnnotation.duration(annotations, &r.ProgressDeadline)
	return r
}

// Class is the autoscaler that the revision asks for.
func (r Revision) Class(config Config) string {
	if _, class, found := classAnnotation.in(r.Annotations); found {
		return class
	}
	return config.Class
}
