package k8shelper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

func newRecorder(t *testing.T, faults fakecluster.Faults) (*k8shelper.Recorder, *fakecluster.Cluster, *clocktesting.FakePassiveClock) {
	t.Helper()
	clock := clocktesting.NewFakePassiveClock(start.Add(1500 * time.Millisecond))
	c, err := fakecluster.New(fakecluster.Options{Clock: clock, Faults: faults})
	require.NoError(t, err)
	r, err := k8shelper.NewRecorder(c.Clients(), "elasti-operator", clock)
	require.NoError(t, err)
	return r, c, clock
}

func events(t *testing.T, c *fakecluster.Cluster, namespace string) []corev1.Event {
	t.Helper()
	list, err := c.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

func TestEventsAreRecorded(t *testing.T) {
	r, c, clock := newRecorder(t, nil)
	require.NoError(t, r.Record(ctx, web.Reference("u"), k8shelper.Event{Reason: "ScaledUp", Message: "0 to 1"}))
	found := events(t, c, "shop")
	require.Len(t, found, 1)
	second := metav1.NewTime(start.Add(time.Second))
	e := found[0]
	assert.Equal(t, "web.1887aca48c9e2f00.33ee8b11", e.Name)
	assert.Equal(t, web.Reference("u"), e.InvolvedObject)
	assert.Equal(t, []string{"Normal", "ScaledUp", "0 to 1", "elasti-operator"}, []string{e.Type, e.Reason, e.Message, e.Source.Component})
	assert.Equal(t, []metav1.Time{second, second}, []metav1.Time{e.FirstTimestamp, e.LastTimestamp})
	assert.Equal(t, int32(1), e.Count)

	require.NoError(t, r.Record(ctx, web.Reference("u"), k8shelper.Event{Reason: "ScaledUp", Message: "0 to 1"}))
	assert.Len(t, events(t, c, "shop"), 1, "the same event at the same instant is the same")
	require.NoError(t, r.Record(ctx, web.Reference("u"), k8shelper.Event{Reason: "ScaleFailed", Message: "0 to 1", Warning: true}))
	clock.SetTime(start.Add(2 * time.Second))
	require.NoError(t, r.Record(ctx, web.Reference("u"), k8shelper.Event{Reason: "ScaledUp", Message: "0 to 1"}))
	assert.Len(t, events(t, c, "shop"), 3)
}

func TestEventNamesAndMessagesFit(t *testing.T) {
	r, c, _ := newRecorder(t, nil)
	about := corev1.ObjectReference{Kind: "Node", Name: strings.Repeat("n", 226) + "-" + strings.Repeat("m", 26)}
	require.NoError(t, r.Record(ctx, about, k8shelper.Event{Reason: "R", Message: strings.Repeat("m", 1023) + "é"}))
	e := events(t, c, "default")[0]
	assert.Empty(t, validation.IsDNS1123Subdomain(e.Name), e.Name)
	assert.Equal(t, strings.Repeat("m", 1023), e.Message, "no half of a letter")
	assert.Equal(t, "default", e.InvolvedObject.Namespace)
}

func TestEventsThatCannotBe(t *testing.T) {
	r, c, clock := newRecorder(t, func(call fakecluster.Call) fakecluster.Fault {
		if call.Name[:4] == "slow" {
			return fakecluster.Fault{Err: apierrors.NewTimeoutError("slow", 0), Applied: true}
		}
		return fakecluster.Fault{}
	})
	assert.ErrorIs(t, r.Record(ctx, web.Reference(""), k8shelper.Event{}), k8shelper.ErrInvalid)
	assert.ErrorIs(t, r.Record(ctx, corev1.ObjectReference{}, k8shelper.Event{Reason: "R"}), k8shelper.ErrInvalid)
	err := r.Record(ctx, k8shelper.Deployment("shop", "slow").Reference(""), k8shelper.Event{Reason: "R"})
	assert.ErrorIs(t, err, k8shelper.ErrTimeout)
	assert.ErrorContains(t, err, "record event R about Deployment shop/slow: ")

	for name, make := range map[string]func() error{
		"client":    func() error { _, err := k8shelper.NewRecorder(k8shelper.Clients{}, "c", clock); return err },
		"component": func() error { _, err := k8shelper.NewRecorder(c.Clients(), "", clock); return err },
		"clock":     func() error { _, err := k8shelper.NewRecorder(c.Clients(), "c", nil); return err },
	} {
		err := make()
		assert.ErrorIs(t, err, k8shelper.ErrInvalid)
		assert.ErrorContains(t, err, name)
	}
}
