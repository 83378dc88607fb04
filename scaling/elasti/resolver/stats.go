package resolver

import "time"

// Counts say where requests are and how they ended. Once nobody is inside,
// Requests is the sum of the outcomes.
type Counts struct {
	Waiting int // now: for a slot
	Held    int // now: with a slot, for a pod
	Proxied int // now: sent, the answer not yet through

	Requests  int64 // that came
	Answered  int64 // the pod's answer went through
	Refused   int64 // too many were inside
	TimedOut  int64
	Closed    int64 // traffic was switched away (only with the fault)
	Left      int64 // the client went before the answer
	Failed    int64 // no connection in the dials allowed, or it broke before an answer
	Broken    int64 // the answer broke off
	Stopped   int64 // shutting down
	BadTarget int64 // for no service that could be told; only in the total
	Panicked  int64

	Looks      int64 // for a ready pod
	Sleeps     int64 // a look found none
	Redials    int64 // a connection did not come about, and was tried again
	Notified   int64 // messages that arrived at the operator
	Unnotified int64 // messages that did not

	HoldTotal time.Duration // from arrival to being sent, over requests sent
	HoldMax   time.Duration
	Delayed   int64 // requests sent that had to wait at all
}

// outcome is how a request ended.
type outcome uint8

const (
	pending outcome = iota
	answered
	refused
	timedOut
	closed
	left
	failed
	broken
	stopped
	badTarget
	panicked
)

func (c *Counts) end(o outcome) {
	switch o {
	case answered:
		c.Answered++
	case refused:
		c.Refused++
	case timedOut:
		c.TimedOut++
	case closed:
		c.Closed++
	case left:
		c.Left++
	case failed:
		c.Failed++
	case broken:
		c.Broken++
	case stopped:
		c.Stopped++
	case badTarget:
		c.BadTarget++
	case panicked:
		c.Panicked++
	}
}

// sent records how long a request was held.
func (c *Counts) sent(held time.Duration) {
	c.HoldTotal += held
	c.HoldMax = max(c.HoldMax, held)
	if held > 0 {
		c.Delayed++
	}
}

// stage is where a request inside is.
type stage uint8

const (
	gone stage = iota
	waiting
	holding
	proxying
)

func (c *Counts) move(from, to stage) {
	for _, change := range []struct {
		at stage
		by int
	}{{from, -1}, {to, 1}} {
		switch change.at {
		case waiting:
			c.Waiting += change.by
		case holding:
			c.Held += change.by
		case proxying:
			c.Proxied += change.by
		}
	}
}

// ServiceName names a service.
type ServiceName struct{ Namespace, Name string }

func (n ServiceName) String() string { return n.Namespace + "/" + n.Name }

// Stats is a Resolver at one instant.
type Stats struct {
	Total Counts
	// Services are those with requests inside, and those remembered since; one
	// that is idle for long is forgotten with its counts.
	Services map[ServiceName]Counts
}

// Stats returns a snapshot.
func (r *Resolver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Total: r.total, Services: make(map[ServiceName]Counts, len(r.services.all))}
	for name, v := range r.services.all {
		s.Services[name] = v.counts
	}
	return s
}
