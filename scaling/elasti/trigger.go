package elasti

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
)

// trigger is one prometheus trigger: two queries and a threshold.
type trigger struct {
	name      string
	health    messages.Query
	value     messages.Query
	threshold float64
}

// Direction is what a trigger votes for.
type Direction uint8

// The votes.
const (
	ToZero Direction = iota
	Up
	Skip // leave everything as it is: the trigger knows nothing
)

// Vote is one trigger's word in a poll.
type Vote struct {
	Direction Direction
	Because   string
}

func newTrigger(index int, t Trigger, cooldown time.Duration) (trigger, error) {
	limit, err := threshold(t.Metadata.Threshold)
	if err != nil {
		return trigger{}, err
	}
	metadata := field.NewPath("spec", "triggers").Index(index).Child("metadata")
	return trigger{
		name:      fmt.Sprintf("trigger %d", index),
		threshold: limit,
		health: messages.Query{
			Kind: messages.QueryPromQL,
			Name: fmt.Sprintf("min_over_time((max(up{%s}) or vector(0))[%ds:])",
				t.Metadata.uptimeFilter(), int64(cooldown.Seconds())),
			Field: metadata.Child("uptimeFilter").String(),
		},
		value: messages.Query{
			Kind:  messages.QueryPromQL,
			Name:  t.Metadata.Query,
			Field: metadata.Child("query").String(),
		},
	}, nil
}

// vote reads the trigger. Prometheus must have been up for the whole cooldown,
// or low values may be missing samples. Only a value below the threshold is for
// zero: -1, which upstream takes for "unknown", and NaN are for the workload.
func (t trigger) vote(health, value messages.Metric) Vote {
	switch {
	case health.Err != "":
		return t.skip("health unknown: " + health.Err)
	case health.Value != 1:
		return t.skip("Prometheus was not up for the whole cooldown")
	case value.Err != "":
		return t.skip("no value: " + value.Err)
	case math.IsInf(value.Value, 0):
		return t.skip(fmt.Sprintf("the value is %v", value.Value))
	case value.Value == -1:
		return Vote{Up, t.name + ": -1 stands for an unknown value"}
	case value.Value < t.threshold:
		return Vote{ToZero, fmt.Sprintf("%s: %v is below the threshold %v", t.name, value.Value, t.threshold)}
	}
	return Vote{Up, fmt.Sprintf("%s: %v is not below the threshold %v", t.name, value.Value, t.threshold)}
}

func (t trigger) skip(because string) Vote { return Vote{Skip, t.name + ": " + because} }
