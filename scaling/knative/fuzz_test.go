package knative

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// FuzzParseConfig: whatever is refused is refused with its key, and whatever is
// taken can be run with.
func FuzzParseConfig(f *testing.F) {
	f.Add("stable-window", "60s", "scale-down-delay", "2562047h47m16.854775807s")
	f.Add("max-scale-up-rate", "NaN", "target-burst-capacity", "Inf")
	f.Add("container-concurrency-target-percentage", "1e-400", "panic-threshold-percentage", "-Inf")
	f.Add("_example", "", "a.b[", "x")
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 string) {
		config, err := ParseConfig(map[string]string{key1: value1, key2: value2})
		if err != nil {
			assertFields(t, err, "data")
			return
		}
		spec := newSpec()
		spec.Config = config
		runs(t, spec)
	})
}

// FuzzAnnotations does the same for annotations.
func FuzzAnnotations(f *testing.F) {
	for _, name := range Annotations() {
		f.Add(name, "1", domain+"window", "6s")
		f.Add(name, "1h", domain+"metric", "rps")
	}
	f.Add(domain+"initialScale", "99999999999", domain+"target", "NaN")
	f.Add("", "5", domain, "5")
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 string) {
		spec := newSpec()
		spec.Revision.Annotations = map[string]string{key1: value1, key2: value2}
		if err := spec.Validate(); err != nil {
			assertFields(t, err, "revision.annotations[")
			return
		}
		runs(t, spec)
	})
}

// FuzzService reads a manifest as the API server does.
func FuzzService(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"web"},"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/class":"hpa.autoscaling.knative.dev","autoscaling.knative.dev/target":"1e300"}}}}}`))
	f.Add([]byte(`{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"web"},"spec":{"template":{"spec":{"containerConcurrency":-1}},"traffic":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s ServiceManifest
		if json.Unmarshal(data, &s) != nil {
			return
		}
		if err := s.Validate(DefaultConfig()); err != nil {
			assertFields(t, err, "")
			return
		}
		if s.Revision().Class(DefaultConfig()) == ClassHPA {
			assert.Equal(t, s.Name, HPA(s.Revision(), DefaultConfig(), "web").Name)
			return
		}
		spec := newSpec()
		spec.Revision = s.Revision()
		if spec.Validate() == nil { // another class is another autoscaler's
			runs(t, spec)
		}
	})
}

func assertFields(t *testing.T, err error, below string) {
	var problems messages.Problems
	require.True(t, errors.As(err, &problems), "%v", err)
	for _, problem := range problems {
		var invalid *messages.Invalid
		require.True(t, errors.As(problem, &invalid), "%v", problem)
		assert.True(t, strings.HasPrefix(invalid.Field, below), invalid.Field)
	}
}

// runs lets an autoscaler see a minute of traffic.
func runs(t *testing.T, spec Spec) {
	a, err := New(spec, start)
	require.NoError(t, err)
	current := spec.InitialScale()
	for second := range 60 {
		now := after(float64(second))
		o := seen(current, min(current, 9), min(current, 9))
		a.Collect(now, messages.Stats{Pods: podStats(1, 2, 3)[:min(max(current, 0), 3)], Proxies: []messages.ProxyStats{{Concurrency: float64(second % 7)}}})
		d, err := a.Decide(now, o)
		require.NoError(t, err)
		require.NotEmpty(t, d.Message)
		require.Len(t, d.Conditions, 4)
		if current = d.Desired; current < 0 {
			require.Fail(t, "less than nothing", "%d: %s %v", d.Desired, d.Message, d.Steps)
		}
	}
}
