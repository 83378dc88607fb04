package cluster

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// MaxUsers is how many users a workload can have in all.
const MaxUsers = 1_000_000

// Users are a closed loop: each thinks, sends a request, waits until it is
// answered or lost for good, and thinks again. They begin by thinking at From;
// none sends at To or later.
type Users struct {
	From, To  time.Duration
	Count     int
	ThinkTime random.Spec
	// Index tells the streams of think times apart: the position of the phase.
	Index uint64
}

func (u Users) validate() error {
	var problems messages.Problems
	if u.Count < 1 || u.Count > MaxUsers {
		problems.Addf("count", "found %d, expected 1 to %d", u.Count, MaxUsers)
	}
	if u.From < 0 || u.To < u.From {
		problems.Addf("", "found a phase from %s to %s, expected a stretch of time", u.From, u.To)
	}
	problems.Add(messages.Under("thinkTime", u.ThinkTime.Validate()))
	return problems.Err()
}

// users are all users of a run.
type users struct {
	groups   []group
	all      []user
	thinking event.Queue[int32] // by the end of their thoughts
}

type group struct {
	to    time.Duration
	first int32 // of its users
	think random.Dist
	key   random.Key
}

type user struct {
	group int32
	turn  uint32 // counts its thoughts
}

// newUsers has everybody begin to think.
func newUsers(specs []Users, seed random.Seed) (users, error) {
	var u users
	for i, spec := range specs {
		think, err := random.New(spec.ThinkTime)
		if err != nil {
			return u, fmt.Errorf("think time: %w", err)
		}
		u.groups = append(u.groups, group{to: spec.To, first: int32(len(u.all)), think: think, key: seed.Key("think", spec.Index)})
		for range spec.Count {
			u.all = append(u.all, user{group: int32(i)})
			u.thinkFrom(spec.From, int32(len(u.all)-1))
		}
	}
	return u, nil
}

// thinkFrom draws a user's next thought: a function of the seed, the user and
// the turn. A thought that lasts beyond the phase is the last one.
func (u *users) thinkFrom(now time.Duration, id int32) {
	who := &u.all[id]
	g := &u.groups[who.group]
	stream := g.key.At(uint64(id-g.first)<<32 | uint64(who.turn))
	who.turn++
	if at := now + g.think.Draw(&stream); at < g.to {
		u.thinking.Push(at, event.Arrivals, id)
	}
}
