//lint:file-ignore SA1019 Knative watches Endpoints

package activator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"

	corev1 "k8s.io/api/core/v1"
)

const podPort = 8012

// life is when a pod does what others can see of it.
type life struct {
	started time.Duration // it has an address
	listens time.Duration // it can take requests
	ready   time.Duration // Endpoints say that it is ready
	deleted time.Duration // it is not among them any more
}

// lives rehearses the pods of a world without requests, on which they do not
// depend.
func (w *world) lives() ([]life, error) {
	quiet := *w
	quiet.arrivals = nil
	c, _, err := quiet.cluster()
	if err != nil {
		return nil, err
	}
	var lives []life
	look := func() {
		for _, t := range c.Transitions(nil) {
			for int(t.Pod) >= len(lives) {
				lives = append(lives, life{event.Never, event.Never, event.Never, event.Never})
			}
			l := &lives[t.Pod]
			switch t.To {
			case cluster.Starting:
				l.started = t.At
			case cluster.Ready:
				if t.At == 0 {
					l.started, l.listens, l.ready = 0, 0, 0
					continue
				}
				l.listens = t.At + *w.spec.Lifecycle.Listen.Value
				l.ready = t.At + *w.spec.Lifecycle.EndpointPropagation.Value
			case cluster.Draining, cluster.Gone:
				l.deleted = min(l.deleted, t.At)
			}
		}
	}
	look()
	for _, s := range w.scales {
		reach(c, s.at)
		c.Scale(int32(s.pods))
		look()
	}
	advance(c, w.end)
	look()
	return lives, nil
}

// advance carries ours to an instant.
func advance(c *cluster.Cluster, to time.Duration) {
	for c.Advance(to) != cluster.NoStop {
	}
}

// reach carries it there, but lets nothing of that instant happen yet.
func reach(c *cluster.Cluster, at time.Duration) {
	for c.Reach(at) != cluster.NoStop {
	}
}

// changes are the instants at which the Endpoints of the pods change.
func changes(lives []life, end time.Duration) (at []time.Duration) {
	for _, l := range lives {
		for _, t := range []time.Duration{l.started, l.ready, l.deleted} {
			if t > 0 && t <= end && l.started <= t && t <= l.deleted {
				at = append(at, t)
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// subsets are the pods at an instant as Endpoints show them.
func subsets(lives []life, now time.Duration) []corev1.EndpointSubset {
	s := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: "http", Port: podPort}}}
	for id, l := range lives {
		address := corev1.EndpointAddress{IP: podIP(id)}
		switch {
		case now < l.started || now >= l.deleted:
		case now < l.ready:
			s.NotReadyAddresses = append(s.NotReadyAddresses, address)
		default:
			s.Addresses = append(s.Addresses, address)
		}
	}
	if len(s.Addresses)+len(s.NotReadyAddresses) == 0 {
		return nil
	}
	return []corev1.EndpointSubset{s}
}

// podIP has the order of addresses be that of creation, as ours has it.
func podIP(id int) string { return fmt.Sprintf("10.0.%03d.%03d", id/200, id%200) }

func podOf(host string) int {
	address, _, _ := strings.Cut(host, ":")
	parts := strings.Split(address, ".")
	high, _ := strconv.Atoi(parts[2])
	low, _ := strconv.Atoi(parts[3])
	return high*200 + low
}
