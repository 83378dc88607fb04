package httpaddon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The facts of upstream's scaler/handlers_test.go and handlers_httpso_test.go about
// who is active, as data: a scaler goes by its own metric alone.
func TestScalerIsActiveByItsMetric(t *testing.T) {
	pending, rate := Route{}, Route{Rate: true, Window: time.Minute, Granularity: time.Second}
	for name, c := range map[string]struct {
		route  Route
		counts []Count
		active bool
	}{
		"nothing":                        {pending, nil, false},
		"nothing pending":                {pending, []Count{{"a", 0, 0}}, false},
		"pending":                        {pending, []Count{{"a", 1, 0}}, true},
		"pending at one of several":      {pending, []Count{{"a", 0, 0}, {"b", 2, 0}}, true},
		"requests, but none pending":     {pending, []Count{{"a", 0, 7}}, false},
		"pending, by the rate":           {rate, []Count{{"a", 1, 0}}, false},
		"requests, by the rate":          {rate, []Count{{"a", 0, 1}}, true},
		"of a new interceptor":           {rate, []Count{{"a", 0, 0}, {"c", 0, 5}}, false},
		"of a restarted interceptor":     {rate, []Count{{"a", 0, 0}, {"b", 0, 5}}, true},
		"that had come at the last poll": {rate, []Count{{"a", 0, 0}, {"b", 0, 10}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, now := NewScaler(c.route), time.Unix(1000, 0)
			assert.False(t, s.Active())
			s.Poll(now, Count{"a", 3, 0}, Count{"b", 4, 10})
			s.Poll(now.Add(500*time.Millisecond), c.counts...)
			assert.Equal(t, c.active, s.Active())
		})
	}
}

func TestScalerValue(t *testing.T) {
	counts := func(s *Scaler, at int, n ...Count) float64 {
		s.Poll(time.Unix(int64(at), 0), n...)
		return s.Value()
	}
	s := NewScaler(Route{})
	assert.Equal(t, 7.0, counts(s, 0, Count{"a", 3, 0}, Count{"b", 4, 100}), "the sum of all interceptors")
	assert.Equal(t, 4.0, counts(s, 1, Count{"b", 4, 0}))

	exact, whole := Route{Rate: true, Window: time.Minute, Granularity: time.Second}, Route{Rate: true, Window: time.Minute, Granularity: time.Second, whole: true}
	for _, c := range []struct {
		route Route
		want  []float64
	}{{exact, []float64{0, 5, 7.333, 5.75}}, {whole, []float64{0, 5, 8, 6}}} {
		s := NewScaler(c.route)
		assert.Equal(t, c.want[0], counts(s, 0, Count{"a", 0, 1000}, Count{"b", 0, 0}), "what came before the first poll is not known")
		assert.Equal(t, c.want[1], counts(s, 1, Count{"a", 0, 1003}, Count{"b", 0, 7}), "10 in two buckets")
		assert.Equal(t, c.want[2], counts(s, 2, Count{"a", 0, 1003}, Count{"b", 0, 19}), "22 in three")
		assert.Equal(t, c.want[3], counts(s, 3, Count{"a", 0, 1}), "23 in four: one has gone, one has been restarted")
	}
}
