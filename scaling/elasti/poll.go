package elasti

import (
	"fmt"

	"github.com/scalelab/scalelab/messages"
)

// poll collects the steps of one decision.
type poll struct {
	replicas messages.Replicas
	// byStatus compares with status.replicas, as the released versions do.
	byStatus bool
	steps    []messages.Step
}

func (p *poll) step(stage messages.Stage, replicas int32, detail string) {
	p.steps = append(p.steps, messages.Step{Stage: stage, Replicas: replicas, Detail: detail})
}

// hold leaves spec.replicas as it is.
func (p *poll) hold(reason messages.Reason, because string) messages.Decision {
	return messages.Decision{Desired: p.replicas.Desired, Reason: reason, Message: because, Steps: p.steps}
}

// scale writes target to spec.replicas unless that is the target already, or is
// beyond a target above zero. The released versions look at status.replicas
// instead: so they can take a scale-up back that is still under way (spec 3,
// status 0, target 1 gives 1), and miss a wake-up while the pods of before are
// still counted (spec 0, status 1, target 1 stays 0).
func (p *poll) scale(target int32, because string) messages.Decision {
	current, field, compared := p.replicas.Desired, "spec", p.replicas.Desired
	if p.byStatus {
		field, compared = "status", p.replicas.Created
	}
	p.step(messages.StageTrigger, target, because)
	if compared == target || target > 0 && compared > target {
		reason := messages.ReasonSteady
		if target > 0 {
			reason = messages.ReasonActive
		}
		detail := fmt.Sprintf("%s.replicas is %d: nothing to do for %d", field, compared, target)
		p.step(messages.StageClamp, current, detail)
		return p.hold(reason, because+"; "+detail)
	}
	return messages.Decision{
		Desired: target,
		Reason:  reasonFor(current, target),
		Message: fmt.Sprintf("%s: from %d to %d", because, current, target),
		Steps:   p.steps,
	}
}

// reasonFor names a change of spec.replicas.
func reasonFor(current, target int32) messages.Reason {
	switch {
	case current == target && target > 0:
		return messages.ReasonActive
	case current == target:
		return messages.ReasonSteady
	case target == 0:
		return messages.ReasonScaleToZero
	case current == 0:
		return messages.ReasonScaleFromZero
	case target > current:
		return messages.ReasonScaleUp
	}
	return messages.ReasonScaleDown
}
