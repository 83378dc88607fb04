package metrics

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// reports are what the proxies in the pods and before them report at the end of
// every period. As in Knative, a pod's report covers the whole period, whenever
// it became Ready in it, and is read at once.
type reports struct {
	pods, spare []podReport // in order of creation
	proxies     []proxyReport
	stats       messages.Stats // the buffer of every answer
}

// podReport is what a pod had counted at the end of the last period.
type podReport struct {
	id              int32
	direct, proxied cluster.Flow
}

// proxyReport is what a proxy before all pods had counted.
type proxyReport struct {
	flow       cluster.Flow
	introduced uint64
	known      bool // it has the service in its books
}

// Reports are the proxies' reports on the period that ends at now. Its slices are
// used again at the next Reports.
func (d *Door) Reports(now, period time.Duration, t Truth) messages.Stats {
	r := &d.reports
	r.stats = messages.Stats{Pods: r.stats.Pods[:0], Proxies: r.stats.Proxies[:0]}
	next, i := r.spare[:0], 0
	for _, p := range t.Pods {
		for i < len(r.pods) && r.pods[i].id < p.ID {
			i++
		}
		before := podReport{id: p.ID}
		if i < len(r.pods) && r.pods[i].id == p.ID {
			before = r.pods[i]
		}
		if p.State == cluster.Ready {
			r.stats.Pods = append(r.stats.Pods, d.podStats(now, period, &p, &before))
		}
		next = append(next, podReport{id: p.ID, direct: p.Direct, proxied: p.Proxied})
	}
	r.pods, r.spare = next, r.pods
	for len(r.proxies) < len(t.Activators) {
		r.proxies = append(r.proxies, proxyReport{})
	}
	for n := range t.Activators {
		if stats, any := r.proxies[n].next(&t.Activators[n], period); any {
			r.stats.Proxies = append(r.stats.Proxies, stats)
		}
	}
	return r.stats
}

func (d *Door) podStats(now, period time.Duration, p *cluster.PodStatus, before *podReport) messages.PodStats {
	direct, proxied := since(p.Direct, before.direct, period), since(p.Proxied, before.proxied, period)
	return messages.PodStats{
		Age:                d.spec.Start.Add(now).Sub(d.instant(p.ScheduledAt)),
		Concurrency:        direct.Concurrency + proxied.Concurrency,
		ProxiedConcurrency: proxied.Concurrency,
		Requests:           direct.Requests + proxied.Requests,
		ProxiedRequests:    proxied.Requests,
	}
}

// since is what a flow was over a period.
func since(now, before cluster.Flow, period time.Duration) messages.ProxyStats {
	return messages.ProxyStats{
		Concurrency: float64(now.Stay-before.Stay) / float64(period),
		Requests:    float64(now.Entered-before.Entered) / period.Seconds(),
	}
}

// next is the report of an activator that has the service in its books. A request
// that it has told at once of is taken out again, and after a period without one
// the service is struck off.
func (r *proxyReport) next(a *cluster.Activator, period time.Duration) (stats messages.ProxyStats, any bool) {
	told := a.Introduced - r.introduced
	r.known = r.known || told > 0
	stats = since(a.Flow, r.flow, period)
	any = r.known
	if stats.Concurrency == 0 && a.Inside == 0 {
		r.known = false
	}
	stats.Concurrency = max(stats.Concurrency-float64(told), 0)
	stats.Requests -= float64(told)
	r.flow, r.introduced = a.Flow, a.Introduced
	return stats, any
}
