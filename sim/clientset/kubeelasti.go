package clientset

import (
	"context"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
)

// Where the simulated resolver listens.
const (
	resolverAddress = "198.18.0.1" // of the range for benchmarks, RFC 2544
	resolverPort    = 8012
)

// kubeElasti writes what the KubeElasti operator does beside scaling: it leads
// the traffic to the resolver or to the pods, and keeps the status of the
// ElastiService.
type kubeElasti struct {
	ops             *k8shelper.Ops
	clock           clock.PassiveClock
	namespace, name string // of the ElastiService
	service         string
	mode            string // as last written
}

// stamp sets status.lastScaledUpTime, from which the cooldown is counted.
func (k *kubeElasti) stamp(ctx context.Context) error {
	return k.ops.PatchElastiStatus(ctx, k.namespace, k.name, k8shelper.ElastiStatus{LastScaledUpTime: k.clock.Now()})
}

// lead makes the traffic follow the pods: through the resolver while none is
// ready, with a private Service that leads to the pods, else directly.
func (k *kubeElasti) lead(ctx context.Context, counts messages.Replicas) error {
	mode := "serve"
	if counts.Ready == 0 {
		mode = "proxy"
	}
	if mode == k.mode {
		return nil
	}
	if mode == "serve" {
		if err := k.ops.DeleteResolverSlice(ctx, k.namespace, k.service); err != nil {
			return err
		}
	} else {
		if _, err := k.ops.EnsurePrivateService(ctx, k.namespace, k.service, nil); err != nil {
			return err
		}
		err := k.ops.EnsureResolverSlice(ctx, k8shelper.ResolverSlice{
			Namespace: k.namespace, Service: k.service, Addresses: []string{resolverAddress}, Port: resolverPort,
		})
		if err != nil {
			return err
		}
	}
	k.mode = mode
	return k.ops.PatchElastiStatus(ctx, k.namespace, k.name, k8shelper.ElastiStatus{
		Mode: mode, LastReconciledTime: k.clock.Now(),
	})
}
