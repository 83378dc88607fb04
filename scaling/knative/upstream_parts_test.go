package knative

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// set lays values over a configuration, by the names of its fields.
func (c *Config) set(t *testing.T, values map[string]any) {
	for name, value := range values {
		field := reflect.ValueOf(c).Elem().FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
		require.True(t, field.IsValid(), name)
		if text, isText := value.(string); isText && field.Kind() == reflect.Int64 {
			d, err := time.ParseDuration(text)
			require.NoError(t, err)
			value = d
		}
		field.Set(reflect.ValueOf(value).Convert(field.Type()))
	}
}

func testConfigs(t *testing.T, list *caseList) {
	var cases []struct {
		ID      string
		Data    map[string]string
		Unknown []string
		Fails   bool
		Want    map[string]any
	}
	loadUpstream(t, "config.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			for _, key := range c.Unknown {
				_, err := ParseConfig(map[string]string{key: c.Data[key]})
				assert.ErrorContains(t, err, "data."+key+": found a key that Knative does not know")
				delete(c.Data, key)
			}
			got, err := ParseConfig(c.Data)
			require.Equal(t, c.Fails, err != nil, "%v", err)
			want := DefaultConfig()
			want.set(t, c.Want)
			if !c.Fails {
				assert.Equal(t, want, got)
			}
		})
	}
}

func testAnnotations(t *testing.T, list *caseList) {
	var cases []struct {
		ID          string
		Annotations map[string]string
		Config      map[string]any
		Refused     []string
	}
	loadUpstream(t, "annotations.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			config := DefaultConfig()
			config.set(t, c.Config)
			refused := map[string]bool{}
			if problems, ok := ValidateAnnotations(full(c.Annotations), config).(messages.Problems); ok {
				for _, err := range problems {
					field := err.(*messages.Invalid).Field
					refused[strings.TrimPrefix(field[1:len(field)-1], domain)] = true
				}
			}
			assert.ElementsMatch(t, c.Refused, slices.Collect(maps.Keys(refused)))
		})
	}
}

// full puts the domain before annotations.
func full(short map[string]string) map[string]string {
	annotations := map[string]string{}
	for key, value := range short {
		annotations[domain+key] = value
	}
	return annotations
}

func testSettings(t *testing.T, list *caseList) {
	var cases []struct {
		ID                   string
		Annotations          map[string]string
		ContainerConcurrency int64
		Unreachable          bool
		Config               map[string]any
		Want                 map[string]any
	}
	loadUpstream(t, "settings.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			spec := newSpec()
			spec.Unreachable = c.Unreachable
			spec.Revision.Annotations, spec.Revision.ContainerConcurrency = full(c.Annotations), c.ContainerConcurrency
			spec.Config.set(t, c.Config)
			s := newSettings(spec)
			found := map[string]any{
				"metric": s.metric, "target": s.target, "total": s.total, "burst": s.burst, "threshold": s.threshold,
				"stable": s.stable.Seconds(), "panic": s.panic.Seconds(), "delay": s.delay.Seconds(), "up": s.up, "down": s.down,
				"initial": float64(s.initial), "activation": float64(s.activation), "reachable": s.reachable,
			}
			for name, want := range c.Want {
				assert.Equal(t, want, found[name], name)
			}
		})
	}
}

// upstreamScale is a case of scales.yaml.
type upstreamScale struct {
	ID               string
	Annotations      map[string]string
	Config           map[string]any
	ProgressDeadline string
	Unreachable      bool
	Status           struct {
		Active      string
		Since       float64
		Initialized bool
		Mode        messages.Path
		Proxied     *float64
		Answers     *bool
	}
	Current, To, Want int32
	Applied, Probes   bool
	Enqueued          []float64
}

func testScales(t *testing.T, list *caseList) {
	var cases []upstreamScale
	loadUpstream(t, "scales.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) { c.test(t) })
	}
}

func (c *upstreamScale) test(t *testing.T) {
	spec := newSpec()
	spec.Unreachable, spec.Revision.Annotations = c.Unreachable, full(c.Annotations)
	spec.Revision.ProgressDeadline = 121 * time.Second
	if c.ProgressDeadline != "" {
		var err error
		spec.Revision.ProgressDeadline, err = time.ParseDuration(c.ProgressDeadline)
		require.NoError(t, err)
	}
	spec.Config.StableWindow, spec.Config.ScaleToZeroGracePeriod, spec.Config.TargetBurstCapacity = 300*time.Second, 60*time.Second, 200
	spec.Config.set(t, c.Config)
	s := newSettings(spec)
	r := reconciler{settings: &s}
	r.active = map[string]activity{"Unknown": activating, "True": active, "False": inactive}[c.Status.Active]
	r.since, r.initialized, r.mode = after(-c.Status.Since), c.Status.Initialized, c.Status.Mode
	if c.Status.Proxied != nil {
		r.proxied = after(-*c.Status.Proxied)
	}
	v := view{now: start, current: c.Current, desired: c.To, path: messages.PathDirect}
	if or(c.Status.Answers, true) {
		v.path = messages.PathProxy
	}
	assert.Equal(t, c.Want, r.scale(&v, &trail.Trail{}))
	assert.Equal(t, c.Applied, v.changed)
	if c.Applied {
		assert.Equal(t, c.Want, v.current)
	}
	var enqueued []float64
	if !r.due.IsZero() {
		enqueued = append(enqueued, math.Round(r.due.Sub(start).Seconds()))
	}
	assert.Equal(t, c.Enqueued, enqueued)
	assert.Equal(t, c.Probes, !r.prober.until.IsZero())
}
