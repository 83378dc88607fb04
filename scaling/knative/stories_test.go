package knative

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

const (
	direct = messages.PathDirect
	proxy  = messages.PathProxy
)

// A new revision gets 300 concurrent requests, 70 for each pod, until 30 s. The
// panic begins before its first pod is ready, and ends 60 s after the last tick
// that asked for twice the ready pods, at 4 s. The activator is in the way for
// as long as 211 more requests do not fit. It has been there for long when the
// revision becomes inactive, and stands in at the next event.
func TestANewRevisionFromItsFirstPodToZero(t *testing.T) {
	spec := newSpec()
	spec.New = true
	w := newWorld(t, spec, 1)
	w.load = busyUntil(30, 300)
	w.run(0, 200)
	assert.Equal(t, []entry{
		{0, 1, proxy, "Unknown Queued"},
		{2, 5, proxy, "Unknown Queued"},
		{3, 5, proxy, "True"},
		{30, 5, direct, "True"},
		{66, 2, direct, "True"},
		{68, 2, proxy, "True"},
		{76, 1, proxy, "True"},
		{90, 1, proxy, "False NoTraffic"},
		{98, 0, proxy, "False NoTraffic"},
	}, w.log)
}

// The activator is in the way only when the revision is idle, and only 5 s after
// it was asked to. The grace period counts from the wish.
func TestZeroWaitsForTheActivator(t *testing.T) {
	w := newWorld(t, newSpec("target-burst-capacity", "0"), 3)
	w.load = busyUntil(30, 100)
	w.turns = 5 * time.Second
	w.run(0, 200)
	assert.Equal(t, []entry{
		{0, 3, proxy, "True"},
		{2, 3, direct, "True"},
		{62, 1, direct, "True"},
		{90, 1, proxy, "False NoTraffic"},
		{120, 0, proxy, "False NoTraffic"},
	}, w.log)
}
