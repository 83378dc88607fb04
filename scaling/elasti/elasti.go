package elasti

import (
	"errors"
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

// Autoscaler is the operator's loop over one ElastiService.
type Autoscaler struct {
	spec      ElastiServiceSpec
	period    time.Duration // of the polls
	enabled   *period       // nil: always
	triggers  []trigger
	created   time.Time
	scaledUp  time.Time // see ScaledUp
	namespace string
	byStatus  bool // see poll
}

var (
	_ scaling.Autoscaler = (*Autoscaler)(nil)
	_ scaling.Observer   = (*Autoscaler)(nil)
	_ scaling.Waker      = (*Autoscaler)(nil)
)

// New gives the loop of an ElastiService that was created at created, of which
// the API keeps whole seconds. Errors are messages.Problems: those of the
// manifest with their path in it, those of the settings below "controller".
func New(spec Spec, created time.Time) (*Autoscaler, error) {
	if spec.Manifest == nil {
		return nil, errors.New("elasti: found no manifest, expected an ElastiService")
	}
	var problems messages.Problems
	problems.Add(spec.Manifest.Validate())
	problems.Add(messages.Under("controller", spec.Controller.Validate()))
	problems.Add(messages.Under("world", spec.World.Validate()))
	if len(problems) > 0 {
		return nil, problems
	}
	s := spec.Manifest.Spec
	a := &Autoscaler{
		spec:      s,
		period:    spec.Controller.PollingInterval,
		created:   created.Truncate(time.Second),
		namespace: spec.Manifest.Namespace,
		byStatus:  spec.World.Released(),
	}
	if s.EnabledPeriod != nil {
		enabled, err := newPeriod(*s.EnabledPeriod)
		if err != nil {
			return nil, err
		}
		a.enabled = enabled
	}
	for i, t := range s.Triggers {
		read, err := newTrigger(i, t, s.Cooldown())
		if err != nil {
			return nil, err
		}
		a.triggers = append(a.triggers, read)
	}
	return a, nil
}

// Period is the operator's polling interval; its first poll is one interval
// after its start.
func (a *Autoscaler) Period() time.Duration { return a.period }

// Queries are the health query and the value query of every trigger, in order.
func (a *Autoscaler) Queries() []messages.Query {
	var queries []messages.Query
	for _, t := range a.triggers {
		queries = append(queries, t.health, t.value)
	}
	return queries
}

// Decide is one poll. Only an Observation that does not answer Queries is an
// error.
func (a *Autoscaler) Decide(now time.Time, seen messages.Observation) (messages.Decision, error) {
	if len(seen.Metrics) != 2*len(a.triggers) {
		return messages.Decision{}, fmt.Errorf("elasti: found %d metrics, expected %d", len(seen.Metrics), 2*len(a.triggers))
	}
	return a.Poll(now, seen.Replicas, func(i int) Vote {
		return a.triggers[i].vote(seen.Metrics[2*i], seen.Metrics[2*i+1])
	}), nil
}

// Poll is one poll with the triggers asked one by one, by their index in the
// manifest: the first that does not vote for zero decides, and later ones are
// not asked. It is the one decision of the simulator and of the handler that
// runs in a cluster.
func (a *Autoscaler) Poll(now time.Time, replicas messages.Replicas, ask func(trigger int) Vote) messages.Decision {
	p := poll{replicas: replicas, byStatus: a.byStatus}
	if until := a.created.Add(a.spec.Cooldown()); until.After(now) {
		return p.hold(messages.ReasonCooldown, fmt.Sprintf("the ElastiService was created less than %v ago: not looked at before %s",
			a.spec.Cooldown(), until.Format(time.TimeOnly)))
	}
	if !a.enabled.contains(now) {
		return a.up(&p, now, "outside of the enabled period")
	}
	for i := range a.triggers {
		switch v := ask(i); v.Direction {
		case Skip:
			p.step(messages.StageTrigger, replicas.Desired, v.Because)
			return p.hold(messages.ReasonMetricFailed, v.Because)
		case Up:
			return a.up(&p, now, v.Because)
		default:
			p.step(messages.StageTrigger, 0, v.Because)
		}
	}
	return a.down(&p, now)
}

// ScaledUp is status.lastScaledUpTime: when a trigger or a request last wanted
// the workload up; zero when that never was.
func (a *Autoscaler) ScaledUp() time.Time { return a.scaledUp }

// Restore sets what ScaledUp gives, for an operator that starts again and reads
// it from the status.
func (a *Autoscaler) Restore(scaledUp time.Time) { a.scaledUp = scaledUp }

// Wake is what a request that finds no ready pod triggers: the minimum at once,
// whatever the triggers say. A message for another service is an error.
func (a *Autoscaler) Wake(now time.Time, count messages.RequestCount, seen messages.Replicas) (messages.Decision, error) {
	if err := count.Validate(); err != nil {
		return messages.Decision{}, fmt.Errorf("elasti: wake-up: %w", err)
	}
	if count.Svc != a.spec.Service {
		return messages.Decision{}, fmt.Errorf("elasti: wake-up: found service %q, expected %q", count.Svc, a.spec.Service)
	}
	if a.namespace != "" && count.Namespace != a.namespace {
		return messages.Decision{}, fmt.Errorf("elasti: wake-up: found namespace %q, expected %q", count.Namespace, a.namespace)
	}
	p := poll{replicas: seen, byStatus: a.byStatus}
	return a.up(&p, now, fmt.Sprintf("requests held for service %s: %d", count.Svc, count.Count)), nil
}

// Release is the last decision for an ElastiService that is deleted: a workload
// that sleeps is woken up, for nobody else would do it.
func (a *Autoscaler) Release(now time.Time, seen messages.Replicas) messages.Decision {
	p := poll{replicas: seen}
	return a.up(&p, now, "the ElastiService or its resolver is gone")
}

// up stamps the last scale-up, even if nothing is left to do: so the cooldown
// counts from the last poll that wanted the workload up.
func (a *Autoscaler) up(p *poll, now time.Time, because string) messages.Decision {
	a.scaledUp = now
	return p.scale(a.spec.minimum(), because)
}

// down scales to zero unless the cooldown since the last stamp still runs.
func (a *Autoscaler) down(p *poll, now time.Time) messages.Decision {
	cooldown := a.spec.Cooldown()
	if since := now.Sub(a.scaledUp); !a.scaledUp.IsZero() && since < cooldown {
		detail := fmt.Sprintf("wanted up %v ago, cooldown %v", since, cooldown)
		p.step(messages.StageCooldown, p.replicas.Desired, detail)
		return p.hold(messages.ReasonCooldown, "idle, but "+detail)
	}
	return p.scale(0, "every trigger is below its threshold")
}
