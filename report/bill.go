package report

import (
	"fmt"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// bill is what a run took, and what it costs.
func bill(r *sim.Result) string {
	text := fmt.Sprintf("%s pod-hours, %s of them idle (%s)", bench.PodHours(r.PodSeconds),
		bench.PodHours(r.IdlePodSeconds), share(r.IdlePodSeconds, r.PodSeconds))
	var requested []string
	if r.CPUCoreHours != nil {
		requested = append(requested, bench.Digits(*r.CPUCoreHours)+" core-hours")
	}
	if r.MemoryGiBHours != nil {
		requested = append(requested, bench.Digits(*r.MemoryGiBHours)+" GiB-hours")
	}
	if len(requested) > 0 {
		text += "; requested " + strings.Join(requested, " and ")
	}
	if r.Cost != nil {
		text += "; cost " + bench.Digits(r.Cost.Total) + costParts(r.Cost)
	}
	return text
}

// costParts says what a cost is made of, where that is not one thing.
func costParts(c *sim.Cost) string {
	var parts []string
	for _, part := range []struct {
		name  string
		price *float64
	}{{"pods", c.Pods}, {"CPU", c.VCPU}, {"memory", c.Memory}, {"requests", c.Requests}, {"lost requests", c.Lost}} {
		if part.price != nil {
			parts = append(parts, part.name+" "+bench.Digits(*part.price))
		}
	}
	if c.Late != nil && c.LateRequests != nil {
		parts = append(parts, fmt.Sprintf("%s late %s", count(*c.LateRequests), bench.Digits(*c.Late)))
	}
	if len(parts) < 2 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
