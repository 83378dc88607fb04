package fakecluster

import (
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/testing"
)

// historyLimit is how many changes can be caught up on.
const historyLimit = 1024

// history is what happened last, and who is told what happens next.
type history struct {
	changes  []change // ordered by version
	dropped  uint64   // the newest version that is no longer among them
	watchers map[*watcher]bool
}

// change is a new version of an object. There is no old one of a created
// object and no new one of a deleted object.
type change struct {
	resource *resource
	version  uint64
	old, now object
}

// selector picks objects by labels, and by name and namespace.
type selector struct {
	labels labels.Selector
	fields fields.Selector // nil: all
}

// selection makes a selector. Label selectors come parsed: client-go panics on
// one it cannot read.
func selection(byLabels labels.Selector, byFields fields.Selector) (selector, error) {
	if byFields == nil || byFields.Empty() {
		return selector{labels: byLabels}, nil
	}
	for _, requirement := range byFields.Requirements() {
		if requirement.Field != metav1.ObjectNameField && requirement.Field != "metadata.namespace" {
			return selector{}, apierrors.NewBadRequest("field label not supported: " + requirement.Field)
		}
	}
	return selector{labels: byLabels, fields: byFields}, nil
}

func (s selector) matches(obj object) bool {
	if s.fields != nil && !s.fields.Matches(fields.Set{
		metav1.ObjectNameField: obj.GetName(), "metadata.namespace": obj.GetNamespace(),
	}) {
		return false
	}
	return s.labels.Matches(labels.Set(obj.GetLabels()))
}

// reactWatch opens a watch.
func (r reactor) reactWatch(action testing.Action) (bool, watch.Interface, error) {
	var w *watcher
	err := r.observe(action, func() (err error) {
		w, err = r.watch(action)
		return err
	})
	if err != nil {
		if w != nil {
			// The watch stands, but its answer was lost.
			w.stop()
		}
		return true, nil, err
	}
	go w.run()
	return true, w, nil
}

// watch subscribes to the changes after the version that is asked for. Without
// one, or with "0", it begins with the objects there are.
func (r reactor) watch(action testing.Action) (*watcher, error) {
	h := r.server.history
	a, ok := action.(testing.WatchActionImpl)
	if h == nil || !ok {
		return nil, apierrors.NewMethodNotSupported(action.GetResource().GroupResource(), action.GetVerb())
	}
	if _, err := r.server.find(a.Resource); err != nil {
		return nil, err
	}
	selects, err := selection(a.WatchRestrictions.Labels, a.WatchRestrictions.Fields)
	if err != nil {
		return nil, err
	}
	w := newWatcher(r.server, r.view, a, selects)
	version := a.WatchRestrictions.ResourceVersion
	if version == "" || version == "0" {
		err = w.sendExisting(a)
	} else {
		err = w.catchUp(h, version)
	}
	if err != nil {
		return nil, err
	}
	if h.watchers == nil {
		h.watchers = map[*watcher]bool{}
	}
	h.watchers[w] = true
	return w, nil
}

// publish remembers a change and tells everybody who watches.
func (s *server) publish(c change) {
	h := s.history
	h.changes = append(h.changes, c)
	if len(h.changes) > historyLimit {
		h.dropped = h.changes[0].version
		h.changes[0] = change{}
		h.changes = h.changes[1:]
	}
	for w := range h.watchers {
		w.tell(c)
	}
}

// watcher is one open watch. What it is told waits in a queue, so that a slow
// reader holds nobody up.
type watcher struct {
	server    *server
	view      view
	resource  schema.GroupResource
	namespace string
	selects   selector

	mu     sync.Mutex
	queue  []watch.Event
	wake   chan struct{} // has room for one
	out    chan watch.Event
	done   chan struct{}
	closed sync.Once
}

func newWatcher(s *server, v view, a testing.WatchActionImpl, selects selector) *watcher {
	return &watcher{
		server: s, view: v, resource: a.Resource.GroupResource(), namespace: a.Namespace, selects: selects,
		wake: make(chan struct{}, 1), out: make(chan watch.Event), done: make(chan struct{}),
	}
}

// sendExisting queues the objects there are, and the mark of their end if it
// is asked for.
func (w *watcher) sendExisting(a testing.WatchActionImpl) error {
	found, err := w.server.list(a.Resource, w.namespace, w.selects)
	if err != nil {
		return err
	}
	r := w.server.resources[w.resource]
	for _, obj := range found {
		w.push(watch.Added, r, obj)
	}
	if r != nil && a.ListOptions.SendInitialEvents != nil && *a.ListOptions.SendInitialEvents {
		w.push(watch.Bookmark, r, w.server.bookmark(r))
	}
	return nil
}

// catchUp queues what has changed since a version, which must be in the history.
func (w *watcher) catchUp(h *history, version string) error {
	since, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return apierrors.NewBadRequest("invalid resource version " + strconv.Quote(version))
	}
	if since < h.dropped {
		return apierrors.NewResourceExpired("too old resource version: " + version)
	}
	for _, c := range h.changes {
		if c.version > since {
			w.tell(c)
		}
	}
	return nil
}

// tell queues a change, if it concerns the watch. An object that no longer
// matches the selector goes, and one that matches now comes.
func (w *watcher) tell(c change) {
	if c.resource.gvr.GroupResource() != w.resource {
		return
	}
	before, after := w.concerns(c.old), w.concerns(c.now)
	switch {
	case before && after:
		w.push(watch.Modified, c.resource, c.now)
	case after:
		w.push(watch.Added, c.resource, c.now)
	case before:
		last := shallow(c.old)
		last.SetResourceVersion(strconv.FormatUint(c.version, 10))
		w.push(watch.Deleted, c.resource, last)
	}
}

func (w *watcher) concerns(obj object) bool {
	return obj != nil && (w.namespace == "" || obj.GetNamespace() == w.namespace) && w.selects.matches(obj)
}

func (w *watcher) push(kind watch.EventType, r *resource, obj runtime.Object) {
	item, err := w.view.item(r.gvk, obj)
	if err != nil {
		status := apierrors.NewInternalError(err).Status()
		kind, item = watch.Error, &status
	}
	w.mu.Lock()
	w.queue = append(w.queue, watch.Event{Type: kind, Object: item})
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // it will look at the whole queue anyway
	}
}

// run hands out the queue until the watch is stopped.
func (w *watcher) run() {
	defer close(w.out)
	for {
		w.mu.Lock()
		waiting := w.queue
		w.queue = nil
		w.mu.Unlock()
		for _, event := range waiting {
			select {
			case w.out <- event:
			case <-w.done:
				return
			}
		}
		select {
		case <-w.wake:
		case <-w.done:
			return
		}
	}
}

// ResultChan is where the events come. It is closed after Stop.
func (w *watcher) ResultChan() <-chan watch.Event { return w.out }

// Stop ends the watch.
func (w *watcher) Stop() {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	w.stop()
}

func (w *watcher) stop() {
	delete(w.server.history.watchers, w)
	w.closed.Do(func() { close(w.done) })
}

// bookmark is an object of a kind that says only how far the watch has come.
func (s *server) bookmark(r *resource) runtime.Object {
	obj, err := apiTypes().New(r.gvk)
	if err != nil {
		obj = newCustom(r.gvk)
	}
	mark := obj.(object)
	mark.SetResourceVersion(strconv.FormatUint(s.version, 10))
	mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	return mark
}
