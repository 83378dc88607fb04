package k8shelper

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/clock"
)

// Event is what a component tells about an object.
type Event struct {
	Warning bool   // type Warning instead of Normal
	Reason  string // one CamelCase word
	Message string // a sentence; cut to 1024 bytes, as the API demands
}

// Recorder writes Events at once, each as an object of its own. It may be used
// from several goroutines.
type Recorder struct {
	clients   Clients
	component string
	clock     clock.PassiveClock
}

// NewRecorder makes a Recorder for a component. The clock stamps and names
// what it writes.
func NewRecorder(clients Clients, component string, clk clock.PassiveClock) (*Recorder, error) {
	switch {
	case clients.Kubernetes == nil:
		return nil, invalid("make event recorder", "found no Kubernetes client, expected one")
	case component == "":
		return nil, invalid("make event recorder", "found no component, expected a name")
	case clk == nil:
		return nil, invalid("make event recorder", "found no clock, expected one")
	}
	return &Recorder{clients: clients, component: component, clock: clk}, nil
}

// Record writes an Event about an object. Its name follows from the object, the
// instant and the Event itself, so that a call that is tried again after a
// timeout makes no second one.
func (r *Recorder) Record(ctx context.Context, about corev1.ObjectReference, e Event) error {
	attempt := fmt.Sprintf("record event %s about %s %s/%s", e.Reason, about.Kind, about.Namespace, about.Name)
	if e.Reason == "" || about.Name == "" {
		return invalid(attempt, "found no reason or no name, expected both")
	}
	now := r.clock.Now()
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	if about.Namespace == "" {
		about.Namespace = metav1.NamespaceDefault // where Events about cluster-scoped objects live
	}
	stamp := metav1.NewTime(now.UTC().Truncate(time.Second))
	_, err := r.clients.Kubernetes.CoreV1().Events(about.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: eventName(about, kind, e, now), Namespace: about.Namespace},
		InvolvedObject: about,
		Type:           kind,
		Reason:         e.Reason,
		Message:        strings.ToValidUTF8(e.Message[:min(len(e.Message), maxMessage)], ""),
		Source:         corev1.EventSource{Component: r.component},
		FirstTimestamp: stamp, LastTimestamp: stamp, Count: 1,
		ReportingController: r.component,
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return explain(attempt, err)
	}
	return nil
}

// maxMessage is the API's limit of a message, in bytes.
const maxMessage = 1024

// eventName is the object's name, the instant in nanoseconds and a hash of what
// is said, as in web.18881c7c2e4b0000.5d1b3a90.
func eventName(about corev1.ObjectReference, kind string, e Event, at time.Time) string {
	hash := fnv.New32a()
	for _, part := range []string{about.APIVersion, about.Kind, string(about.UID), kind, e.Reason, e.Message} {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	ending := fmt.Sprintf(".%x.%08x", at.UnixNano(), hash.Sum32())
	name := about.Name[:min(len(about.Name), validation.DNS1123SubdomainMaxLength-len(ending))]
	return strings.TrimRight(name, "-.") + ending
}
