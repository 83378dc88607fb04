package fakecluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// eventTTL is kube-apiserver's default of --event-ttl.
const eventTTL = time.Hour

// expiry is when an Event goes.
type expiry struct {
	key types.NamespacedName
	at  time.Time
}

// expireEvents drops what is older than an hour and notes when the new Event goes.
func (s *server) expireEvents(r *resource, created types.NamespacedName) {
	now := s.clock.Now()
	for len(s.events) > 0 && !s.events[0].at.After(now) {
		if r.objects[s.events[0].key] != nil {
			s.drop(r, s.events[0].key)
		}
		s.events = s.events[1:]
	}
	s.events = append(s.events, expiry{key: created, at: now.Add(eventTTL)})
}

// remove deletes an object. A pod on a node first becomes terminating and goes
// with a second call that gives it no time; deletionTimestamp is when its
// grace period is over.
func (s *server) remove(gvr schema.GroupVersionResource, key types.NamespacedName, options metav1.DeleteOptions) error {
	r, old, err := s.get(gvr, key)
	if err != nil {
		return err
	}
	if p := options.Preconditions; p != nil {
		var wantUID types.UID
		var wantVersion string
		if p.UID != nil {
			wantUID = *p.UID
		}
		if p.ResourceVersion != nil {
			wantVersion = *p.ResourceVersion
		}
		if err := checkPreconditions(gvr.GroupResource(), old, wantUID, wantVersion); err != nil {
			return err
		}
	}
	grace := gracePeriod(old, options.GracePeriodSeconds)
	if grace == 0 {
		s.drop(r, key)
		return nil
	}
	if old.GetDeletionTimestamp() != nil && *old.GetDeletionGracePeriodSeconds() <= grace {
		return nil // a grace period can only be shortened
	}
	changed := shallow(old)
	deletion := metav1.NewTime(s.now().Add(time.Duration(grace) * time.Second))
	changed.SetDeletionTimestamp(&deletion)
	changed.SetDeletionGracePeriodSeconds(&grace)
	if old.GetDeletionTimestamp() == nil {
		changed.SetGeneration(old.GetGeneration() + 1)
	}
	s.store(r, key, changed)
	return nil
}

// gracePeriod is how many seconds an object stays after its deletion: 0 for
// everything but a pod that a kubelet may be running.
func gracePeriod(obj object, asked *int64) int64 {
	pod, ok := obj.(*corev1.Pod)
	switch {
	case !ok || pod.Spec.NodeName == "",
		pod.Status.Phase == corev1.PodFailed, pod.Status.Phase == corev1.PodSucceeded:
		return 0
	case asked != nil:
		return *asked
	}
	return *pod.Spec.TerminationGracePeriodSeconds
}
