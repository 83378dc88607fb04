package metrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

func TestReportsOfPods(t *testing.T) {
	d := doorFor(t)
	pod := readyPod(3, seconds(0.5))
	pod.ScheduledAt = seconds(0.25)
	look := func(direct, proxied cluster.Flow) []messages.PodStats {
		pod.Direct, pod.Proxied = direct, proxied
		return d.Reports(seconds(1), time.Second, Truth{Pods: []cluster.PodStatus{pod}}).Pods
	}
	assert.Equal(t, []messages.PodStats{{Age: time.Second, Concurrency: 0.75, Requests: 3, ProxiedConcurrency: 0.5, ProxiedRequests: 1}},
		look(cluster.Flow{Entered: 2, Stay: seconds(0.25)}, cluster.Flow{Entered: 1, Inside: 1, Stay: seconds(0.5)}))
	assert.Equal(t, []messages.PodStats{{Age: time.Second, Concurrency: 1, ProxiedConcurrency: 1}},
		look(cluster.Flow{Entered: 2, Stay: seconds(0.25)}, cluster.Flow{Entered: 1, Inside: 1, Stay: seconds(1.5)}), "since the last report")

	pod.State = cluster.Draining
	assert.Empty(t, look(cluster.Flow{Entered: 9}, cluster.Flow{}), "nobody reads it")
}

// A pod's report covers the time since the last report even if nobody read that,
// because the pod was not Ready; and pods may come and go.
func TestReportsFollowThePods(t *testing.T) {
	d := doorFor(t)
	at := func(now float64, pods ...cluster.PodStatus) (requests []float64) {
		for _, s := range d.Reports(seconds(now), time.Second, Truth{Pods: pods}).Pods {
			requests = append(requests, s.Requests)
		}
		return requests
	}
	served := func(id int32, n uint64) cluster.PodStatus {
		p := readyPod(id, 0)
		p.Direct.Entered = n
		return p
	}
	starting := served(1, 2)
	starting.State = cluster.Starting
	assert.Equal(t, []float64{5}, at(1, served(0, 5), starting))
	assert.Equal(t, []float64{1, 4}, at(2, served(0, 6), served(1, 6)))
	assert.Equal(t, []float64{3, 7}, at(3, served(1, 9), served(2, 7)))
	assert.Empty(t, at(4))
	assert.Equal(t, []float64{8}, at(5, served(5, 8)))
}

// An activator reports on a service that it has in its books: from the request it
// has told of at once until after the first period without any.
func TestReportsOfActivators(t *testing.T) {
	d := doorFor(t)
	at := func(now int, a cluster.Activator) []messages.ProxyStats {
		return d.Reports(seconds(float64(now)), time.Second, Truth{Activators: []cluster.Activator{a}}).Proxies
	}
	flow := func(entered uint64, inside int32, stay float64) cluster.Flow {
		return cluster.Flow{Entered: entered, Inside: inside, Stay: seconds(stay)}
	}
	assert.Empty(t, at(1, cluster.Activator{}), "it knows of nothing")
	assert.Equal(t, []messages.ProxyStats{{Concurrency: 0.5, Requests: 2}},
		at(2, cluster.Activator{Flow: flow(3, 3, 1.5), Introduced: 1}), "but for the request that it has told of")
	assert.Equal(t, []messages.ProxyStats{{Concurrency: 3}}, at(3, cluster.Activator{Flow: flow(3, 3, 4.5), Introduced: 1}))
	assert.Equal(t, []messages.ProxyStats{{Concurrency: 0.25}}, at(4, cluster.Activator{Flow: flow(3, 0, 4.75), Introduced: 1}))
	assert.Equal(t, []messages.ProxyStats{{}}, at(5, cluster.Activator{Flow: flow(3, 0, 4.75), Introduced: 1}), "a last report, of nothing")
	assert.Empty(t, at(6, cluster.Activator{Flow: flow(3, 0, 4.75), Introduced: 1}))
	assert.Equal(t, []messages.ProxyStats{{}}, at(7, cluster.Activator{Flow: flow(4, 1, 5), Introduced: 2}), "less than one, which was told of")
}
