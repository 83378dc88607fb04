package metrics

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Phase is when something that comes round at an interval does so for the first
// time: as soon as it can ("aligned", or empty), later by an offset that the seed
// draws from one interval ("random"), or later by a duration such as 7s, which is
// shorter than the interval.
type Phase string

const (
	aligned = "aligned"
	drawn   = "random"
)

// longest is longer than the period of any loop.
const longest = 1 << 62

// Phases are the phases of single parts of the pipeline and of control loops; what
// is empty has that of the Pipeline.
type Phases struct {
	Kubelet       Phase `yaml:"kubelet,omitempty" doc:"samples of the kubelet"`
	MetricsServer Phase `yaml:"metricsServer,omitempty" doc:"collections of metrics-server"`
	Prometheus    Phase `yaml:"prometheus,omitempty" doc:"scrapes of Prometheus"`
	HPA           Phase `yaml:"hpa,omitempty" doc:"syncs of the HPA, also of the one that KEDA makes"`
	Keda          Phase `yaml:"keda,omitempty" doc:"polls of KEDA's operator"`
	Elasti        Phase `yaml:"elasti,omitempty" doc:"polls of KubeElasti's operator"`
	Knative       Phase `yaml:"knative,omitempty" doc:"ticks of Knative's autoscaler, and with them its collections"`
}

// UnmarshalText reads aligned, random or a duration.
func (p *Phase) UnmarshalText(text []byte) error {
	*p = Phase(text)
	return p.validate()
}

func (p Phase) validate() error {
	if p == "" || p == aligned || p == drawn {
		return nil
	}
	if d, err := time.ParseDuration(string(p)); err == nil && d >= 0 {
		return nil
	}
	hint := ""
	if near := messages.Nearest(string(p), []string{aligned, drawn}); near != "" {
		hint = "; did you mean \"" + near + "\"?"
	}
	return messages.Invalidf("", "found %q, expected aligned, random or an offset such as 7s%s", string(p), hint)
}

// offset is by how much the phase makes the first time later; what names the stream
// that it is drawn from, in whole milliseconds.
func (p Phase) offset(what string, interval time.Duration, seed random.Seed) time.Duration {
	switch p {
	case "", aligned:
		return 0
	case drawn:
		stream := seed.Key("pipeline.phase."+what, 0).Stream()
		return time.Duration(stream.IntN(int((interval+time.Millisecond-1)/time.Millisecond))) * time.Millisecond
	}
	d, err := time.ParseDuration(string(p))
	if err != nil {
		panic("metrics: a phase that was not validated: " + string(p))
	}
	return d
}

// Offset is by how much a part of the pipeline (kubelet, metricsServer, prometheus) or
// a control loop (hpa, keda, elasti, knative) that comes round every interval begins
// later than it would have to. An offset that is not shorter than the interval is a
// *messages.Invalid at its field of the Pipeline.
func (p *Pipeline) Offset(what string, interval time.Duration, seed random.Seed) (time.Duration, error) {
	phase, field := p.phaseOf(what)
	if err := phase.validate(); err != nil {
		return 0, messages.Invalidf(field, "%v", err)
	}
	d := phase.offset(what, interval, seed)
	if d >= interval {
		return 0, messages.Invalidf(field, "found %s, expected less than the %s after which %s comes round again", phase, interval, what)
	}
	return d, nil
}

// checkPhases reports phases that cannot be read, and offsets that are not shorter
// than the intervals that the pipeline knows.
func (p *Pipeline) checkPhases() error {
	var problems messages.Problems
	said := map[string]bool{}
	report := func(what string, interval time.Duration) {
		if _, err := p.Offset(what, interval, 0); err != nil && !said[err.(*messages.Invalid).Field] {
			said[err.(*messages.Invalid).Field] = true
			problems.Add(err)
		}
	}
	report("kubelet", p.Kubelet)
	report("metricsServer", p.MetricsServer)
	report("prometheus", p.PrometheusScrape)
	for _, loop := range []string{"hpa", "keda", "elasti", "knative"} {
		report(loop, longest)
	}
	return problems.Err()
}

// phaseOf is the phase of a part or loop, and the field that gives it.
func (p *Pipeline) phaseOf(what string) (phase Phase, field string) {
	own := map[string]Phase{
		"kubelet": p.Phases.Kubelet, "metricsServer": p.Phases.MetricsServer, "prometheus": p.Phases.Prometheus,
		"hpa": p.Phases.HPA, "keda": p.Phases.Keda, "elasti": p.Phases.Elasti, "knative": p.Phases.Knative,
	}[what]
	if own != "" {
		return own, "phases." + what
	}
	return p.Phase, "phase"
}
