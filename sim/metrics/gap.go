package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Gap is a stretch in which a part of the pipeline collects nothing: kubelet,
// metrics-server or prometheus. Silent: it answers nothing either. To is the first
// instant after it.
//
// A kubelet that answers nothing is one that metrics-server cannot scrape, so that
// its pods have no metrics from the next collection on. A metrics-server that comes
// back has nothing in memory, and its API is unavailable until it has collected
// twice. A Prometheus that comes back has its samples on disk, and writes no stale
// markers for what went away in the meantime.
//
// Sources: metrics-server, pkg/storage and the check metric-storage-ready;
// endOfRunStaleness in package scrape of Prometheus 3.
type Gap struct {
	Source   string
	From, To time.Duration
	Silent   bool
}

// What a Gap can be of.
const (
	partKubelet       = "kubelet"
	partMetricsServer = "metrics-server"
	partPrometheus    = "prometheus"
)

var parts = []string{partKubelet, partMetricsServer, partPrometheus}

func validateGaps(gaps []Gap) error {
	var problems messages.Problems
	for i, g := range gaps {
		if !slices.Contains(parts, g.Source) {
			problems.Addf(fmt.Sprintf("gaps[%d].source", i), "found %q, %s", g.Source, messages.OneOf(g.Source, parts))
		}
		if g.To <= g.From {
			problems.Addf(fmt.Sprintf("gaps[%d].to", i), "found %v, expected more than %v, where it begins", g.To, g.From)
		}
	}
	return problems.Err()
}

// gapsOf are those of one part, in the order in which they begin.
func gapsOf(gaps []Gap, part string) (own []Gap) {
	for _, g := range gaps {
		if g.Source == part {
			own = append(own, g)
		}
	}
	slices.SortFunc(own, func(a, b Gap) int { return cmp.Compare(a.From, b.From) })
	return own
}

func (g *Gap) holds(at time.Duration) bool { return g.From <= at && at < g.To }
