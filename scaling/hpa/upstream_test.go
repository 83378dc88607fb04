package hpa

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// TestUpstreamCases runs the cases of the controller's and the API server's own
// table tests, as testdata/upstream has them, and counts that none is forgotten.
func TestUpstreamCases(t *testing.T) {
	var list caseList
	testDecisions(t, &list)
	testProposals(t, &list)
	testPods(t, &list)
	testBehavior(t, &list)
	testDefaults(t, &list)
	testValidation(t, &list)

	left := leftOut(t)
	all := upstreamCases(t, list)
	require.ElementsMatch(t, all, append(left, list...), "every case once, covered or left out")
	t.Logf("%d of %d upstream cases covered", len(list), len(all))
}

// leftOut names the cases that are not run, and logs why.
func leftOut(t *testing.T) (list caseList) {
	var groups []struct {
		Reason string
		Cases  []string
	}
	loadUpstream(t, "left-out.yaml", &groups)
	for _, group := range groups {
		require.NotEmpty(t, group.Reason)
		list = append(list, group.Cases...)
		t.Logf("%2d left out: %s", len(group.Cases), group.Reason)
	}
	return list
}

// upstreamCases names all cases there are, and logs how many of each file are
// covered.
func upstreamCases(t *testing.T, covered caseList) (all caseList) {
	var files map[string]map[string]int
	loadUpstream(t, "cases.yaml", &files)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		of, ran := 0, 0
		for function, n := range files[file] {
			for i := range n {
				id := fmt.Sprintf("%s/%d", function, i+1)
				all = append(all, id)
				if slices.Contains(covered, id) {
					ran++
				}
			}
			of += n
		}
		t.Logf("%3d of %3d cases covered of %s", ran, of, file)
	}
	return all
}

// caseList names the cases that have been run.
type caseList []string

func (l *caseList) run(t *testing.T, id string, test func(t *testing.T)) {
	*l = append(*l, id)
	t.Run(id, test)
}

func loadUpstream(t *testing.T, name string, into any) {
	data, err := os.ReadFile(filepath.Join("testdata", "upstream", name))
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(data, into), name)
}

// upstreamFlags are those that the tables take for granted.
func upstreamFlags() Controller {
	c := DefaultController()
	c.CPUInitializationPeriod, c.InitialReadinessDelay = 2*time.Minute, 10*time.Second
	return c
}

// upstreamGates has the newest version without what a feature gate brings.
var upstreamGates = map[string]Version{"": "", "HPAScaleToZero": "1.36", "HPAConfigurableTolerance": "1.34"}

// longAgo stands for the zero time that the tables have in started pods.
var longAgo = start.AddDate(-1, 0, 0)

// upstreamCase is a case of decisions.yaml or proposals.yaml.
type upstreamCase struct {
	ID      string
	Without string
	Spec    autoscalingv2.HorizontalPodAutoscalerSpec
	Desired int32
	Created *int32
	Pods    upstreamPods
	Metrics []struct {
		Pods  []*int64
		Value int64
		Error bool
	}
	Recommendations [][2]int32
	Before          []string

	Want               int32
	Fails              bool
	Level, PerPod      int64
	Conditions, Events []string
}

// upstreamPods has its values pod by pod, or indices of pods.
type upstreamPods struct {
	Count                              int
	Requests                           []int64
	Started, Changed                   []float64
	Unready, Pending, Failed, Deleting []int
}

// autoscaler has the limits set behind the validation's back, since the tables
// have a minReplicas of 0 where no API server would.
func (c *upstreamCase) autoscaler(t *testing.T) *Autoscaler {
	m := manifest(t, "")
	c.Spec.ScaleTargetRef = m.Spec.ScaleTargetRef
	m.Spec = c.Spec
	m.Spec.MinReplicas = nil
	version, known := upstreamGates[c.Without]
	require.True(t, known, c.Without)
	a, err := New(Spec{Manifest: m, Controller: upstreamFlags(), KubernetesVersion: version})
	require.NoError(t, err)
	if c.Spec.MinReplicas != nil {
		a.min = *c.Spec.MinReplicas
	}
	return a
}

// observation is what the case sees at start, with samples of an instant.
func (c *upstreamCase) observation(sampled time.Time) messages.Observation {
	o := messages.Observation{Replicas: messages.Replicas{Desired: c.Desired, Created: c.Desired}, Pods: c.Pods.list()}
	if c.Created != nil {
		o.Replicas.Created = *c.Created
	}
	for _, answer := range c.Metrics {
		m := messages.Metric{At: sampled, Milli: answer.Value}
		if answer.Error {
			m.Err = "no answer"
		}
		for i, milli := range answer.Pods {
			if milli != nil {
				m.Pods = append(m.Pods, messages.PodMetric{Pod: i, Milli: *milli, At: sampled, Window: time.Minute})
			}
		}
		o.Metrics = append(o.Metrics, m)
	}
	return o
}

func (p *upstreamPods) list() []messages.Pod {
	pods := make([]messages.Pod, p.Count)
	for i := range pods {
		pods[i] = messages.Pod{Name: fmt.Sprintf("web-%d", i), Phase: messages.PodRunning, Ready: true, HasCondition: true,
			Started: longAgo, ReadyChanged: longAgo}
		if i < len(p.Started) {
			pods[i].Started = after(p.Started[i])
		}
		if i < len(p.Changed) {
			pods[i].ReadyChanged = after(p.Changed[i])
		}
		if i < len(p.Requests) {
			pods[i].Requests = []messages.ResourceRequest{
				{Container: "container1", Resource: cpu, Milli: p.Requests[i]},
				{Container: "container2", Resource: cpu, Milli: p.Requests[i]}}
		}
	}
	for _, i := range p.Unready {
		pods[i].Ready = false
	}
	for _, i := range p.Pending {
		pods[i].Phase = messages.PodPending
	}
	for _, i := range p.Failed {
		pods[i].Phase = messages.PodFailed
	}
	for _, i := range p.Deleting {
		pods[i].Deleting = true
	}
	return pods
}

// testDecisions runs whole syncs.
func testDecisions(t *testing.T, list *caseList) {
	var cases []upstreamCase
	loadUpstream(t, "decisions.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			a := c.autoscaler(t)
			a.recommendations = remembered(c.Recommendations)
			for _, before := range c.Before {
				kind, said, _ := strings.Cut(before, "=")
				status, reason, _ := strings.Cut(said, " ")
				a.report.set(kind, status, reason, "")
				a.scaledToZero = a.scaledToZero || kind == scaledToZero && status == yes
			}
			d, err := a.Decide(start, c.observation(start))
			require.NoError(t, err)
			assert.Equal(t, c.Want, d.Desired, "%s %v", d.Message, d.Steps)
			assert.Equal(t, c.Conditions, conditions(d))
			assert.Equal(t, c.Events, events(d))
		})
	}
}

// remembered makes recommendations of [replicas, seconds]; nil stays nil.
func remembered(list [][2]int32) recommendations {
	if list == nil {
		return nil
	}
	r := recommendations{}
	for _, entry := range list {
		r = append(r, recommendation{replicas: entry[0], at: after(float64(entry[1]))})
	}
	return r
}

func conditions(d messages.Decision) (list []string) {
	for _, c := range d.Conditions {
		list = append(list, c.Type+"="+c.Status+" "+c.Reason)
	}
	return list
}

func events(d messages.Decision) (list []string) {
	for _, e := range d.Events {
		list = append(list, e.Type+" "+e.Reason)
	}
	return list
}

// testProposals runs single metrics.
func testProposals(t *testing.T, list *caseList) {
	var cases []upstreamCase
	loadUpstream(t, "proposals.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			a := c.autoscaler(t)
			o := c.observation(longAgo)
			s := &a.sources[0]
			p := a.proposeOne(view{now: start, cur: c.Desired, seen: &o}, s, &o.Metrics[0])
			assert.Equal(t, c.Fails, p.problem != "", p.problem)
			if c.Fails {
				return
			}
			assert.Equal(t, c.Want, p.replicas)
			if s.kind == utilization {
				assert.Equal(t, messages.Reading{Percent: int32(c.Level), Milli: c.PerPod}, p.reading)
			} else {
				assert.Equal(t, messages.Reading{Milli: c.Level}, p.reading)
			}
		})
	}
}
