package scenarios

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Problem is one thing wrong with a scenario, with its position.
type Problem = strict.Problem

// Error is everything wrong with a scenario, sorted by line.
type Error struct{ Problems []Problem }

// Error is one problem per line: file:line:column: path: found X, expected Y.
func (e *Error) Error() string { return strict.Problems(e.Problems).Error() }

// Load reads a scenario from a file, from standard input ("-", with manifests
// and traces relative to the working directory), or from the catalogue. A file
// wins over a scenario of the catalogue with the same name. Each override is a
// path=value, such as traffic[0].rps=120, that is set before anything is
// decoded. Errors in the scenario are an *Error.
func Load(path string, overrides ...string) (*Scenario, error) {
	if path == "-" {
		src, err := io.ReadAll(io.LimitReader(os.Stdin, strict.MaxBytes+1))
		if err != nil {
			return nil, fmt.Errorf("read scenario from standard input: %w", err)
		}
		return Parse("-", src, Files("."), overrides...)
	}
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return Embedded(path, overrides...)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open scenario: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(path, src, Files(filepath.Dir(path)), overrides...)
}

// Files opens files relative to a directory; absolute paths stay as they are.
func Files(dir string) traffic.Opener {
	return func(file string) (io.ReadCloser, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		return os.Open(file)
	}
}

// Parse reads a scenario from memory. name is what positions call it; open
// opens the manifests and traces it names.
func Parse(name string, src []byte, open traffic.Opener, overrides ...string) (*Scenario, error) {
	l := &loader{name: name, src: src, open: open, files: map[string][]*strict.Node{}}
	l.parse(src, overrides)
	if len(l.problems) > 0 {
		return nil, &Error{l.problems.Sorted(name)}
	}
	s := l.finish()
	if l.checkPhases(s); len(l.problems) > 0 {
		return nil, &Error{l.problems.Sorted(name)}
	}
	return s, nil
}

// loader collects what a scenario says, and everything wrong with it.
type loader struct {
	name     string
	src      []byte
	open     traffic.Opener
	files    map[string][]*strict.Node // manifests by path
	root     *strict.Node
	problems strict.Problems
	warnings strict.Problems

	doc        Document
	workload   workload
	strategies []strategy
	plan       *traffic.Plan

	expectations []Expectation
}

func (l *loader) parse(src []byte, overrides []string) {
	l.root, l.problems = strict.Parse(l.name, src)
	if len(l.problems) > 0 {
		return
	}
	for i, assignment := range overrides {
		l.problems = append(l.problems, l.root.Set(assignment, "--set", i+1)...)
	}
	if len(l.problems) > 0 {
		return
	}
	l.doc = Defaults()
	l.sharedDefaults()
	l.consumerDefaults()
	l.problems = strict.Decode(l.root, &l.doc, options)
	l.checkSections()
	l.readWorkload()
	l.readStrategies()
	l.readTraffic()
	l.checkFaults()
	l.warnOfRoom()
	l.checkPrices()
	l.readAssertions()
}

// options decode the scenario itself.
var options = strict.Options{Scalars: map[reflect.Type]strict.Scalar{
	reflect.TypeFor[random.Spec](): {
		Expect: "a duration such as 30s or a distribution such as {dist: exponential, mean: 1s}",
		Accept: regexp.MustCompile(strict.DurationPattern),
		Schema: map[string]any{"type": "string", "pattern": strict.DurationPattern},
	},
	reflect.TypeFor[cluster.Bytes](): {
		Expect: "an amount of memory such as 14Gi",
	},
	reflect.TypeFor[Assertion](): {
		Expect: "an expression such as latency.p99 < 2s, or {check: EXPRESSION}",
		Schema: map[string]any{"type": "string"},
	},
	reflect.TypeFor[metrics.Phase](): {Expect: "aligned, random or an offset such as 7s"},
	reflect.TypeFor[traffic.Process](): {
		Expect: "poisson, uniform, or a process such as {process: gamma, cv: 2}",
		Schema: map[string]any{"type": "string", "enum": []any{"poisson", "uniform", "gamma", "bursts"}},
	},
}}

// checkSections has every section validated by its owner.
func (l *loader) checkSections() {
	l.owner("pipeline", l.doc.Pipeline.Validate)
	l.owner("controllers.hpa", l.doc.Controllers.HPA.Validate)
	l.owner("controllers.elasti", l.doc.Controllers.Elasti.Validate)
	l.owner("controllers.httpAddOn", l.doc.Controllers.HTTPAddOn.Validate)
	l.owner("kubeelasti", l.doc.KubeElasti.Validate)
	l.owner("knative", l.doc.Knative.Validate)
	l.checkKnativeConfig()
	if l.doc.Fleet != nil {
		l.owner("fleet", l.doc.Fleet.Validate)
	}
	if l.doc.Adapter != nil {
		l.owner("adapter", l.doc.Adapter.Validate)
	}
	l.owner("series", func() error { return metrics.ValidateSeries(l.doc.Series, l.doc.Workload.Consumes != nil) })
	for _, name := range l.root.Get("metrics").Keys() {
		source := l.doc.Metrics[name]
		l.owner(l.root.Get("metrics").Get(name).Path(), source.Validate)
	}
}

// maxPhases bounds the phases of one scenario; longer traffic is a trace.
const maxPhases = 1000

// readTraffic reads the traces and checks everything that needs their length.
func (l *loader) readTraffic() {
	if l.problems.Below("traffic") || l.root.Get("traffic") == nil {
		return
	}
	if n := len(l.doc.Traffic); n > maxPhases {
		l.problems.Addf(l.root.Get("traffic"), "found %d phases, expected at most %d", n, maxPhases)
		return
	}
	plan, err := traffic.New(l.doc.Traffic, l.open)
	if err != nil {
		l.invalid(err, func(field string) *strict.Node { return l.root.Locate(below("traffic", field)) })
		return
	}
	l.plan = plan
	l.checkUsers()
	if l.doc.Fleet != nil {
		l.invalid(plan.CheckScalable(), func(field string) *strict.Node { return l.root.Locate(below("traffic", field)) })
	}
	length := l.length()
	if length <= 0 && !l.problems.Below("duration") {
		l.problems.Addf(l.root.Locate("duration"), "found %s, expected more than 0s", strict.FormatDuration(length))
	}
	if from := l.doc.Measure.From; from > 0 && from >= length && length > 0 {
		l.problems.Addf(l.root.Locate("measure.from"), "found %s, expected less than the duration, which is %s",
			strict.FormatDuration(from), strict.FormatDuration(length))
	}
}

// length is how long a run lasts.
func (l *loader) length() time.Duration {
	if l.doc.Duration != nil {
		return *l.doc.Duration
	}
	return l.plan.Duration()
}

// beside is a file named in the scenario as positions call it.
func (l *loader) beside(file string) string {
	if filepath.IsAbs(file) || l.name == "-" {
		return file
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(l.name), file))
}

// finish makes the scenario of what was read without problems.
func (l *loader) finish() *Scenario {
	l.doc.Traffic = l.doc.Traffic.WithDefaults()
	s := &Scenario{Document: l.doc, workload: l.workload, strategies: l.strategies, plan: l.plan, expectations: l.expectations, warnings: l.warnings.Sorted(l.name)}
	if s.Document.Duration == nil {
		length := l.plan.Duration()
		s.Document.Duration = &length
	}
	s.Document.Workload.Replicas = &l.workload.spec.Replicas
	s.Document.Workload.GracePeriod = &l.workload.spec.GracePeriod
	if !slices.ContainsFunc(s.strategies, func(st strategy) bool { return st.name == oracle }) {
		s.strategies = append(s.strategies, strategy{name: oracle, oracle: true, unlisted: true})
	}
	for i := range s.strategies {
		st := &s.strategies[i]
		// What could be read can be written; a reader of results can do without.
		text, _ := strict.Encode(st.resolved())
		st.manifest = string(text)
	}
	return s
}
