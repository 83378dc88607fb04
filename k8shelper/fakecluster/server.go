package fakecluster

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/clock"
)

// nameAttempts is how often the API server tries a generated name.
const nameAttempts = 8

// server is the state behind the fronts. Its verbs take ownership of the
// objects given and return stored ones, which the caller must not change.
type server struct {
	clock  clock.PassiveClock
	scales map[schema.GroupResource]*ScalePaths // of custom resources
	faults Faults                               // nil: none
	log    *callLog                             // nil: none

	mu        sync.Mutex
	tally     Tally
	history   *history // nil: no watches
	resources map[schema.GroupResource]*resource
	version   uint64 // the newest resourceVersion
	uids      uint64 // UIDs given out
	names     uint64 // generated names given out
	events    []expiry
}

// resource is the objects of one kind, in the version they are stored in.
type resource struct {
	gvr     schema.GroupVersionResource
	gvk     schema.GroupVersionKind
	objects map[types.NamespacedName]object
}

// find returns the resource, or nil if nothing of it was ever stored. A version
// other than the stored one is not served. Only the scale client names none.
func (s *server) find(gvr schema.GroupVersionResource) (*resource, error) {
	r := s.resources[gvr.GroupResource()]
	if r != nil && gvr.Version != "" && gvr.Version != r.gvr.Version {
		return nil, apierrors.NewGenericServerResponse(http.StatusNotFound, "get", gvr.GroupResource(), "", "", 0, false)
	}
	return r, nil
}

func (s *server) get(gvr schema.GroupVersionResource, key types.NamespacedName) (*resource, object, error) {
	r, err := s.find(gvr)
	if err != nil {
		return nil, nil, err
	}
	if r != nil {
		if obj := r.objects[key]; obj != nil {
			return r, obj, nil
		}
	}
	return nil, nil, apierrors.NewNotFound(gvr.GroupResource(), key.Name)
}

// list returns the objects of a namespace, or of all with "", that a selector
// matches, ordered by namespace and name.
func (s *server) list(gvr schema.GroupVersionResource, namespace string, selects selector) ([]object, error) {
	r, err := s.find(gvr)
	if r == nil || err != nil {
		return nil, err
	}
	var found []object
	for key, obj := range r.objects {
		if (namespace == "" || key.Namespace == namespace) && selects.matches(obj) {
			found = append(found, obj)
		}
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if a.GetNamespace() != b.GetNamespace() {
			return a.GetNamespace() < b.GetNamespace()
		}
		return a.GetName() < b.GetName()
	})
	return found, nil
}

// seed stores an object of Options.
func (s *server) seed(obj runtime.Object) error {
	stored, gvk, err := normalize(obj.DeepCopyObject())
	if err != nil {
		return err
	}
	stored.SetResourceVersion("")
	withStatus := shallow(stored)
	_, created, err := s.create(plural(gvk), stored.GetNamespace(), stored)
	if err != nil {
		return err
	}
	// A manifest may come with a status, as from kubectl get; a client's Create
	// would lose it.
	setStatus(created, withStatus)
	setDefaults(created)
	return nil
}

// put stores an object with its status, new or in place of an old one.
func (s *server) put(given runtime.Object) error {
	obj, gvk, err := normalize(given.DeepCopyObject())
	if err != nil {
		return err
	}
	gvr, namespace := plural(gvk), obj.GetNamespace()
	obj.SetResourceVersion("")
	obj.SetUID("")
	status := shallow(obj)
	_, old, err := s.get(gvr, keyOf(obj))
	switch {
	case apierrors.IsNotFound(err):
		_, old, err = s.create(gvr, namespace, obj)
	case err == nil:
		obj.SetResourceVersion(old.GetResourceVersion())
		_, old, err = s.update(gvr, namespace, obj)
	}
	if err != nil || !hasStatus(status) {
		return err
	}
	status.SetName(old.GetName())
	status.SetResourceVersion(old.GetResourceVersion())
	_, _, err = s.updateStatus(gvr, namespace, status)
	return err
}

// create stores a new object.
func (s *server) create(gvr schema.GroupVersionResource, namespace string, given runtime.Object) (*resource, object, error) {
	obj, gvk, err := normalize(given)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.find(gvr)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		r = &resource{gvr: gvr, gvk: gvk, objects: map[types.NamespacedName]object{}}
	}
	if gvk != r.gvk {
		return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("%s holds %s, found %s", gvr.Resource, r.gvk, gvk))
	}
	if obj.GetResourceVersion() != "" {
		return nil, nil, apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	if err := settleNamespace(obj, namespace); err != nil {
		return nil, nil, err
	}
	if err := s.settleName(r, obj); err != nil {
		return nil, nil, err
	}
	key := keyOf(obj)
	if r.objects[key] != nil {
		return nil, nil, apierrors.NewAlreadyExists(gvr.GroupResource(), key.Name)
	}
	s.uids++
	obj.SetUID(uid(s.uids))
	obj.SetCreationTimestamp(s.now())
	obj.SetDeletionTimestamp(nil)
	obj.SetDeletionGracePeriodSeconds(nil)
	obj.SetGeneration(0)
	if hasSpec(obj) {
		obj.SetGeneration(1)
	}
	clearStatus(obj)
	setDefaults(obj)
	s.resources[gvr.GroupResource()] = r
	s.store(r, key, obj)
	if _, ok := obj.(*corev1.Event); ok {
		s.expireEvents(r, key)
	}
	return r, obj, nil
}

// update stores everything of an object but its status. A write that changes
// nothing keeps the version.
func (s *server) update(gvr schema.GroupVersionResource, namespace string, given runtime.Object) (*resource, object, error) {
	r, obj, old, err := s.prepare(gvr, namespace, given)
	if err != nil {
		return nil, nil, err
	}
	obj.SetUID(old.GetUID())
	obj.SetCreationTimestamp(old.GetCreationTimestamp())
	obj.SetDeletionTimestamp(old.GetDeletionTimestamp())
	obj.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	obj.SetGeneration(old.GetGeneration())
	obj.SetResourceVersion(old.GetResourceVersion())
	setStatus(obj, old)
	setDefaults(obj)
	spec, rest := compare(obj, old)
	if !spec && !rest {
		return r, old, nil
	}
	if spec {
		obj.SetGeneration(old.GetGeneration() + 1)
	}
	s.store(r, keyOf(obj), obj)
	return r, obj, nil
}

// updateStatus stores the status of an object and nothing else of it.
func (s *server) updateStatus(gvr schema.GroupVersionResource, namespace string, given runtime.Object) (*resource, object, error) {
	r, obj, old, err := s.prepare(gvr, namespace, given)
	if err != nil {
		return nil, nil, err
	}
	if !hasStatus(obj) {
		return nil, nil, apierrors.NewNotFound(gvr.GroupResource(), obj.GetName())
	}
	if sameStatus(obj, old) {
		return r, old, nil
	}
	changed := shallow(old)
	setStatus(changed, obj)
	s.store(r, keyOf(old), changed)
	return r, changed, nil
}

// prepare finds the stored object that a write is about and checks the
// preconditions the write carries.
func (s *server) prepare(gvr schema.GroupVersionResource, namespace string, given runtime.Object) (*resource, object, object, error) {
	obj, gvk, err := normalize(given)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := settleNamespace(obj, namespace); err != nil {
		return nil, nil, nil, err
	}
	r, old, err := s.get(gvr, keyOf(obj))
	if err != nil {
		return nil, nil, nil, err
	}
	if gvk != r.gvk {
		return nil, nil, nil, apierrors.NewBadRequest(fmt.Sprintf("%s holds %s, found %s", gvr.Resource, r.gvk, gvk))
	}
	if _, custom := obj.(*unstructured.Unstructured); custom && obj.GetResourceVersion() == "" {
		return nil, nil, nil, apierrors.NewInvalid(gvk.GroupKind(), obj.GetName(), field.ErrorList{field.Invalid(
			field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update")})
	}
	if err := checkPreconditions(gvr.GroupResource(), old, obj.GetUID(), obj.GetResourceVersion()); err != nil {
		return nil, nil, nil, err
	}
	return r, obj, old, nil
}

// store makes obj the newest version of its key.
func (s *server) store(r *resource, key types.NamespacedName, obj object) {
	s.version++
	obj.SetResourceVersion(strconv.FormatUint(s.version, 10))
	if s.history != nil {
		s.publish(change{resource: r, version: s.version, old: r.objects[key], now: obj})
	}
	r.objects[key] = obj
}

// drop removes the object of a key.
func (s *server) drop(r *resource, key types.NamespacedName) {
	s.version++
	if s.history != nil {
		s.publish(change{resource: r, version: s.version, old: r.objects[key]})
	}
	delete(r.objects, key)
}

// now is the clock's instant in the API's resolution of one second.
func (s *server) now() metav1.Time { return metav1.NewTime(s.clock.Now().UTC().Truncate(time.Second)) }
