package metrics

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// Series is a series that Prometheus finds under a name and labels of the user's
// own: of every pod that has been Ready, or of the workload as a whole.
type Series struct {
	Name   string            `yaml:"name" pattern:"^[a-zA-Z_:][a-zA-Z0-9_:]*$" doc:"name of the series"`
	Source string            `yaml:"source" enum:"workload.requests|workload.answers|workload.errors|workload.cpu|workload.queue|workload.concurrency|workload.replicas|workload.ready" doc:"what it counts or measures; the first four are counters"`
	Of     string            `yaml:"of,omitempty" enum:"pod|workload" doc:"pod: one series for each pod; workload: one; default pod, where pods have it"`
	Labels map[string]string `yaml:"labels,omitempty" doc:"labels beside those of the target; an empty text takes one of those away"`
}

// What a Series can be of.
const (
	ofPod      = "pod"
	ofWorkload = "workload"
)

// exposable is what a Series can show, and of whom.
type exposable struct {
	source string
	pod    func(p *cluster.PodStatus) float64
	whole  func(t *Truth) float64
}

var exposables = []exposable{
	{"workload.requests",
		func(p *cluster.PodStatus) float64 { return float64(p.Received) },
		func(t *Truth) float64 { return float64(t.Counters.Arrived + t.Counters.Retried) }},
	{"workload.answers",
		func(p *cluster.PodStatus) float64 { return float64(p.Completed) },
		func(t *Truth) float64 { return float64(t.Counters.Completed) }},
	{"workload.errors", nil,
		func(t *Truth) float64 { return float64(t.errors()) }},
	{SourceCPU,
		func(p *cluster.PodStatus) float64 { return p.CPU.Seconds() }, nil},
	{SourceQueue,
		func(p *cluster.PodStatus) float64 { return float64(p.Queued) },
		func(t *Truth) float64 { return float64(t.length(SourceQueue)) }},
	{SourceConcurrency,
		func(p *cluster.PodStatus) float64 { return float64(p.Queued) + float64(p.InService) },
		func(t *Truth) float64 { return float64(t.length(SourceConcurrency)) }},
	{"workload.replicas", nil,
		func(t *Truth) float64 { return float64(t.Replicas.Desired) }},
	{"workload.ready", nil,
		func(t *Truth) float64 { return float64(t.Replicas.Ready) }},
}

// exposed is the row of a source; nil: there is none.
func exposed(source string) *exposable {
	for i := range exposables {
		if exposables[i].source == source {
			return &exposables[i]
		}
	}
	return nil
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// Validate reports what no exporter could show.
func (s Series) Validate() error {
	var problems messages.Problems
	if !metricName.MatchString(s.Name) {
		problems.Addf("name", "found %.70q, expected the name of a series, such as my_app_orders_total", s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		switch {
		case !labelName.MatchString(name) || len(name) > 1 && name[:2] == "__":
			problems.Addf("labels."+name, "found the label %.70q, expected letters, digits and underscores, and no two of these in front", name)
		case !isText(s.Labels[name]):
			problems.Addf("labels."+name, "found a control character, expected none")
		}
	}
	source := exposed(s.Source)
	switch {
	case source == nil:
		var names []string
		for _, e := range exposables {
			names = append(names, e.source)
		}
		problems.Addf("source", "found %.70q, %s", s.Source, messages.OneOf(s.Source, names))
	case s.Of != "" && s.Of != ofPod && s.Of != ofWorkload:
		problems.Addf("of", "found %.70q, %s", s.Of, messages.OneOf(s.Of, []string{ofPod, ofWorkload}))
	case s.Of == ofPod && source.pod == nil:
		problems.Addf("of", "found %s by pod, expected workload: pods do not have it", s.Source)
	case s.Of == ofWorkload && source.whole == nil:
		problems.Addf("of", "found %s of the workload, expected pod: containers have it", s.Source)
	}
	return problems.Err()
}

func isText(text string) bool {
	return !slices.ContainsFunc([]rune(text), func(r rune) bool { return r < ' ' || r == 0x7f })
}

// by is what the series is of.
func (s *Series) by() string {
	switch {
	case s.Of != "":
		return s.Of
	case exposed(s.Source).pod == nil:
		return ofWorkload
	}
	return ofPod
}

// family is the series as Prometheus finds it. A workload as a whole is a target
// that is named after the Service.
func (s *Series) family(of *Spec) family {
	source := exposed(s.Source)
	f := family{name: s.Name, labels: of.podTarget()}
	if s.by() == ofPod {
		f.ofPod = func(p *cluster.PodStatus) (float64, bool) { return source.pod(p), comesUp(p) }
	} else {
		f.labels = []string{"namespace", of.Namespace, "service", of.Service, "job", of.job()}
		f.ofAll = func(t *Truth) (float64, bool) { return source.whole(t), true }
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		f.labels = append(f.labels, name, s.Labels[name])
	}
	return f
}

// ValidateSeries reports what is wrong with a list of series, of a workload that
// consumes or of one that requests are sent to.
func ValidateSeries(list []Series, consumes bool) error {
	var problems messages.Problems
	for i := range list {
		s, at := &list[i], fmt.Sprintf("[%d]", i)
		if err := s.Validate(); err != nil {
			problems.Add(messages.Under(at, err))
			continue
		}
		if consumes && s.by() == ofPod && s.Source == SourceQueue {
			problems.Addf(at+".of", "found %s by pod, expected workload: messages wait in no pod", s.Source)
		}
		for j := range i {
			if same(s, &list[j]) {
				problems.Addf(at, "found the name and labels of entry %d again, expected a series of its own", j)
				break
			}
		}
	}
	return problems.Err()
}

func same(a, b *Series) bool {
	return a.Name == b.Name && a.Validate() == nil && b.Validate() == nil && a.by() == b.by() && maps.Equal(a.Labels, b.Labels)
}
