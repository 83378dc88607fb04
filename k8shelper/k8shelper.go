// Package k8shelper is the Kubernetes edge: what a scale handler asks of a
// cluster, in its own words, on client-go's interfaces. It works on a real
// cluster as on k8shelper/fakecluster.
//
// It keeps no cache of objects and never waits: a lost race is tried again at
// once, a bounded number of times; everything that a pause may cure is left to
// the caller, who asks Transient. Nothing is logged and nothing exits.
//
// The names of the private Service and of the slice to the resolver, and the
// ElastiService's status, are KubeElasti's
// (https://github.com/truefoundry/KubeElasti).
package k8shelper

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/scale"
)

// Clients are the ways into one cluster. Connect makes those of a real one,
// fakecluster those of one in memory.
type Clients struct {
	Kubernetes kubernetes.Interface // built-in kinds
	Dynamic    dynamic.Interface    // any kind
	Scales     scale.ScalesGetter   // the scale subresource of any kind
	Mapper     meta.RESTMapper      // kinds to resources and back
}

// Validate returns ErrInvalid if a client is missing.
func (c Clients) Validate() error {
	var missing string
	switch {
	case c.Kubernetes == nil:
		missing = "Kubernetes"
	case c.Dynamic == nil:
		missing = "Dynamic"
	case c.Scales == nil:
		missing = "Scales"
	case c.Mapper == nil:
		missing = "Mapper"
	default:
		return nil
	}
	return invalid("check clients", "%s: found none, expected a client", missing)
}

// Ops are operations on one cluster. They may be used from several goroutines
// if the clients may.
type Ops struct {
	*Mapper
	clients Clients
}

// New makes Ops on the given clients, of which none may be missing.
func New(clients Clients) (*Ops, error) {
	if err := clients.Validate(); err != nil {
		return nil, err
	}
	return &Ops{Mapper: NewMapper(clients.Mapper), clients: clients}, nil
}

// conflictAttempts bounds how often a write is tried that others get ahead of.
// Every attempt reads the object again, so no pause is needed between them.
const conflictAttempts = 5

// persist calls try until it comes through without a lost race, five times at
// most. A create that finds the object there has lost a race, too.
func persist(try func() error) error {
	var err error
	for range conflictAttempts {
		err = try()
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return err
}
