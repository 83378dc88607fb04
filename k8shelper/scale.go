package k8shelper

import (
	"context"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Scale is what the scale subresource says, in pods.
type Scale struct {
	Desired         int32     // spec.replicas
	Created         int32     // status.replicas
	Selector        string    // status.selector: the pods' labels, as a query string
	ResourceVersion string    // of the target, as it was read
	UID             types.UID // of the target
}

func scaleFrom(s *autoscalingv1.Scale) Scale {
	return Scale{
		Desired: s.Spec.Replicas, Created: s.Status.Replicas, Selector: s.Status.Selector,
		ResourceVersion: s.ResourceVersion, UID: s.UID,
	}
}

// Scale reads the scale subresource of a target. A missing target, or one
// whose kind has no scale subresource, is ErrNotFound.
func (o *Ops) Scale(ctx context.Context, t Target) (Scale, error) {
	object, err := o.Resolve(t)
	if err != nil {
		return Scale{}, err
	}
	got, err := o.clients.Scales.Scales(t.Namespace).Get(ctx, object.Resource.GroupResource(), t.Name, metav1.GetOptions{})
	if err != nil {
		return Scale{}, explain("read scale of "+t.String(), err)
	}
	return scaleFrom(got), nil
}

// SetScale sets spec.replicas of a target through its scale subresource and
// returns what stands afterwards. A count that stands already is not written.
// A missing target is ErrNotFound; five lost races in a row are ErrConflict.
func (o *Ops) SetScale(ctx context.Context, t Target, replicas int32) (Scale, error) {
	object, err := o.Resolve(t)
	if err != nil {
		return Scale{}, err
	}
	client, resource := o.clients.Scales.Scales(t.Namespace), object.Resource.GroupResource()
	var stands *autoscalingv1.Scale
	err = persist(func() error {
		current, err := client.Get(ctx, resource, t.Name, metav1.GetOptions{})
		if err != nil || current.Spec.Replicas == replicas {
			stands = current
			return err
		}
		current.Spec.Replicas = replicas
		stands, err = client.Update(ctx, resource, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return Scale{}, explain(fmt.Sprintf("set scale of %s to %d", t, replicas), err)
	}
	return scaleFrom(stands), nil
}

// SetScaleAt sets spec.replicas like SetScale, but only if the target still is
// as it was read: resourceVersion is that of a Scale. If it has changed, the
// answer is ErrConflict, and nothing is tried again.
func (o *Ops) SetScaleAt(ctx context.Context, t Target, replicas int32, resourceVersion string) (Scale, error) {
	attempt := fmt.Sprintf("set scale of %s to %d at version %s", t, replicas, resourceVersion)
	if resourceVersion == "" {
		return Scale{}, invalid(attempt, "found no resource version, expected that of a scale read before")
	}
	object, err := o.Resolve(t)
	if err != nil {
		return Scale{}, err
	}
	stands, err := o.clients.Scales.Scales(t.Namespace).Update(ctx, object.Resource.GroupResource(), &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: t.Name, Namespace: t.Namespace, ResourceVersion: resourceVersion},
		Spec:       autoscalingv1.ScaleSpec{Replicas: replicas},
	}, metav1.UpdateOptions{})
	if err != nil {
		return Scale{}, explain(attempt, err)
	}
	return scaleFrom(stands), nil
}
