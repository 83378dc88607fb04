package handler

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/elasti"
)

// service is one ElastiService in one generation. What changes of it belongs to
// whoever has the turn of its target.
type service struct {
	key        types.NamespacedName
	uid        types.UID
	generation int64
	spec       elasti.ElastiServiceSpec
	reference  corev1.ObjectReference
	owner      metav1.OwnerReference
	target     k8shelper.Target
	turn       targetKey
	autoscaler *elasti.Autoscaler
	scalers    []scaling.Scaler

	traffic traffic
	told    *Mode       // as status.mode; nil: this generation was not reconciled yet
	alone   bool        // asleep, with no resolver, at the last poll
	rises   atomic.Bool // scaled up, but traffic does not go straight to the pods yet
}

// targetKey names a target whatever version and plural the manifest writes.
type targetKey struct{ group, kind, namespace, name string }

// status is what is read back of an ElastiService's status.
type status struct {
	Status struct {
		LastScaledUpTime metav1.Time `json:"lastScaledUpTime"`
	} `json:"status"`
}

// newService reads an ElastiService as the API gives it.
func (h *Handler) newService(u *unstructured.Unstructured) (*service, error) {
	text, err := u.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("read ElastiService: %w", err)
	}
	var manifest elasti.ElastiService
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("read ElastiService: %w", err)
	}
	controller := elasti.DefaultController()
	controller.PollingInterval = h.options.PollingInterval
	created := u.GetCreationTimestamp().Time
	autoscaler, err := elasti.New(elasti.Spec{Manifest: &manifest, Controller: controller}, created)
	if err != nil {
		return nil, err
	}
	ref := manifest.Spec.ScaleTargetRef
	s := &service{
		key: types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()},
		uid: u.GetUID(), generation: u.GetGeneration(),
		spec:       manifest.Spec,
		reference:  referenceTo(u),
		owner:      metav1.OwnerReference{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Name: u.GetName(), UID: u.GetUID()},
		target:     k8shelper.Target{APIVersion: ref.APIVersion, Kind: ref.Kind, Namespace: u.GetNamespace(), Name: ref.Name},
		autoscaler: autoscaler,
	}
	if err := s.target.Validate(); err != nil {
		return nil, err
	}
	gvk, err := s.target.GroupVersionKind()
	if err != nil {
		return nil, err
	}
	s.turn = targetKey{gvk.Group, gvk.Kind, s.key.Namespace, ref.Name}
	if err := s.makeScalers(h.options.Scalers); err != nil {
		s.close(h.options.Log)
		return nil, err
	}
	autoscaler.Restore(h.lastScaledUp(text))
	return s, nil
}

// lastScaledUp is status.lastScaledUpTime; zero if there is none, or none that
// can be read. One in the future, by another machine's clock, is taken for now.
func (h *Handler) lastScaledUp(text []byte) time.Time {
	var read status
	if json.Unmarshal(text, &read) != nil {
		return time.Time{}
	}
	at := read.Status.LastScaledUpTime.Time
	if now := h.options.Clock.Now(); at.After(now) {
		return now
	}
	return at
}

func (s *service) makeScalers(factory ScalerFactory) error {
	for i, t := range s.spec.Triggers {
		scaler, err := factory(Source{
			Namespace: s.key.Namespace, Name: s.key.Name, Index: i, Cooldown: s.spec.Cooldown(), Trigger: t,
		})
		if err == nil && scaler == nil {
			err = errors.New("found no scaler, expected one")
		}
		if err != nil {
			return fmt.Errorf("spec.triggers[%d]: %w", i, err)
		}
		s.scalers = append(s.scalers, scaler)
	}
	return nil
}

func (s *service) close(log *slog.Logger) {
	for i, scaler := range s.scalers {
		if err := scaler.Close(); err != nil {
			log.Warn("scaler not closed", "namespace", s.key.Namespace, "elastiservice", s.key.Name, "trigger", i, "error", err)
		}
	}
}

func referenceTo(u *unstructured.Unstructured) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName(), UID: u.GetUID(),
	}
}
