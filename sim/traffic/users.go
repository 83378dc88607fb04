package traffic

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Users are a closed loop: each thinks, sends a request, waits until it is
// answered or lost, and thinks again. They begin by thinking at the start of
// their phase and send nothing after its end.
type Users struct {
	Count     int         `yaml:"count" min:"1" max:"1000000" doc:"number of users"`
	ThinkTime random.Spec `yaml:"thinkTime" doc:"from a user's answer to the next request"`
}

// UserPhase is a phase of users in a Plan. Its requests depend on the answers,
// so they are not among the Plan's Arrivals: the cluster makes them.
type UserPhase struct {
	Window
	Users
	Index int // of the phase in the plan
}

// Users are the phases of users, in order.
func (p *Plan) Users() []UserPhase {
	var phases []UserPhase
	for i := range p.phases {
		if ph := &p.phases[i]; ph.users != nil {
			phases = append(phases, UserPhase{Window: ph.window, Users: *ph.users, Index: i})
		}
	}
	return phases
}

const (
	maxUsers = 1_000_000 // over all phases
	minThink = time.Millisecond
)

func (u Users) validate() error {
	var problems messages.Problems
	if u.Count < 1 || u.Count > maxUsers {
		problems.Addf("count", "found %d, expected 1 to %d", u.Count, maxUsers)
	}
	think, err := random.New(u.ThinkTime)
	problems.Add(messages.Under("thinkTime", err))
	if err == nil && think.Mean() < minThink { // 0s would never leave an instant
		problems.Addf("thinkTime", "found a mean of %s, expected at least %s", think.Mean(), minThink)
	}
	return problems.Err()
}

// rate is what valid users send per second when every answer comes at once: the
// most they can, by the interactive response time law X = N / (Z + R).
func (u Users) rate() float64 {
	think, err := random.New(u.ThinkTime)
	if err != nil {
		panic("traffic: users of an invalid think time: " + err.Error())
	}
	return float64(u.Count) / think.Mean().Seconds()
}
