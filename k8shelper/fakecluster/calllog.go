package fakecluster

import (
	"fmt"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/testing"
)

// Record is a call that was answered, for golden scripts and tables.
type Record struct {
	Call
	Detail   string        // what was sent: replicas of a scale, the text of a patch, an Event's reason
	Latency  time.Duration // injected
	Outcome  string        // "ok", or the reason of the API error: "NotFound"
	Injected bool          // the outcome is a fault's
	Applied  bool          // a write took effect, whatever the outcome
}

// String is one line without the instant:
// "update deployments.apps/scale shop/web replicas=0: Conflict (injected)".
func (r Record) String() string {
	text := r.Call.String()
	if r.Detail != "" {
		text += " " + r.Detail
	}
	text += ": " + r.Outcome
	switch {
	case r.Injected && r.Applied:
		return text + " (injected, applied)"
	case r.Injected:
		return text + " (injected)"
	}
	return text
}

// Calls are the newest calls in the order of their answers, as many as
// Options.LogCalls, and how many older ones were dropped.
func (c *Cluster) Calls() (calls []Record, dropped int) {
	if c.server.log == nil {
		return nil, 0
	}
	return c.server.log.snapshot()
}

// ClearCalls empties the log.
func (c *Cluster) ClearCalls() {
	if c.server.log != nil {
		c.server.log.clear()
	}
}

// callLog is a ring of the newest calls.
type callLog struct {
	limit int

	mu      sync.Mutex
	ring    []Record
	next    int // where the oldest is, once the ring is full
	dropped int
}

func (l *callLog) add(r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < l.limit {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.next] = r
	l.next = (l.next + 1) % l.limit
	l.dropped++
}

func (l *callLog) snapshot() ([]Record, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make([]Record, 0, len(l.ring))
	calls = append(calls, l.ring[l.next:]...)
	return append(calls, l.ring[:l.next]...), l.dropped
}

func (l *callLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next, l.dropped = nil, 0, 0
}

// callOf describes an action.
func callOf(action testing.Action, at time.Time) Call {
	c := Call{
		At: at, Verb: action.GetVerb(), Resource: action.GetResource().GroupResource(),
		Subresource: action.GetSubresource(), Namespace: action.GetNamespace(),
	}
	switch a := action.(type) {
	case testing.CreateActionImpl:
		c.Name = nameOf(a.Object)
	case testing.UpdateActionImpl:
		c.Name = nameOf(a.Object)
	case interface{ GetName() string }:
		c.Name = a.GetName()
	}
	return c
}

func nameOf(obj any) string {
	if named, ok := obj.(metav1.Object); ok {
		if named.GetName() == "" && named.GetGenerateName() != "" {
			return named.GetGenerateName() + "*"
		}
		return named.GetName()
	}
	return ""
}

// detailOf is what an action sends, as far as a script of calls should show it.
func detailOf(action testing.Action) string {
	var sent any
	switch a := action.(type) {
	case testing.PatchActionImpl:
		return string(a.Patch)
	case testing.CreateActionImpl:
		sent = a.Object
	case testing.UpdateActionImpl:
		sent = a.Object
	}
	switch obj := sent.(type) {
	case *autoscalingv1.Scale:
		return fmt.Sprintf("replicas=%d", obj.Spec.Replicas)
	case *corev1.Event:
		return obj.Reason
	}
	return ""
}

// outcomeOf is "ok" or the reason of an error.
func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		return string(reason)
	}
	return err.Error()
}
