package metrics

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Noise is the relative error of samples: a factor with a mean of 1 and this
// coefficient of variation, lognormal, drawn for every series and sample. Of a
// counter it is the increase since the sample before that is off, so that counters
// never fall. PromQL has no noise.
type Noise struct {
	CPU     float64 `yaml:"cpu,omitempty" min:"0" max:"10" doc:"of the kubelet's samples of CPU time"`
	Metrics float64 `yaml:"metrics,omitempty" min:"0" max:"10" doc:"of the samples behind Pods, Object and External metrics"`
}

// The bounds of a coefficient of variation other than 0.
const (
	minNoise = 0.001
	maxNoise = 10
)

func (n Noise) validate() error {
	var problems messages.Problems
	for _, part := range []struct {
		field string
		cv    float64
	}{{"noise.cpu", n.CPU}, {"noise.metrics", n.Metrics}} {
		if part.cv != 0 && !(part.cv >= minNoise && part.cv <= maxNoise) {
			problems.Addf(part.field, "found %v, expected 0, or %v to %v", part.cv, minNoise, maxNoise)
		}
	}
	return problems.Err()
}

// noise draws the factors of one kind of sample; nil: there is none.
type noise struct {
	name string
	seed random.Seed
	dist random.Dist // of factors, in seconds
}

// newNoise takes a valid coefficient of variation.
func newNoise(name string, cv float64, seed random.Seed) (*noise, error) {
	if cv == 0 {
		return nil, nil
	}
	mean := time.Second
	dist, err := random.New(random.Spec{Dist: "lognormal", Mean: &mean, CV: &cv})
	if err != nil {
		return nil, err
	}
	return &noise{name: name, seed: seed, dist: dist}, nil
}

// times is a value with the error of a series' sample at an instant.
func (n *noise) times(value int64, series uint64, at time.Duration) int64 {
	stream := n.seed.Key(n.name, series).At(uint64(at / time.Millisecond))
	return int64(math.Round(float64(value) * n.dist.Draw(&stream).Seconds()))
}

// counter is a counter with noise: what it truly was and what it showed.
type counter struct{ truth, shown int64 }

func (n *noise) count(c *counter, truth int64, series uint64, at time.Duration) int64 {
	c.shown += n.times(truth-c.truth, series, at)
	c.truth = truth
	return c.shown
}
