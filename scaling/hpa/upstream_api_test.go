package hpa

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// backFrom checks what every version answers, back from the newest one without the
// feature gate. older has the answers that differ, each from its version back.
func backFrom[T any](t *testing.T, without string, want T, older map[Version]T, check func(v Version, want T)) {
	newest, known := upstreamGates[without]
	require.True(t, known, without)
	used := 0
	for _, v := range slices.Backward(Versions) {
		if !newest.has(v) {
			continue
		}
		if answer, differs := older[v]; differs {
			want = answer
			used++
		}
		check(v, want)
	}
	assert.Len(t, older, used)
}

// testDefaults runs what the API server fills in and drops.
func testDefaults(t *testing.T, list *caseList) {
	type behavior = *autoscalingv2.HorizontalPodAutoscalerBehavior
	var cases struct {
		Behaviors []struct {
			ID             string
			Behavior, Want behavior
			Older          map[Version]behavior
		}
		Annotations []struct {
			ID    string
			Given map[string]string
		}
	}
	loadUpstream(t, "defaults.yaml", &cases)
	for _, c := range cases.Behaviors {
		list.run(t, c.ID, func(t *testing.T) {
			m := manifest(t, "maxReplicas: 5")
			m.Spec.Behavior = c.Behavior
			assert.Equal(t, c.Want, Defaults(m).Spec.Behavior)
			backFrom(t, "", c.Want, c.Older, func(v Version, want behavior) {
				assert.Equal(t, want, v.Defaults(m).Spec.Behavior, v)
			})
		})
	}
	for _, c := range cases.Annotations {
		list.run(t, c.ID, func(t *testing.T) {
			m := manifest(t, "maxReplicas: 5")
			m.Annotations = c.Given
			assert.Empty(t, Defaults(m).Annotations)
			assert.Len(t, m.Annotations, 4, "the manifest itself is left alone")
		})
	}
}

// testValidation runs what the API server refuses.
func testValidation(t *testing.T, list *caseList) {
	var cases []struct {
		ID, Without string
		Spec        autoscalingv2.HorizontalPodAutoscalerSpec
		Errors      []string
		Older       map[Version][]string
	}
	loadUpstream(t, "validation.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) {
			m := &autoscalingv2.HorizontalPodAutoscaler{Spec: c.Spec}
			m.Name = "web"
			if c.Without == "" {
				assert.Equal(t, c.Errors, kindsAndFields(t, Validate(m)))
			}
			backFrom(t, c.Without, c.Errors, c.Older, func(v Version, want []string) {
				assert.ElementsMatch(t, want, kindsAndFields(t, v.Validate(m)), v)
			})
		})
	}
}
