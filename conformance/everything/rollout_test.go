package everything

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// deployed is a Deployment of ten pods that are Ready 10 s after their creation and
// take a second to end.
func deployed(u cluster.Update) cluster.Spec {
	spec := cluster.Defaults()
	spec.Replicas, spec.Unsteady, spec.Update, spec.PreStop = 10, true, u, termination
	spec.Lifecycle.Schedule, spec.Lifecycle.ImagePull = random.Constant(time.Second), random.Constant(2*time.Second)
	spec.Lifecycle.Start = random.Constant(7 * time.Second)
	return spec
}

// TestRollouts leaves out that pods which are available are taken from the new template
// in the middle of a rollout: docs/controllers.md says why.
func TestRollouts(t *testing.T) {
	number := func(n int32) cluster.Share { return cluster.Share{Number: n} }
	quarters := cluster.Update{MaxSurge: cluster.Share{Number: 25, Percent: true}, MaxUnavailable: cluster.Share{Number: 25, Percent: true}}
	available := quarters
	available.MinReady = 5 * time.Second
	once := []change{{10 * time.Second, 10, 1}}
	for _, test := range []struct {
		name    string
		update  cluster.Update
		changes []change
	}{
		{"by quarters", quarters, once},
		{"one by one", cluster.Update{MaxSurge: number(1)}, once},
		{"without a surge", cluster.Update{MaxUnavailable: number(3)}, once},
		{"everything at once", cluster.Update{MaxSurge: number(10), MaxUnavailable: number(10)}, once},
		{"with minReadySeconds", available, once},
		{"scaled up in the middle", quarters, []change{{10 * time.Second, 10, 1}, {25 * time.Second, 24, 1}}},
		{"scaled up before any new pod is Ready", quarters, []change{{10 * time.Second, 10, 1}, {15 * time.Second, 17, 1}}},
		{"scaled down in the middle", quarters, []change{{10 * time.Second, 10, 1}, {25 * time.Second, 4, 1}}},
		{"scaled down to what the new template has", quarters, []change{{10 * time.Second, 10, 1}, {22 * time.Second, 5, 1}}},
		{"scaled up one by one", cluster.Update{MaxSurge: number(1)}, []change{{10 * time.Second, 10, 1}, {35 * time.Second, 13, 1}}},
		{"scaled to none, and up again", quarters, []change{{10 * time.Second, 10, 1}, {25 * time.Second, 0, 1}, {30 * time.Second, 6, 1}}},
		{"overtaken", quarters, []change{{10 * time.Second, 10, 1}, {25 * time.Second, 10, 2}}},
		{"overtaken and scaled", quarters, []change{{10 * time.Second, 10, 1}, {25 * time.Second, 10, 2}, {28 * time.Second, 18, 2}}},
		{"recreated", cluster.Update{Recreate: true}, once},
		{"scaled while recreated", cluster.Update{Recreate: true}, []change{{10 * time.Second, 10, 1}, {10*time.Second + 500*time.Millisecond, 12, 1}, {15 * time.Second, 8, 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := script{spec: deployed(test.update), changes: test.changes, end: 5 * time.Minute}
			ours, err := simulateRollout(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, api := range []struct {
				name    string
				latency fakecluster.Faults
				limit   time.Duration
			}{{"at once", nil, 0}, {"2 to 20 ms a call", slowly(t), 2 * step}} { // up to a dozen steps, one after the other
				var real rolled
				synctest.Test(t, func(t *testing.T) {
					if real, err = realizeRollout(s, api.latency); err != nil {
						t.Fatal(err)
					}
				})
				compareRollouts(t, api.name, real, ours, s.end, api.limit)
			}
		})
	}
}

// compareRollouts fails where a count of a template is apart for longer than that.
func compareRollouts(t *testing.T, api string, real, ours rolled, end, limit time.Duration) {
	if len(real) != len(ours) {
		t.Fatalf("API answers %s: %d templates, ours %d", api, len(real), len(ours))
	}
	for template := range real {
		for _, c := range columns {
			differences := c.differences(real[template], ours[template], end)
			t.Logf("API answers %s, template %d: %s changes %d times, ours %d, and differs %d times", api, template, c.name,
				c.changes(real[template], end), c.changes(ours[template], end), len(differences))
			for _, d := range differences {
				if d.to-d.from > limit {
					t.Errorf("API answers %s, template %d: %s is apart from %s for %s: real %d, ours %d", api, template, c.name, d.from, d.to-d.from, d.real, d.ours)
				}
			}
		}
	}
}
