package sim

import (
	"fmt"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Fleet makes a run one of many services: copies of the workload and of its
// strategy, each with random numbers of its own. They do not meet: there are no
// nodes to share, and no service calls another.
type Fleet struct {
	Services   int         `yaml:"services" required:"true" min:"1" max:"100000" doc:"how many copies of the workload, each scaled by itself"`
	Popularity *Popularity `yaml:"popularity,omitempty" doc:"how the traffic is spread over the services; default: evenly"`
}

// Popularity is a law of the services' weights. A weight is a factor on the
// traffic's rate; their mean is 1, so that the fleet gets the traffic once for
// every service.
type Popularity struct {
	Law      string   `yaml:"law" required:"true" enum:"zipf|lognormal" doc:"zipf: proportional to rank^-exponent; lognormal: drawn, with a given cv"`
	Exponent *float64 `yaml:"exponent,omitempty" doc:"zipf: from 0 to 10; 1 is the classic law"`
	CV       *float64 `yaml:"cv,omitempty" doc:"lognormal: standard deviation of the services' rates divided by their mean, from 0.001 to 100"`
}

// MaxServices bounds a fleet: about 200 bytes are kept of every service.
const MaxServices = 100_000

// Validate reports what is missing or out of range, as messages.Problems.
func (f Fleet) Validate() error {
	var problems messages.Problems
	if f.Services < 1 || f.Services > MaxServices {
		problems.Addf("services", "found %d, expected 1 to %d", f.Services, MaxServices)
	}
	if f.Popularity != nil {
		problems.Add(messages.Under("popularity", f.Popularity.validate()))
	}
	return problems.Err()
}

func (p Popularity) validate() error {
	var problems messages.Problems
	check := func(field, law string, value *float64, least, most float64) {
		switch {
		case p.Law != law && value != nil:
			problems.Addf(field, "found %v, expected none: %s has no %s", *value, p.Law, field)
		case p.Law == law && value == nil:
			problems.Addf(field, "found none, expected %v to %v", least, most)
		case p.Law == law && !(*value >= least && *value <= most):
			problems.Addf(field, "found %v, expected %v to %v", *value, least, most)
		}
	}
	switch p.Law {
	case "zipf", "lognormal":
		check("exponent", "zipf", p.Exponent, 0, 10)
		check("cv", "lognormal", p.CV, 0.001, 100)
	default:
		problems.Addf("law", "found %q, expected zipf or lognormal", p.Law)
	}
	return problems.Err()
}

// Weights are the services' factors on the traffic's rate, the largest first.
func (f Fleet) Weights(seed uint64) []float64 {
	switch p := f.Popularity; {
	case p == nil:
		return random.Zipf(f.Services, 0)
	case p.Law == "zipf":
		return random.Zipf(f.Services, *p.Exponent)
	default:
		return random.Seed(seed).Key("popularity", 0).Lognormal(f.Services, *p.CV)
	}
}

// serviceName is what results and errors call the i-th service, which is the
// most popular one for 0.
func (s Spec) serviceName(i int) string { return fmt.Sprintf("%s-%d", s.Workload, i) }

// ofService is the run of the i-th service alone.
func (s Spec) ofService(i int, weight float64) Spec {
	s.Seed = uint64(random.Seed(s.Seed).Key("fleet", uint64(i)))
	s.Traffic = s.Traffic.Scaled(weight, random.Seed(s.Seed))
	s.Fleet = nil
	return s
}
