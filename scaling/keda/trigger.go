package keda

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
)

// trigger is a Trigger that was read.
type trigger struct {
	name   string // its own, for formulas; often empty
	label  string // what messages call it, such as "trigger 0 (prometheus, rate)"
	cached bool
	spec   autoscalingv2.MetricSpec // what the HPA gets
	metric string                   // the external metric's name; empty for a resource
	// query is what is asked; nil: nothing, the clock is enough.
	query *messages.Query
	// read makes a reading of the answer; nil for a resource.
	read func(now time.Time, m *messages.Metric) reading
	// renew makes the scaler a new one, without memory; nil: it has none anyway.
	renew func()
	// addon is the scaler of the HTTP add-on that answers; nil: another does.
	addon *httpaddon.Scaler
}

// reading is what a scaler says.
type reading struct {
	value  float64
	active bool
	note   string // what makes it so, for messages; often empty
	err    string
}

// external says that KEDA's own adapter answers the HPA.
func (t *trigger) external() bool { return t.read != nil }

// kinds read the metadata of each type of trigger that is simulated.
var kinds = map[string]func(*reader, *trigger, int){
	"prometheus":    readPrometheus,
	"cron":          readCron,
	"cpu":           readResource,
	"memory":        readResource,
	"kafka":         readKafka,
	"rabbitmq":      readRabbitMQ,
	"redis":         readRedis,
	"aws-sqs-queue": readSQS,
	"external-push": readExternalPush,
}

// Types are the types of triggers that are simulated, sorted.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// newTrigger reads the trigger of an index.
func newTrigger(t *Trigger, index int, problems *messages.Problems) trigger {
	at := field.NewPath("spec", "triggers").Index(index)
	kind := t.Type
	if t.Name != "" {
		kind += ", " + t.Name
	}
	out := trigger{name: t.Name, cached: t.UseCachedMetrics, label: fmt.Sprintf("trigger %d (%s)", index, kind)}
	read, known := kinds[t.Type]
	if !known {
		problems.Addf(at.Child("type").String(), "found %.70q, %s", t.Type, messages.OneOf(t.Type, Types()))
		return out
	}
	read(&reader{trigger: t, at: at, problems: problems}, &out, index)
	return out
}

// serve makes the trigger one that KEDA's adapter answers for. key is where the
// target is written, for a complaint about it.
func (t *trigger) serve(r *reader, index int, name string, target resource.Quantity, key string) {
	t.metric = fmt.Sprintf("s%d-%s", index, name)
	if target.Sign() <= 0 {
		r.addf(key, "found %s, expected more than 0, as the HPA does", target.String())
	}
	source := &autoscalingv2.ExternalMetricSource{Metric: autoscalingv2.MetricIdentifier{Name: t.metric}}
	switch r.trigger.MetricType {
	case "", autoscalingv2.AverageValueMetricType:
		source.Target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: &target}
	case autoscalingv2.ValueMetricType:
		source.Target = autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: &target}
	default:
		r.problems.Addf(r.at.Child("metricType").String(), "found %.70q, expected AverageValue or Value", string(r.trigger.MetricType))
	}
	t.spec = autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: source}
}

// ask makes the trigger ask something, which is written at a key of its metadata.
func (t *trigger) ask(r *reader, kind messages.QueryKind, name, key string) {
	t.query = &messages.Query{Kind: kind, Name: name, Field: r.at.Child("metadata").Child(key).String()}
}

// normal is a part of a metric's name without the characters that the API would
// not take.
var normal = strings.NewReplacer("/", "-", ".", "-", ":", "-", "%", "-", "(", "-", ")", "-").Replace

// quantity is a value as KEDA hands it to the API: with three decimals, and 0 for
// what is below or no number at all.
func quantity(value float64) resource.Quantity {
	if math.IsNaN(value) || math.IsInf(value, 0) || value < 0 {
		value = 0
	}
	q := resource.MustParse(fmt.Sprintf("%.3f", value))
	q.Add(resource.Quantity{}) // makes it forget how it was written: 2500m, not 2.500
	return q
}
