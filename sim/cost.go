package sim

import "time"

// Cost is the bill of a run. The parts add up to Total; a part is null where
// the scenario has no price for it, or it does not apply to the strategy.
type Cost struct {
	Total    float64  `json:"total"`
	Pods     *float64 `json:"pods"`            // pods as a whole, by the hour
	VCPU     *float64 `json:"vcpu"`            // pods: CPU requested
	Memory   *float64 `json:"memory"`          // pods: memory requested; serverless: memory in service
	Nodes    *float64 `json:"nodes,omitempty"` // in the place of pods
	Requests *float64 `json:"requests"`        // attempts at the door, and those that got an instance
	Lost     *float64 `json:"lost"`
	Late     *float64 `json:"late"`
	// LateRequests is how many completed requests were late, counted one by one.
	LateRequests *uint64 `json:"late_requests"`
}

// usage is what a run is billed for.
type usage struct {
	existed, idle float64 // pod-seconds
	cpuMilli      int64   // a pod requests
	memoryBytes   int64
	serverless    bool
	invocations   uint64 // requests that got an instance
	requests      Requests
	late          uint64
	nodes         *float64 // what they cost; nil: pods are billed
}

const bytesPerGiB = 1 << 30

// cpuCoreHours is the CPU requested, added up over time; nil when pods request
// none.
func (u usage) cpuCoreHours() *float64 {
	if u.cpuMilli == 0 {
		return nil
	}
	return new(u.existed / time.Hour.Seconds() * (float64(u.cpuMilli) / 1000))
}

// memoryGiBHours is the memory requested, added up over time; nil when pods
// request none.
func (u usage) memoryGiBHours() *float64 {
	if u.memoryBytes == 0 {
		return nil
	}
	return new(u.existed / time.Hour.Seconds() * (float64(u.memoryBytes) / bytesPerGiB))
}

// idleShare is the part of the pods' time in which they were Ready with nothing
// in service; nil when there were no pods.
func (u usage) idleShare() *float64 {
	if u.existed == 0 {
		return nil
	}
	return new(u.idle / u.existed)
}

// bill prices the usage; nil without prices.
func (p *Prices) bill(u usage) *Cost {
	if p == nil && u.nodes == nil {
		return nil
	}
	c := &Cost{}
	if u.nodes != nil {
		c.Nodes = c.charge(u.nodes, 1)
	}
	if p == nil {
		return c
	}
	c.Requests = c.charge(p.MillionRequests, float64(u.requests.Arrived+u.requests.Retried)/1e6)
	if u.serverless && p.Serverless != nil {
		c.chargeUse(*p.Serverless, u)
	} else if u.nodes == nil {
		c.Pods = c.charge(p.PodHour, u.existed/time.Hour.Seconds())
		c.VCPU = c.charge(p.VCPUHour, orZero(u.cpuCoreHours()))
		c.Memory = c.charge(p.GiBHour, orZero(u.memoryGiBHours()))
	}
	c.Lost = c.charge(p.LostRequest, float64(u.requests.Lost()))
	if late := p.LateRequest; late != nil {
		c.Late = c.charge(&late.Price, float64(u.late))
		c.LateRequests = new(u.late)
	}
	return c
}

// charge adds an amount at a price to the total; nil without a price.
func (c *Cost) charge(price *float64, amount float64) *float64 {
	if price == nil {
		return nil
	}
	part := float64(amount * *price)
	c.Total += part
	return &part
}

// chargeUse bills a serverless platform. An instance is in service whenever it
// is not idle.
//
//	(in service x GiB - free) x price + (requests - free) / 10^6 x price
func (c *Cost) chargeUse(p ServerlessPrice, u usage) {
	used := float64((u.existed - u.idle) * (float64(u.memoryBytes) / bytesPerGiB))
	c.Memory = c.charge(&p.GiBSecond, max(0, used-orZero(p.FreeGiBSeconds)))
	requests := c.charge(&p.MillionRequests, max(0, float64(u.invocations)-orZero(p.FreeRequests))/1e6)
	c.Requests = new(orZero(c.Requests) + *requests)
}

func orZero(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
