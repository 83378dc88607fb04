package everything

import (
	"slices"
	"testing"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// ready is a curve of pods that are Ready: instants in seconds, and counts.
func ready(pairs ...int) (curve []counts) {
	for i := 0; i < len(pairs); i += 2 {
		curve = add(curve, counts{time.Duration(pairs[i]) * time.Second, messages.Replicas{Ready: int32(pairs[i+1])}})
	}
	return curve
}

func TestAdd(t *testing.T) {
	if got, want := ready(0, 1, 5, 1, 7, 2, 7, 3, 9, 4, 9, 3), ready(0, 1, 7, 3); !slices.Equal(got, want) {
		t.Errorf("found %v, expected %v: of one instant the last, and changes only", got, want)
	}
}

func TestAt(t *testing.T) {
	curve := ready(0, 1, 7, 3)
	for instant, want := range map[time.Duration]int32{0: 1, 7*time.Second - 1: 1, 7 * time.Second: 3, time.Hour: 3} {
		if got := at(curve, instant).Ready; got != want {
			t.Errorf("at %s found %d, expected %d", instant, got, want)
		}
	}
}

func TestDifferences(t *testing.T) {
	column := columns[2]
	for _, test := range []struct {
		what       string
		real, ours []counts
		want       []difference
	}{
		{"equal", ready(0, 1, 7, 3), ready(0, 1, 7, 3), nil},
		{"later", ready(0, 1, 8, 3), ready(0, 1, 7, 3), []difference{{7 * time.Second, 8 * time.Second, 1, 3}}},
		{"in steps: one stretch", ready(0, 1, 8, 2, 9, 3), ready(0, 1, 7, 3), []difference{{7 * time.Second, 9 * time.Second, 1, 3}}},
		{"twice", ready(0, 1, 8, 3), ready(0, 1, 7, 3, 9, 4), []difference{
			{7 * time.Second, 8 * time.Second, 1, 3}, {9 * time.Second, 20 * time.Second, 3, 4}}},
		{"after the end", ready(0, 1), ready(0, 1, 20, 2), nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			if got := column.differences(test.real, test.ours, 20*time.Second); !slices.Equal(got, test.want) {
				t.Errorf("found %v, expected %v", got, test.want)
			}
		})
	}
	if got := (part{differences: []difference{{0, 5, 1, 2}, {7, 19, 1, 2}, {20, 21, 1, 2}}}).longest(); got != 12 {
		t.Errorf("found %d, expected 12", got)
	}
	if got := column.changes(ready(0, 1, 7, 3, 9, 1, 20, 2), 20*time.Second); got != 2 {
		t.Errorf("found %d changes, expected 2", got)
	}
	if got := column.most(ready(0, 1, 7, 3, 9, 1)); got != 3 {
		t.Errorf("found %d, expected 3", got)
	}
}
