package fakecluster

import (
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// RandomFaults are faults at a steady rate. The rates are shares of calls, 0
// to 1, and exclude one another: 0.02 each is 6 % of calls that fail.
//
// Every object has its own stream of draws for each thing that is done to it,
// by call number. So the draws do not depend on how calls to different objects
// interleave, and the same seed gives the same faults with several goroutines.
// All creations of a resource in a namespace share a stream.
type RandomFaults struct {
	Seed   uint64
	Stream string // streams of different names are independent

	Conflicts    float64 // 409, of updates, patches and deletions only
	Timeouts     float64 // 504
	ServerErrors float64 // 500
	// LostAnswers is the share of timed-out writes that take effect all the same.
	LostAnswers float64

	// Latency of every call, uniform between the two.
	LatencyMin, LatencyMax time.Duration
}

// Faults checks the rates and gives the function for Options.
func (f RandomFaults) Faults() (Faults, error) {
	for name, rate := range map[string]float64{
		"conflicts": f.Conflicts, "timeouts": f.Timeouts, "server errors": f.ServerErrors, "lost answers": f.LostAnswers,
	} {
		if !(rate >= 0 && rate <= 1) {
			return nil, fmt.Errorf("random faults: found a rate of %s of %v, expected 0 to 1", name, rate)
		}
	}
	if sum := f.Conflicts + f.Timeouts + f.ServerErrors; sum > 1 {
		return nil, fmt.Errorf("random faults: found rates with a sum of %v, expected at most 1", sum)
	}
	if f.LatencyMin < 0 || f.LatencyMax < f.LatencyMin {
		return nil, fmt.Errorf("random faults: found latency from %s to %s, expected 0 or more, rising", f.LatencyMin, f.LatencyMax)
	}
	return (&randomFaults{RandomFaults: f, calls: map[Call]uint64{}}).decide, nil
}

type randomFaults struct {
	RandomFaults

	mu    sync.Mutex
	calls map[Call]uint64 // draws taken from each stream
}

func (f *randomFaults) decide(c Call) Fault {
	d := draws(mix(f.key(c) ^ mix(f.next(c))))
	fault := Fault{Latency: f.LatencyMin + time.Duration(d.uniform(0)*float64(f.LatencyMax-f.LatencyMin))}
	u := d.uniform(1)
	switch {
	case u < f.Conflicts:
		if c.IsWrite() && c.Verb != "create" {
			fault.Err = apierrors.NewConflict(c.Resource, c.Name, errInjected)
		}
	case u < f.Conflicts+f.Timeouts:
		fault.Err = apierrors.NewTimeoutError("injected: "+c.String(), 0)
		fault.Applied = c.IsWrite() && d.uniform(2) < f.LostAnswers
	case u < f.Conflicts+f.Timeouts+f.ServerErrors:
		fault.Err = apierrors.NewInternalError(errInjected)
	}
	return fault
}

var errInjected = errors.New("injected")

// next is the number of the call in its stream.
func (f *randomFaults) next(c Call) uint64 {
	c.At = time.Time{}
	if c.Verb == "create" {
		c.Name = ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[c]++
	return f.calls[c]
}

// key tells the streams apart.
func (f *randomFaults) key(c Call) uint64 {
	if c.Verb == "create" {
		c.Name = ""
	}
	hash := fnv.New64a()
	for _, part := range []string{f.Stream, c.Verb, c.Resource.Group, c.Resource.Resource, c.Subresource, c.Namespace, c.Name} {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	return mix(f.Seed) ^ hash.Sum64()
}

// draws is a generator from which the n-th number can be asked directly
// (splitmix64: the state after n steps is the seed plus n constants).
type draws uint64

// uniform is the n-th number, in [0, 1).
func (d draws) uniform(n uint64) float64 {
	return float64(mix(uint64(d)+n*golden)>>11) / (1 << 53)
}
