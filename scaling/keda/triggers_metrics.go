package keda

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/cron"
)

// readPrometheus is a PromQL query. An empty result, NaN and infinity are 0,
// unless ignoreNullValues is switched off. A scalar is an error whatever its value:
// KEDA reads nothing but lists of elements.
func readPrometheus(r *reader, t *trigger, index int) {
	r.need("serverAddress", "the address of a Prometheus server")
	query := r.need("query", "a PromQL query")
	threshold := r.number("threshold", 0)
	if _, found := r.text("threshold"); !found {
		r.need("threshold", "a number in quotes, such as \"0.5\"")
		threshold = 1
	}
	activation := r.number("activationThreshold", 0)
	ignore := r.yes("ignoreNullValues", true)
	r.misspelt("queryParameters", "namespace", "customHeaders", "unsafeSsl", "timeout", "authModes", "awsRegion", "identityOwner")
	t.serve(r, index, "prometheus", quantity(threshold), "threshold")
	t.ask(r, messages.QueryPromQL, query, "query")
	t.read = func(_ time.Time, m *messages.Metric) reading {
		value, problem := m.Value, m.Err
		switch {
		case problem == "" && m.Scalar:
			return reading{err: "the query's result is a scalar, expected an instant vector"}
		case problem == "" && (math.IsNaN(value) || math.IsInf(value, 0)):
			problem = fmt.Sprintf("the query's result is %v", value)
		case problem != "" && problem != messages.EmptyResult:
			return reading{err: problem}
		}
		switch {
		case problem != "" && !ignore:
			return reading{err: problem}
		case problem != "":
			value = 0
		}
		return reading{value: value, active: value > activation}
	}
}

// readCron is a window of time, in which the value is desiredReplicas.
func readCron(r *reader, t *trigger, index int) {
	start, end := r.need("start", "five cron fields"), r.need("end", "five cron fields")
	zone := r.need("timezone", "a name such as Europe/Berlin")
	replicas := r.whole("desiredReplicas", 0)
	if replicas == 0 {
		text, _ := r.text("desiredReplicas")
		r.addf("desiredReplicas", "found %.70q, expected a number of pods in quotes, such as \"5\"", text)
	}
	r.misspelt()
	t.serve(r, index, normal("cron-"+zone+"-"+cronName(start)+"-"+cronName(end)), resource.MustParse("1"), "desiredReplicas")
	var window *cron.Window
	if start != "" && end != "" && zone != "" {
		window = r.window(start, end, zone)
	}
	hours := start + " to " + end + " in " + zone
	inside, outside := "inside of "+hours, "outside of "+hours
	t.read = func(now time.Time, _ *messages.Metric) reading {
		active, err := window.Active(now)
		if err != nil { // a schedule has come to its end
			return reading{err: err.Error()}
		}
		if !active {
			return reading{note: outside}
		}
		return reading{value: float64(replicas), active: true, note: inside}
	}
}

// window reports what is wrong with a window at the keys of the metadata.
func (r *reader) window(start, end, zone string) *cron.Window {
	window, err := cron.NewWindow(start, end, zone)
	var problems messages.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			invalid := p.(*messages.Invalid)
			r.addf(strings.ToLower(invalid.Field), "%s", invalid.Problem)
		}
	}
	return window
}

// cronName is a schedule as metric names have it.
var cronName = strings.NewReplacer(" ", "", "*", "x", "/", "Sl", "?", "Qm", ",", "Cm").Replace

// readResource is the CPU or memory of the pods, which the HPA asks for itself.
func readResource(r *reader, t *trigger, _ int) {
	name := corev1.ResourceName(r.trigger.Type)
	container, _ := r.text("containerName")
	value := r.need("value", "a target, such as \"50\"")
	if _, found := r.text("type"); found {
		r.addf("type", "found it, expected metricType beside the metadata: KEDA has dropped it")
	}
	r.misspelt()
	target := autoscalingv2.MetricTarget{Type: r.trigger.MetricType}
	switch target.Type {
	case autoscalingv2.AverageValueMetricType:
		amount, err := resource.ParseQuantity(value)
		if value != "" && (err != nil || amount.Sign() <= 0) {
			r.addf("value", "found %.70q, expected a quantity above 0, such as 500m", value)
		}
		target.AverageValue = &amount
	case autoscalingv2.UtilizationMetricType:
		percent, err := strconv.ParseInt(value, 10, 32)
		if value != "" && (err != nil || percent <= 0) {
			r.addf("value", "found %.70q, expected a whole percentage above 0", value)
		}
		target.AverageUtilization = new(int32(percent))
	default:
		r.problems.Addf(r.at.Child("metricType").String(), "found %.70q, expected Utilization or AverageValue", string(target.Type))
	}
	if container != "" {
		t.spec = autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType,
			ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: name, Container: container, Target: target}}
		return
	}
	t.spec = autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{Name: name, Target: target}}
}
