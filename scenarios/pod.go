package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// application is the container whose probes and hooks count: the first one of the
// Deployment's pods. Knative answers the probes of its pods itself.
func (l *loader) application() *corev1.Container {
	spec := l.podSpec()
	if l.workload.knative != nil || len(spec.Containers) == 0 {
		return nil
	}
	return &spec.Containers[0]
}

// probes are those of the application.
func (l *loader) probes() (p cluster.Probes) {
	if c := l.application(); c != nil {
		p.Startup, p.Readiness, p.Liveness = probe(c.StartupProbe), probe(c.ReadinessProbe), probe(c.LivenessProbe)
	}
	p.Queued = l.doc.Workload.Probes == "queued"
	return p
}

// probe is a probe with the API server's defaults for what it leaves out.
func probe(p *corev1.Probe) *cluster.Probe {
	if p == nil {
		return nil
	}
	or := func(n, otherwise int32) int32 {
		if n == 0 {
			return otherwise
		}
		return n
	}
	return &cluster.Probe{
		InitialDelay: time.Duration(p.InitialDelaySeconds) * time.Second,
		Period:       time.Duration(or(p.PeriodSeconds, 10)) * time.Second,
		Timeout:      time.Duration(or(p.TimeoutSeconds, 1)) * time.Second,
		Failures:     int(or(p.FailureThreshold, 3)),
		Successes:    int(or(p.SuccessThreshold, 1)),
	}
}

// sleeping matches a command that only sleeps.
var sleeping = regexp.MustCompile(`^sleep ([0-9]{1,6})s?$`)

// preStop is how long the hook of the application takes.
func (l *loader) preStop(deployment *object) time.Duration {
	if given := l.doc.Workload.PreStop; given != nil {
		return *given
	}
	c := l.application()
	if c == nil || c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		return 0
	}
	hook := c.Lifecycle.PreStop
	if hook.Sleep != nil {
		const most = int64(strict.MaxDuration / time.Second)
		return time.Duration(min(hook.Sleep.Seconds, most)) * time.Second
	}
	if hook.Exec != nil {
		words := hook.Exec.Command
		if len(words) == 3 && strings.HasSuffix(words[0], "sh") && words[1] == "-c" {
			words = words[2:]
		}
		command := strings.TrimSpace(strings.Join(words, " "))
		if m := sleeping.FindStringSubmatch(strings.TrimPrefix(command, "/bin/")); m != nil {
			seconds, _ := strconv.Atoi(m[1]) // six digits
			return time.Duration(seconds) * time.Second
		}
	}
	l.problems.Addf(deployment.node.Locate("spec.template.spec.containers[0].lifecycle.preStop"),
		"found a hook of which nobody knows how long it takes, expected a sleep, or workload.preStop in the scenario")
	return 0
}

// update is how the Deployment rolls out, with the API server's defaults.
func (l *loader) update(deployment *object) cluster.Update {
	u := cluster.Defaults().Update
	d := l.workload.deployment
	if d == nil {
		return u
	}
	u.MinReady = time.Duration(d.Spec.MinReadySeconds) * time.Second
	u.Recreate = d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	if r := d.Spec.Strategy.RollingUpdate; r != nil {
		if r.MaxSurge != nil {
			u.MaxSurge = l.share(deployment, "maxSurge", *r.MaxSurge)
		}
		if r.MaxUnavailable != nil {
			u.MaxUnavailable = l.share(deployment, "maxUnavailable", *r.MaxUnavailable)
		}
	}
	return u
}

// share reads 3 or 25%.
func (l *loader) share(deployment *object, field string, v intstr.IntOrString) cluster.Share {
	if v.Type == intstr.Int {
		return cluster.Share{Number: v.IntVal}
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(v.StrVal, "%"), 10, 32)
	if err != nil || !strings.HasSuffix(v.StrVal, "%") {
		at := deployment.node.Locate("spec.strategy.rollingUpdate." + field)
		l.problems.Addf(at, "found %s, expected a number of pods or a percentage such as 25%%", at.Found())
		return cluster.Share{}
	}
	return cluster.Share{Number: int32(n), Percent: true}
}

// warnOfRoom says of autoscalers that may want more pods than all nodes there can be
// have room for.
func (l *loader) warnOfRoom() {
	if l.doc.Nodes == nil || len(l.problems) > 0 {
		return
	}
	room := l.workload.spec.Room()
	for _, st := range l.strategies {
		at := l.root.Get("autoscalers").Get(st.name)
		most, what := int64(0), ""
		switch {
		case st.hpa != nil:
			most, what = int64(st.hpa.Spec.MaxReplicas), "maxReplicas"
		case st.keda != nil:
			_, highest := st.keda.Limits()
			most, what = int64(highest), "maxReplicaCount"
		case st.replicas != nil:
			most, what = int64(*st.replicas), "replicas"
		}
		if most > room {
			l.warn(at, fmt.Sprintf("found %s of %d for %s, expected at most %d: the nodes have no room for more, at their largest number", what, most, st.name, room))
		}
	}
}

// checkFaults reports faults that cannot befall this scenario.
func (l *loader) checkFaults() {
	if l.problems.Below("faults") || len(l.doc.Faults) == 0 {
		return
	}
	if l.doc.Fleet != nil {
		l.problems.Addf(l.root.Get("faults"), "found faults of a fleet, expected none: they befall one service")
		return
	}
	l.invalid(sim.ValidateFaults(l.doc.Faults, l.doc.Nodes != nil), func(field string) *strict.Node {
		return l.root.Locate("faults" + field)
	})
	if len(l.problems) > 0 || l.plan == nil {
		return
	}
	for i, f := range l.doc.Faults {
		at := l.root.Locate(fmt.Sprintf("faults[%d]", i))
		if f.At >= l.length() {
			l.problems.Addf(at.Get("at"), "found %s, expected an instant within the run of %s", at.Get("at").Text, strict.FormatDuration(l.length()))
		}
		if f.Surge != nil {
			l.invalid(l.plan.CheckScalable(), func(string) *strict.Node { return at.Get("surge") })
		}
	}
}
