package fakecluster

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Call is one call to the API server.
type Call struct {
	At              time.Time // when it came in
	Verb            string    // get, list, watch, create, update, patch, delete, delete-collection
	Resource        schema.GroupResource
	Subresource     string // scale, status, binding or none
	Namespace, Name string // a list has no name
}

// String is the call without its instant: "update deployments.apps/scale shop/web".
func (c Call) String() string {
	text := c.Verb + " " + c.Resource.String()
	if c.Subresource != "" {
		text += "/" + c.Subresource
	}
	switch {
	case c.Namespace != "" && c.Name != "":
		return text + " " + c.Namespace + "/" + c.Name
	case c.Namespace != "" || c.Name != "":
		return text + " " + c.Namespace + c.Name
	}
	return text
}

// IsWrite says whether the call may change an object.
func (c Call) IsWrite() bool {
	return c.Verb != "get" && c.Verb != "list" && c.Verb != "watch"
}

// Fault is what goes wrong with a call. The zero value is nothing.
type Fault struct {
	// Latency passes on the cluster's clock before the call takes effect. A
	// clock that cannot sleep refuses it; the FakeClock of k8s.io/utils steps
	// itself forward instead of waiting, so for goroutines synctest is the
	// better clock.
	Latency time.Duration
	// Err is the answer, in place of the server's own.
	Err error
	// Applied says that the call takes effect, and only its answer is lost
	// behind Err.
	Applied bool
}

// Faults decides what goes wrong with a call. It may be asked from several
// goroutines at once.
type Faults func(Call) Fault

// sleeper is the part of clock.Clock that latency needs.
type sleeper interface{ Sleep(time.Duration) }

// sleepOn lets the latency of a call pass. A clock that only somebody else can
// move, as the simulator's, would never get there: that is refused.
func (s *server) sleepOn(d time.Duration) error {
	clock, ok := s.clock.(sleeper)
	if !ok {
		return apierrors.NewInternalError(fmt.Errorf("latency of %s: found a clock that cannot sleep, expected a clock.Clock", d))
	}
	clock.Sleep(d)
	return nil
}
