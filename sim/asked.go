package sim

import "github.com/scalelab/scalelab/messages"

// Asked is what the metrics or triggers of a decision asked for, before windows,
// policies, cooldowns and limits; ok is false where it asked none.
func (d *Decision) Asked() (replicas int32, ok bool) {
	for _, s := range d.Steps {
		switch s.Stage {
		case messages.StageMetric, messages.StageTolerance, messages.StageReadiness, messages.StageTrigger:
			replicas, ok = s.Replicas, true
		default:
			return replicas, ok
		}
	}
	return replicas, ok
}

// Changes says whether a decision changes the count.
func (d *Decision) Changes() bool { return d.Desired != d.Current }
