package sim

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/scaling/keda"
)

// kedaStart is how long after the creation of a ScaledObject the operator looks at
// its triggers for the first time: it makes the HPA first. Like the instants of a
// real cluster it is no whole second, so that a cooldown that is a multiple of the
// polling interval ends with the poll that it seems to end with.
const kedaStart = 100 * time.Millisecond

// kedaLoops are the operator's loop and that of the HPA it makes. Of a paused
// ScaledObject there is no HPA.
func kedaLoops(spec Spec) ([]loop, error) {
	a, err := keda.New(*spec.Strategy.Keda, spec.Start)
	if err != nil {
		return nil, fmt.Errorf("scaled object: %w", err)
	}
	h, err := a.Horizontal()
	if err != nil {
		return nil, fmt.Errorf("horizontal pod autoscaler of the scaled object: %w", err)
	}
	loops := []loop{{name: "keda", autoscaler: a, first: kedaStart}}
	if h != nil {
		loops = append(loops, loop{name: "hpa", autoscaler: h, first: h.First(), gauges: h.Gauges(), queries: h.Queries(), asked: h.Asked(), shown: h.Seen})
	}
	return loops, nil
}
