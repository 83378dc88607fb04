package keda

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	eventingv1alpha1 "github.com/kedacore/keda/v2/apis/eventing/v1alpha1"
	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	reconciler "github.com/kedacore/keda/v2/controllers/keda"
	"github.com/kedacore/keda/v2/pkg/eventemitter"
	"github.com/kedacore/keda/v2/pkg/scaling"
	"github.com/kedacore/keda/v2/version"
)

// silent is a scale handler whose loop does not start.
type silent struct{ scaling.ScaleHandler }

func (silent) HandleScalableObject(context.Context, v1alpha1.ScalableObject) error { return nil }

// mute emits nothing.
type mute struct{ eventemitter.EventHandler }

func (mute) Emit(runtime.Object, string, string, eventingv1alpha1.CloudEventType, string, string) {}

// TestConformanceHPA lets the real reconciler make the HPA of drawn ScaledObjects.
func TestConformanceHPA(t *testing.T) {
	version.Version = "2.21.0"
	seed, begun := firstSeed(t), time.Now()
	compared, refused := 0, 0
	for range *drawsFlag {
		seed++
		mine, real, err := both(newDie(seed).object("prometheus", "cron", "cpu", "memory", "rabbitmq"))
		require.NoError(t, err)
		invalid := mine.Validate()
		made, err := reconcile(real)
		switch {
		case err != nil:
			refused++
			require.Error(t, invalid, "seed %d: KEDA: %v", seed, err)
		case invalid != nil:
			refused++ // the webhook may refuse what the reconciler takes; see below
		default:
			compared++
			require.NoError(t, same(mine.HPA(), made), "seed %d", seed)
		}
	}
	t.Logf("%d HPAs compared, %d ScaledObjects refused, %.1f s", compared, refused, time.Since(begun).Seconds())
}

// reconcile gives the HPA that is created for the object.
func reconcile(object *v1alpha1.ScaledObject) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	u := newUpstream(object, nil, 1)
	r := &reconciler.ScaledObjectReconciler{Client: u.client, Scheme: newScheme(), ScaleClient: u.scales,
		ScaleHandler: silent{u.handler}, EventEmitter: mute{}}
	set(r, "restMapper", meta.RESTMapper(meta.NewDefaultRESTMapper(nil)))
	set(r, "scaledObjectsGenerations", newMap())
	if _, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: key}); err != nil {
		return nil, err
	}
	var list autoscalingv2.HorizontalPodAutoscalerList
	if err := u.client.List(context.Background(), &list, client.InNamespace(key.Namespace)); err != nil {
		return nil, err
	}
	if len(list.Items) != 1 {
		return nil, fmt.Errorf("found %d HPAs, expected one", len(list.Items))
	}
	return &list.Items[0], nil
}

// set fills a private field, which the manager fills otherwise.
func set(r *reconciler.ScaledObjectReconciler, name string, value any) {
	f := reflect.ValueOf(r).Elem().FieldByName(name)
	reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Set(reflect.ValueOf(value))
}

// same compares everything that KEDA writes.
func same(mine, real *autoscalingv2.HorizontalPodAutoscaler) error {
	for _, part := range []struct {
		name       string
		mine, real any
	}{
		{"name", mine.Name, real.Name},
		{"labels", mine.Labels, real.Labels},
		{"annotations", mine.Annotations, real.Annotations},
		{"owners", mine.OwnerReferences, real.OwnerReferences},
		{"spec", mine.Spec, real.Spec},
	} {
		if !equality.Semantic.DeepEqual(part.mine, part.real) {
			return fmt.Errorf("%s: ours has %+v, KEDA %+v", part.name, part.mine, part.real)
		}
	}
	return nil
}

// TestConformanceWebhook compares what is taken of counts, fallbacks, triggers and
// formulas, beyond what the schema of the CRD refuses.
func TestConformanceWebhook(t *testing.T) {
	seed, taken, refused := firstSeed(t), 0, 0
	for range *drawsFlag {
		seed++
		d := newDie(seed)
		tree := d.object("prometheus", "prometheus", "cron", "cpu")
		spec := tree["spec"].(map[string]any)
		for name, value := range map[string]any{"minReplicaCount": d.IntN(6), "maxReplicaCount": 1 + d.IntN(5), "idleReplicaCount": d.IntN(4)} {
			if d.chance(40) {
				spec[name] = value
			}
		}
		if triggers := spec["triggers"].([]any); len(triggers) > 1 && d.chance(20) {
			triggers[1].(map[string]any)["name"] = "a"
		}
		if d.chance(10) {
			spec["triggers"].([]any)[0].(map[string]any)["useCachedMetrics"] = true
		}
		mine, real, err := both(tree)
		require.NoError(t, err)
		wanted, got := webhook(real), mine.Validate()
		require.Equal(t, wanted == nil, got == nil, "seed %d: KEDA %v, ours %v", seed, wanted, got)
		if got == nil {
			taken++
		} else {
			refused++
		}
	}
	t.Logf("%d taken and %d refused, as KEDA does", taken, refused)
}

// webhook runs the checks that need no cluster.
func webhook(o *v1alpha1.ScaledObject) error {
	for _, check := range []func(*v1alpha1.ScaledObject) error{
		v1alpha1.CheckReplicaCountBoundsAreValid,
		v1alpha1.CheckFallbackValid,
		func(o *v1alpha1.ScaledObject) error { return v1alpha1.ValidateTriggers(o.Spec.Triggers) },
		modifiers,
		resources,
	} {
		if err := check(o); err != nil {
			return err
		}
	}
	return nil
}

func modifiers(o *v1alpha1.ScaledObject) error {
	if o.FallbackScalingModifiers() && (!o.IsUsingModifiers() || o.Spec.Advanced.ScalingModifiers.Formula == "") {
		return fmt.Errorf("no formula") // as verifyScaledObjects, which is private
	}
	if !o.IsUsingModifiers() {
		return nil
	}
	_, err := v1alpha1.ValidateAndCompileScalingModifiers(o)
	return err
}

// resources is what verifyCPUMemoryScalers refuses, which is private.
func resources(o *v1alpha1.ScaledObject) error {
	for _, t := range o.Spec.Triggers {
		if t.Type != "cpu" && t.Type != "memory" {
			return nil
		}
	}
	if o.Spec.MinReplicaCount == nil || *o.Spec.MinReplicaCount == 0 {
		return fmt.Errorf("cpu to zero")
	}
	return nil
}

func newMap() *sync.Map { return &sync.Map{} }
