package k8shelper

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Mapper finds the resource of a kind and the kind of a resource. The objects
// of Targets it remembers. A kind that the RESTMapper does not know makes it ask the
// cluster again, once in a call: its CRD may have come since. Calls that fail
// at the same time share that one question.
type Mapper struct {
	rest meta.RESTMapper

	mu      sync.RWMutex
	targets map[Target]Object
	resets  uint64
}

// maxTargets bounds what is remembered: a cluster has fewer workloads that
// scale, unless they come and go.
const maxTargets = 4096

// NewMapper makes a Mapper on any RESTMapper. Only one with a Reset method can
// be made to ask again.
func NewMapper(rest meta.RESTMapper) *Mapper {
	return &Mapper{rest: rest, targets: map[Target]Object{}}
}

// ResourceFor is the resource that serves a kind: deployments for Deployment.
// A kind that the cluster does not have is ErrNoMatch.
func (m *Mapper) ResourceFor(gvk schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	var gvr schema.GroupVersionResource
	err := m.ask(func() error {
		mapping, err := m.rest.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err == nil {
			gvr = mapping.Resource
		}
		return err
	})
	if err != nil {
		return schema.GroupVersionResource{}, explain("find resource of "+gvk.String(), err)
	}
	return gvr, nil
}

// KindFor is the kind that a resource holds: Deployment for deployments. A
// resource that the cluster does not have is ErrNoMatch.
func (m *Mapper) KindFor(gvr schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	var gvk schema.GroupVersionKind
	err := m.ask(func() (err error) {
		gvk, err = m.rest.KindFor(gvr)
		return err
	})
	if err != nil {
		return schema.GroupVersionKind{}, explain("find kind of "+gvr.String(), err)
	}
	return gvk, nil
}

// Resolve finds the object that a Target names. The target is validated; the
// object need not exist.
func (m *Mapper) Resolve(t Target) (Object, error) {
	m.mu.RLock()
	object, known := m.targets[t]
	m.mu.RUnlock()
	if known {
		return object, nil
	}
	if err := t.Validate(); err != nil {
		return Object{}, err
	}
	gvk, err := t.GroupVersionKind()
	if err != nil {
		return Object{}, err
	}
	gvr, err := m.ResourceFor(gvk)
	if err != nil {
		return Object{}, err
	}
	object = Object{Resource: gvr, Namespace: t.Namespace, Name: t.Name}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.targets) >= maxTargets {
		clear(m.targets)
	}
	m.targets[t] = object
	return object, nil
}

// ask tries a question a second time, after a reset, if the RESTMapper knows
// no such kind.
func (m *Mapper) ask(question func() error) error {
	m.mu.RLock()
	seen := m.resets
	m.mu.RUnlock()
	err := question()
	if !meta.IsNoMatchError(err) {
		return err
	}
	m.reset(seen)
	return question()
}

// reset makes the RESTMapper forget what it knows, unless somebody has done so
// since seen.
func (m *Mapper) reset(seen uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resets == seen {
		meta.MaybeResetRESTMapper(m.rest)
		m.resets++
	}
}
