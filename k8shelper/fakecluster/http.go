package fakecluster

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicclient "k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
)

// maxBody is more than an object may have in etcd (1.5 MiB).
const maxBody = 3 << 20

// Handler serves the cluster over HTTP, for clients that k8shelper.Connect or
// kubectl makes: discovery, and every verb of the fronts but watch. Faults and
// the log see its calls like those of the fronts.
func (c *Cluster) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, ok := c.discover(r.URL.Path); ok {
			reply(w, http.StatusOK, answer)
			return
		}
		answer, err := c.serve(r)
		var status apierrors.APIStatus
		switch {
		case errors.As(err, &status):
			refused := status.Status()
			refused.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
			reply(w, int(refused.Code), &refused)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case r.Method == http.MethodPost:
			reply(w, http.StatusCreated, answer)
		default:
			reply(w, http.StatusOK, answer)
		}
	})
}

func reply(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer) // the client has gone: nobody to tell
}

// address is what the path of a request names.
type address struct {
	gvr         schema.GroupVersionResource
	namespace   string
	name        string
	subresource []string
}

// parsePath reads /api/v1/namespaces/shop/pods/web-1/status and the like;
// other groups are under /apis/<group>/<version>.
func parsePath(path string) (address, bool) {
	var a address
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		a.gvr.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		a.gvr.Group, a.gvr.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return a, false
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		a.namespace, parts = parts[1], parts[2:]
	}
	a.gvr.Resource = parts[0]
	if len(parts) > 1 {
		a.name = parts[1]
	}
	if len(parts) > 2 {
		a.subresource = parts[2:3]
	}
	return a, len(parts) <= 3
}

// serve answers a request for objects through the dynamic front.
func (c *Cluster) serve(r *http.Request) (any, error) {
	a, ok := parsePath(r.URL.Path)
	if !ok || !c.has(a.gvr) {
		return nil, apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, a.gvr.GroupResource(), a.name, "", 0, true)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	var client dynamicclient.ResourceInterface = c.Dynamic.Resource(a.gvr)
	if a.namespace != "" {
		client = c.Dynamic.Resource(a.gvr).Namespace(a.namespace)
	}
	switch {
	case r.Method == http.MethodGet && a.name == "":
		return list(r, client, a)
	case r.Method == http.MethodGet:
		return client.Get(r.Context(), a.name, metav1.GetOptions{}, a.subresource...)
	case r.Method == http.MethodPatch:
		return client.Patch(r.Context(), a.name, types.PatchType(mediaType(r)), body, metav1.PatchOptions{}, a.subresource...)
	case r.Method == http.MethodDelete && a.name != "":
		options, err := decodeOptions(body)
		if err != nil {
			return nil, err
		}
		return &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess},
			client.Delete(r.Context(), a.name, options, a.subresource...)
	case r.Method == http.MethodPost, r.Method == http.MethodPut:
		obj, err := decodeObject(body)
		if err != nil {
			return nil, err
		}
		if r.Method == http.MethodPost {
			return client.Create(r.Context(), obj, metav1.CreateOptions{}, a.subresource...)
		}
		return client.Update(r.Context(), obj, metav1.UpdateOptions{}, a.subresource...)
	}
	return nil, apierrors.NewMethodNotSupported(a.gvr.GroupResource(), strings.ToLower(r.Method))
}

// list refuses what the fake client would panic on, and watches.
func list(r *http.Request, client dynamicclient.ResourceInterface, a address) (any, error) {
	query := r.URL.Query()
	if watch := query.Get("watch"); watch == "true" || watch == "1" {
		return nil, apierrors.NewMethodNotSupported(a.gvr.GroupResource(), "watch")
	}
	options := metav1.ListOptions{LabelSelector: query.Get("labelSelector"), FieldSelector: query.Get("fieldSelector")}
	if _, err := labels.Parse(options.LabelSelector); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if _, err := fields.ParseSelector(options.FieldSelector); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return client.List(r.Context(), options)
}

// has says whether the cluster has a resource in that version.
func (c *Cluster) has(gvr schema.GroupVersionResource) bool {
	return c.listKinds[gvr] != ""
}

func mediaType(r *http.Request) string {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(kind)
}

// decodeObject reads JSON, or the protobuf that typed clients send.
func decodeObject(body []byte) (*unstructured.Unstructured, error) {
	if json.Valid(body) {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(body); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return u, nil
	}
	obj, gvk, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(*gvk)
	return u, nil
}

func decodeOptions(body []byte) (metav1.DeleteOptions, error) {
	var options metav1.DeleteOptions
	if len(body) == 0 {
		return options, nil
	}
	if err := runtime.DecodeInto(scheme.Codecs.UniversalDeserializer(), body, &options); err != nil {
		return options, apierrors.NewBadRequest(err.Error())
	}
	return options, nil
}
