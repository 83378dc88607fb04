package fakecluster

import (
	"fmt"
	"strconv"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/testing"
)

// reactor turns the calls of one front into verbs of the server.
type reactor struct {
	front  *testing.Fake
	server *server
	view   view
}

// react answers every call, so that client-go's own tracker is never reached.
func (r reactor) react(action testing.Action) (bool, runtime.Object, error) {
	var obj runtime.Object
	var err error
	if r.server.faults == nil && r.server.log == nil {
		r.server.mu.Lock()
		obj, err = r.answer(action)
		r.server.mu.Unlock()
	} else {
		err = r.observe(action, func() (err error) {
			obj, err = r.answer(action)
			return err
		})
	}
	if err != nil {
		// A nil of a concrete type would look like an object to the front.
		return true, nil, err
	}
	return true, obj, nil
}

// observe answers a call with its fault, if it has one, and takes it down.
func (r reactor) observe(action testing.Action, answer func() error) error {
	s := r.server
	record := Record{Call: callOf(action, s.clock.Now()), Detail: detailOf(action)}
	var fault Fault
	if s.faults != nil {
		fault = s.faults(record.Call)
	}
	if err := r.pause(fault.Latency); err != nil {
		fault = Fault{Err: err}
	}
	record.Latency = fault.Latency
	s.mu.Lock()
	defer s.mu.Unlock()
	err := fault.Err
	if err == nil || fault.Applied {
		err = answer()
		record.Applied = err == nil && record.IsWrite()
	}
	if fault.Err != nil {
		err = fault.Err
		record.Injected = true
	}
	record.Outcome = outcomeOf(err)
	s.tally.add(record)
	if s.log != nil {
		s.log.add(record)
	}
	return err
}

// pause lets latency pass. A front holds its lock while it is answered, which
// would line up all calls; during the pause it is given back.
func (r reactor) pause(latency time.Duration) error {
	if latency <= 0 {
		return nil
	}
	r.front.Unlock()
	defer r.front.Lock()
	return r.server.sleepOn(latency)
}

// answer branches on implementation types: as interfaces some actions are the same.
func (r reactor) answer(action testing.Action) (runtime.Object, error) {
	switch a := action.(type) {
	case testing.GetActionImpl:
		return r.get(a)
	case testing.ListActionImpl:
		return r.list(a)
	case testing.CreateActionImpl:
		return r.create(a)
	case testing.UpdateActionImpl:
		if len(a.UpdateOptions.DryRun) > 0 {
			return nil, noDryRun()
		}
		return r.update(a.ActionImpl, a.Object)
	case testing.PatchActionImpl:
		if len(a.PatchOptions.DryRun) > 0 {
			return nil, noDryRun()
		}
		return r.patch(a)
	case testing.DeleteActionImpl:
		return nil, r.remove(a)
	case testing.DeleteCollectionActionImpl:
		return nil, r.removeAll(a)
	}
	return nil, apierrors.NewMethodNotSupported(action.GetResource().GroupResource(), action.GetVerb())
}

func (r reactor) get(a testing.GetActionImpl) (runtime.Object, error) {
	key := types.NamespacedName{Namespace: a.Namespace, Name: a.Name}
	switch a.Subresource {
	case "", "status":
		resource, obj, err := r.server.get(a.Resource, key)
		if err != nil {
			return nil, err
		}
		return r.view.item(resource.gvk, obj)
	case "scale":
		scale, err := r.server.getScale(a.Resource, key)
		if err != nil {
			return nil, err
		}
		return r.view.item(scaleKind, scale)
	}
	return nil, unknownSubresource(a.ActionImpl)
}

func (r reactor) list(a testing.ListActionImpl) (runtime.Object, error) {
	selects, err := selection(a.ListRestrictions.Labels, a.ListRestrictions.Fields)
	if err != nil {
		return nil, err
	}
	found, err := r.server.list(a.Resource, a.Namespace, selects)
	if err != nil {
		return nil, err
	}
	items := make([]runtime.Object, len(found))
	for i, obj := range found {
		if items[i], err = r.view.item(a.Kind, obj); err != nil {
			return nil, err
		}
	}
	list, err := r.view.list(a.Kind)
	if err != nil {
		return nil, err
	}
	if err := meta.SetList(list, items); err != nil {
		return nil, fmt.Errorf("list %s: %w", a.Resource.Resource, err)
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", a.Resource.Resource, err)
	}
	accessor.SetResourceVersion(strconv.FormatUint(r.server.version, 10))
	return list, nil
}

func (r reactor) create(a testing.CreateActionImpl) (runtime.Object, error) {
	if len(a.CreateOptions.DryRun) > 0 {
		return nil, noDryRun()
	}
	switch a.Subresource {
	case "":
		resource, obj, err := r.server.create(a.Resource, a.Namespace, a.Object)
		if err != nil {
			return nil, err
		}
		return r.view.item(resource.gvk, obj)
	case "binding":
		binding, ok := a.Object.(*corev1.Binding)
		if !ok {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("expected a Binding, found %T", a.Object))
		}
		return nil, r.server.bind(a.Resource, a.Namespace, binding)
	}
	return nil, unknownSubresource(a.ActionImpl)
}

// update stores an object through the endpoint that the action names.
func (r reactor) update(a testing.ActionImpl, given runtime.Object) (runtime.Object, error) {
	var kept *resource
	var obj object
	var err error
	switch a.Subresource {
	case "":
		kept, obj, err = r.server.update(a.Resource, a.Namespace, given)
	case "status":
		kept, obj, err = r.server.updateStatus(a.Resource, a.Namespace, given)
	case "scale":
		return r.updateScale(a, given)
	default:
		err = unknownSubresource(a)
	}
	if err != nil {
		return nil, err
	}
	return r.view.item(kept.gvk, obj)
}

func (r reactor) updateScale(a testing.ActionImpl, given runtime.Object) (runtime.Object, error) {
	obj, _, err := normalize(given)
	if err != nil {
		return nil, err
	}
	scale, ok := obj.(*autoscalingv1.Scale)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("expected a Scale, found %T", obj))
	}
	if err := settleNamespace(scale, a.Namespace); err != nil {
		return nil, err
	}
	written, err := r.server.updateScale(a.Resource, keyOf(scale), scale)
	if err != nil {
		return nil, err
	}
	return r.view.item(scaleKind, written)
}

func (r reactor) remove(a testing.DeleteActionImpl) error {
	if len(a.DeleteOptions.DryRun) > 0 {
		return noDryRun()
	}
	if a.Subresource != "" {
		return unknownSubresource(a.ActionImpl)
	}
	return r.server.remove(a.Resource, types.NamespacedName{Namespace: a.Namespace, Name: a.Name}, a.DeleteOptions)
}

func (r reactor) removeAll(a testing.DeleteCollectionActionImpl) error {
	if len(a.DeleteOptions.DryRun) > 0 {
		return noDryRun()
	}
	selects, err := selection(a.ListRestrictions.Labels, a.ListRestrictions.Fields)
	if err != nil {
		return err
	}
	found, err := r.server.list(a.Resource, a.Namespace, selects)
	if err != nil {
		return err
	}
	for _, obj := range found {
		if err := r.server.remove(a.Resource, keyOf(obj), a.DeleteOptions); err != nil {
			return err
		}
	}
	return nil
}

func noDryRun() error { return apierrors.NewBadRequest("dry run is not supported") }

func unknownSubresource(a testing.ActionImpl) error {
	return apierrors.NewNotFound(a.Resource.GroupResource(), a.Subresource)
}
