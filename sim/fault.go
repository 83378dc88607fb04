package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Fault is something that befalls a run: exactly one thing, from At on and, where it
// is no single event, For some time. Of one instant it comes before everything else.
type Fault struct {
	At  time.Duration  `yaml:"at" required:"true" doc:"when it happens or begins"`
	For *time.Duration `yaml:"for,omitempty" doc:"how long it lasts; only of what lasts, which needs it"`

	// What happens once.
	Rollout          *Rollout      `yaml:"rollout,omitempty" doc:"the Deployment gets another pod template: all pods are replaced as its strategy says"`
	PodCrash         *Count        `yaml:"podCrash,omitempty" doc:"containers end with all that they hold, and are started again after the kubelet's back-off"`
	NodeLoss         *Count        `yaml:"nodeLoss,omitempty" doc:"nodes die; the API finds out after nodes.notReadyAfter"`
	NodeDrain        *Count        `yaml:"nodeDrain,omitempty" doc:"nodes are emptied, as far as nodes.minAvailable allows, and replaced"`
	SpotInterruption *Interruption `yaml:"spotInterruption,omitempty" doc:"the cloud takes nodes back"`

	// What lasts.
	Unready        *Count         `yaml:"unready,omitempty" doc:"Ready pods whose readiness probes fail"`
	SlowStart      *float64       `yaml:"slowStart,omitempty" min:"1" max:"1000" doc:"how many times longer containers take to come up that start meanwhile"`
	SlowDown       *float64       `yaml:"slowDown,omitempty" min:"1" max:"1000" doc:"how many times longer requests take whose service begins meanwhile, as when a dependency is slow"`
	Surge          *float64       `yaml:"surge,omitempty" min:"1" max:"1000" doc:"how many times more requests arrive"`
	MetricsOutage  string         `yaml:"metricsOutage,omitempty" enum:"kubelet|metrics-server|prometheus" doc:"who collects nothing and answers nothing"`
	MetricsFreeze  string         `yaml:"metricsFreeze,omitempty" enum:"kubelet|metrics-server|prometheus" doc:"who collects nothing and goes on answering with what it has"`
	AutoscalerDown string         `yaml:"autoscalerDown,omitempty" enum:"hpa|keda|elasti|knative|all" doc:"which control loop does nothing; it starts again without what it had in memory"`
	APIErrors      *float64       `yaml:"apiErrors,omitempty" min:"0" max:"1" doc:"share of the control loops' syncs that the API server fails"`
	APILatency     *time.Duration `yaml:"apiLatency,omitempty" doc:"how much later the control loops' syncs come about"`
	ClockSkew      *Skew          `yaml:"clockSkew,omitempty" doc:"a control loop's clock is wrong"`
}

// Rollout has nothing to say beyond that it happens.
type Rollout struct{}

// Count is how many are hit; which ones is drawn.
type Count struct {
	Count int `yaml:"count" required:"true" min:"1" max:"100000" doc:"how many; all where there are fewer"`
}

// Interruption is a cloud's notice.
type Interruption struct {
	Count  int            `yaml:"count" required:"true" min:"1" max:"100000" doc:"how many nodes; all where there are fewer"`
	Notice *time.Duration `yaml:"notice,omitempty" doc:"how long before they go the pods are told; default 2m"`
}

// Skew is a clock that is wrong.
type Skew struct {
	Of   string        `yaml:"of" required:"true" enum:"hpa|keda|elasti|knative" doc:"whose clock"`
	Fast time.Duration `yaml:"fast,omitempty" doc:"by how much it is ahead"`
	Slow time.Duration `yaml:"slow,omitempty" doc:"or by how much it is behind"`
}

// by is by how much the clock is ahead.
func (s *Skew) by() time.Duration { return s.Fast - s.Slow }

// defaultNotice is that of AWS.
const defaultNotice = 2 * time.Minute

// faultKind is one of the things that a Fault can be.
type faultKind struct {
	name  string
	given bool
	lasts bool
	nodes bool // there have to be nodes
}

func (f *Fault) kinds() []faultKind {
	return []faultKind{
		{name: "rollout", given: f.Rollout != nil},
		{name: "podCrash", given: f.PodCrash != nil},
		{name: "nodeLoss", given: f.NodeLoss != nil, nodes: true},
		{name: "nodeDrain", given: f.NodeDrain != nil, nodes: true},
		{name: "spotInterruption", given: f.SpotInterruption != nil, nodes: true},
		{name: "unready", given: f.Unready != nil, lasts: true},
		{name: "slowStart", given: f.SlowStart != nil, lasts: true},
		{name: "slowDown", given: f.SlowDown != nil, lasts: true},
		{name: "surge", given: f.Surge != nil, lasts: true},
		{name: "metricsOutage", given: f.MetricsOutage != "", lasts: true},
		{name: "metricsFreeze", given: f.MetricsFreeze != "", lasts: true},
		{name: "autoscalerDown", given: f.AutoscalerDown != "", lasts: true},
		{name: "apiErrors", given: f.APIErrors != nil, lasts: true},
		{name: "apiLatency", given: f.APILatency != nil, lasts: true},
		{name: "clockSkew", given: f.ClockSkew != nil, lasts: true},
	}
}

// kind is what the Fault is.
func (f *Fault) kind() faultKind {
	all := f.kinds()
	return all[max(0, slices.IndexFunc(all, func(k faultKind) bool { return k.given }))]
}

// Kinds are the names of everything that a Fault can be.
func Kinds() (names []string) {
	for _, k := range new(Fault).kinds() {
		names = append(names, k.name)
	}
	return names
}

// Lasts says whether what is called so lasts.
func Lasts(kind string) bool {
	all := new(Fault).kinds()
	i := slices.IndexFunc(all, func(k faultKind) bool { return k.name == kind })
	return i >= 0 && all[i].lasts
}

// Kind is the name of what the Fault is.
func (f *Fault) Kind() string { return f.kind().name }

// Milder are the Fault with one thing less to it, the greatest step first: a shorter
// one, one that hits fewer or by less, or an earlier one.
func (f *Fault) Milder() (list []Fault) {
	add := func(change func(*Fault)) {
		milder := *f
		change(&milder)
		list = append(list, milder)
	}
	if f.For != nil && *f.For > time.Second {
		add(func(m *Fault) { m.For = new((*f.For / 2).Truncate(time.Second)) })
	}
	for _, at := range []func(*Fault) **Count{
		func(m *Fault) **Count { return &m.PodCrash }, func(m *Fault) **Count { return &m.NodeLoss },
		func(m *Fault) **Count { return &m.NodeDrain }, func(m *Fault) **Count { return &m.Unready },
	} {
		if n := *at(f); n != nil && n.Count > 1 {
			add(func(m *Fault) { *at(m) = &Count{Count: 1} })
			add(func(m *Fault) { *at(m) = &Count{Count: n.Count - 1} })
		}
	}
	if n := f.SpotInterruption; n != nil && n.Count > 1 {
		add(func(m *Fault) { m.SpotInterruption = &Interruption{Count: n.Count - 1, Notice: n.Notice} })
	}
	for _, at := range []func(*Fault) **float64{
		func(m *Fault) **float64 { return &m.SlowStart }, func(m *Fault) **float64 { return &m.SlowDown }, func(m *Fault) **float64 { return &m.Surge },
	} {
		if x := *at(f); x != nil && *x >= 2 {
			add(func(m *Fault) { *at(m) = new(math.Floor(*x/2*10) / 10) })
		}
	}
	if f.At >= time.Minute {
		add(func(m *Fault) { m.At = (f.At / 2).Truncate(time.Second) })
	}
	if rounded := f.At.Truncate(time.Minute); rounded != f.At {
		add(func(m *Fault) { m.At = rounded })
	}
	return list
}

// until is when it is over; for what happens once, when it happens.
func (f *Fault) until() time.Duration {
	if f.For == nil {
		return f.At
	}
	return f.At + *f.For
}

// label is what the results call it.
func (f *Fault) label() string {
	name := f.kind().name
	if n := cmp.Or(f.PodCrash, f.NodeLoss, f.NodeDrain, f.Unready); n != nil {
		return fmt.Sprintf("%s %d", name, n.Count)
	}
	if factor := cmp.Or(f.SlowStart, f.SlowDown, f.Surge); factor != nil {
		return fmt.Sprintf("%s x%g", name, *factor)
	}
	switch {
	case f.SpotInterruption != nil:
		return fmt.Sprintf("%s %d", name, f.SpotInterruption.Count)
	case f.APIErrors != nil:
		return fmt.Sprintf("%s %g%%", name, 100**f.APIErrors)
	case f.APILatency != nil:
		return fmt.Sprintf("%s %s", name, f.APILatency)
	case f.ClockSkew != nil:
		return fmt.Sprintf("%s %s %s", name, f.ClockSkew.Of, f.ClockSkew.by())
	}
	return strings.TrimSpace(name + " " + f.MetricsOutage + f.MetricsFreeze + f.AutoscalerDown)
}

// maxFaults bounds those of one run, maxSkew a clock's error.
const (
	maxFaults = 1000
	maxSkew   = 24 * time.Hour
)

// ValidateFaults reports everything in the section `faults` that cannot be used, as
// messages.Problems. nodes says that there are some.
func ValidateFaults(faults []Fault, nodes bool) error {
	var problems messages.Problems
	if len(faults) > maxFaults {
		problems.Addf("", "found %d faults, expected at most %d", len(faults), maxFaults)
		return problems
	}
	for i := range faults {
		problems.Add(messages.Under(fmt.Sprintf("[%d]", i), faults[i].validate(nodes)))
	}
	if len(problems) == 0 {
		problems.Add(apart(faults))
	}
	return problems.Err()
}

func (f *Fault) validate(nodes bool) error {
	var problems messages.Problems
	var given []string
	for _, k := range f.kinds() {
		if k.given {
			given = append(given, k.name)
		}
	}
	if len(given) != 1 {
		problems.Addf("", "found %s, expected exactly one of %s", cmp.Or(strings.Join(given, " and "), "nothing that happens"), strings.Join(Kinds(), ", "))
		return problems
	}
	k := f.kind()
	switch {
	case f.At < 0:
		problems.Addf("at", "found %s, expected 0s or more", f.At)
	case k.lasts && f.For == nil:
		problems.Addf("for", "found nothing, expected how long %s lasts", k.name)
	case k.lasts && *f.For <= 0:
		problems.Addf("for", "found %s, expected more than 0s", *f.For)
	case !k.lasts && f.For != nil:
		problems.Addf("for", "found %s, expected none: %s happens at once", *f.For, k.name)
	}
	if k.nodes && !nodes {
		problems.Addf(k.name, "found it without nodes, expected the section nodes")
	}
	if factor := cmp.Or(f.SlowStart, f.SlowDown, f.Surge); factor != nil && !cluster.InThousandths(*factor) {
		problems.Addf(k.name, "found %g, expected at most three decimals", *factor)
	}
	if s := f.ClockSkew; s != nil && ((s.Fast > 0) == (s.Slow > 0) || max(s.Fast, s.Slow) > maxSkew) {
		problems.Addf("clockSkew", "found fast %s and slow %s, expected one of them, up to %s", s.Fast, s.Slow, maxSkew)
	}
	if l := f.APILatency; l != nil && (*l <= 0 || *l > maxSkew) {
		problems.Addf("apiLatency", "found %s, expected more than 0s, up to %s", *l, maxSkew)
	}
	if s := f.SpotInterruption; s != nil && s.Notice != nil && (*s.Notice < 0 || *s.Notice > maxSkew) {
		problems.Addf("spotInterruption.notice", "found %s, expected 0s to %s", *s.Notice, maxSkew)
	}
	return problems.Err()
}

// apart reports lasting faults of one kind that overlap: what both would come to
// nobody can say.
func apart(faults []Fault) error {
	var problems messages.Problems
	for i := range faults {
		for k := range faults[:i] {
			a, b := &faults[k], &faults[i]
			if a.subject() != "" && a.subject() == b.subject() && a.At < b.until() && b.At < a.until() {
				problems.Addf(fmt.Sprintf("[%d].at", i), "found %s from %s, within faults[%d] from %s to %s, expected them apart",
					b.kind().name, b.At, k, a.At, a.until())
			}
		}
	}
	return problems.Err()
}

// subject is what a lasting fault changes; empty where several at a time add up.
func (f *Fault) subject() string {
	switch {
	case !f.kind().lasts, f.Unready != nil:
		return ""
	case f.ClockSkew != nil:
		return "clock of " + f.ClockSkew.Of
	case f.MetricsOutage != "", f.MetricsFreeze != "":
		return "metrics of " + f.MetricsOutage + f.MetricsFreeze
	}
	return f.kind().name
}

// prepared is the Spec with what has to be known from the start of what will befall.
func (s Spec) prepared() (Spec, error) {
	for i := range s.Faults {
		f := &s.Faults[i]
		switch {
		case f.SlowDown != nil:
			s.Cluster.Slow = append(slices.Clip(s.Cluster.Slow), cluster.Slow{From: f.At, To: f.until(), Factor: *f.SlowDown})
		case f.Surge != nil:
			if err := s.Traffic.CheckScalable(); err != nil {
				return s, messages.Invalidf(fmt.Sprintf("faults[%d].surge", i), "found a surge of traffic that cannot be scaled: %v", err)
			}
		case f.Rollout != nil, f.PodCrash != nil, f.Unready != nil, f.kind().nodes:
			s.Cluster.Unsteady = true
		case f.MetricsOutage != "":
			s.Gaps = append(slices.Clip(s.Gaps), metrics.Gap{Source: f.MetricsOutage, From: f.At, To: f.until(), Silent: true})
		case f.MetricsFreeze != "":
			s.Gaps = append(slices.Clip(s.Gaps), metrics.Gap{Source: f.MetricsFreeze, From: f.At, To: f.until()})
		}
	}
	slices.SortFunc(s.Cluster.Slow, func(a, b cluster.Slow) int { return cmp.Compare(a.From, b.From) })
	return s, nil
}

// surges are the stretches in which more arrives.
func (s *Spec) surges() (surges []traffic.Surge) {
	for i := range s.Faults {
		if f := &s.Faults[i]; f.Surge != nil && *f.Surge > 1 {
			surges = append(surges, traffic.Surge{From: f.At, To: f.until(), Factor: *f.Surge})
		}
	}
	slices.SortFunc(surges, func(a, b traffic.Surge) int { return cmp.Compare(a.From, b.From) })
	return surges
}
