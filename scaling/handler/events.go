package handler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
)

// The reasons of the Events about an ElastiService.
const (
	EventScaledToZero  = "ScaledToZero"
	EventScaledUp      = "ScaledUp"
	EventReleased      = "Released"      // the ElastiService is gone, its target not at zero
	EventInvalid       = "Invalid"       // the manifest cannot be used
	EventTriggerFailed = "TriggerFailed" // a trigger knows nothing: the target stays as it is
	EventScaleFailed   = "ScaleFailed"   // the target could not be read or scaled
	EventPauseFailed   = "PauseFailed"   // KEDA's ScaledObject could not be paused or unpaused
	EventModeFailed    = "ModeFailed"    // traffic could not be led to or from the resolver
	EventStatusFailed  = "StatusFailed"  // the status could not be written
)

// component is how Events name us, as KubeElasti's operator does.
const component = "elasti-operator"

// repeatAfter is the least time between two Events about one lasting trouble,
// and after as long without it, trouble is new again.
const repeatAfter = 10 * time.Minute

// reporter tells of what was done and what failed, in Events and in the log.
// Trouble comes at every poll as long as its cause lasts: of one reason about
// one object, one Event is written in ten minutes, with the number of times.
// Events are no part of any result: one that cannot be written is logged.
type reporter struct {
	events *k8shelper.Recorder
	call   caller
	clock  clock.PassiveClock
	log    *slog.Logger

	mu      sync.Mutex
	trouble map[troubleKey]*trouble
}

type troubleKey struct {
	about  types.UID
	reason string
}

type trouble struct {
	told   time.Time // when its Event was written
	untold int       // times since
}

// done tells of something that was carried out.
func (r *reporter) done(ctx context.Context, about corev1.ObjectReference, reason, message string) {
	r.log.InfoContext(ctx, message, "reason", reason, "namespace", about.Namespace, "elastiservice", about.Name)
	r.write(ctx, about, k8shelper.Event{Reason: reason, Message: message})
}

// failed tells of trouble, unless it was told lately. Nothing is told of what
// failed because we are being stopped.
func (r *reporter) failed(ctx context.Context, about corev1.ObjectReference, reason string, err error) {
	if ctx.Err() != nil {
		return
	}
	times := r.count(troubleKey{about.UID, reason})
	if times == 0 {
		r.log.DebugContext(ctx, err.Error(), "reason", reason, "namespace", about.Namespace, "elastiservice", about.Name)
		return
	}
	message := err.Error()
	if times > 1 {
		message = fmt.Sprintf("%s (%d times in the last %v)", message, times, repeatAfter)
	}
	r.log.WarnContext(ctx, message, "reason", reason, "namespace", about.Namespace, "elastiservice", about.Name)
	r.write(ctx, about, k8shelper.Event{Warning: true, Reason: reason, Message: message})
}

// count is how many times are to be told now, or 0 to keep quiet.
func (r *reporter) count(key troubleKey) int {
	now := r.clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, t := range r.trouble {
		if now.Sub(t.told) >= 2*repeatAfter {
			delete(r.trouble, other)
		}
	}
	t := r.trouble[key]
	if t == nil {
		r.trouble[key] = &trouble{told: now}
		return 1
	}
	if t.untold++; now.Sub(t.told) < repeatAfter {
		return 0
	}
	times := t.untold
	t.told, t.untold = now, 0
	return times
}

func (r *reporter) write(ctx context.Context, about corev1.ObjectReference, e k8shelper.Event) {
	err := r.call.once(ctx, r.call.timeout, func(ctx context.Context) error {
		return r.events.Record(ctx, about, e)
	})
	if err != nil {
		r.log.WarnContext(ctx, "event not written", "reason", e.Reason, "namespace", about.Namespace, "elastiservice", about.Name, "error", err)
	}
}
