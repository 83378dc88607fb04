package scenarios

import (
	"slices"

	"github.com/scalelab/scalelab/scenarios/strict"
)

// checkPrices has the section cost validated, and refuses prices that nothing in
// the scenario would be billed at.
func (l *loader) checkPrices() {
	prices := l.doc.Cost
	if prices == nil {
		return
	}
	l.owner("cost", prices.Validate)
	if l.problems.Below("cost") || l.problems.Below("workload") {
		return
	}
	if prices.VCPUHour != nil && *prices.VCPUHour > 0 && l.workload.spec.CPURequestMilli == 0 {
		l.unrequested("cost.vcpuHour", "cpu")
	}
	if prices.GiBHour != nil && *prices.GiBHour > 0 && l.workload.spec.MemoryRequestBytes == 0 {
		l.unrequested("cost.gibHour", "memory")
	}
	if p := prices.Serverless; p != nil {
		if p.GiBSecond > 0 && l.workload.spec.MemoryRequestBytes == 0 {
			l.unrequested("cost.serverless.gibSecond", "memory")
		}
		if !slices.ContainsFunc(l.strategies, func(st strategy) bool { return st.serverless != nil }) {
			l.problems.Addf(l.root.Locate("cost.serverless"), "found prices, expected none: no autoscaler is serverless")
		}
	}
	timeout := l.doc.Workload.RequestTimeout
	if late := prices.LateRequest; late != nil && timeout > 0 && late.After >= timeout {
		l.problems.Addf(l.root.Locate("cost.lateRequest.after"), "found %s, expected less than workload.requestTimeout, which is %s: what comes later is lost",
			strict.FormatDuration(late.After), strict.FormatDuration(timeout))
	}
}

func (l *loader) unrequested(path, resource string) {
	l.problems.Addf(l.root.Locate(path), "found a price, expected requests of %s in the containers of the Deployment", resource)
}
