package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/traffic"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Manifests are Kubernetes objects by file or inline: a list of paths, relative
// to the scenario, and of mappings; or one mapping.
type Manifests []Manifest

// Manifest is one entry of Manifests: a file, or an object written in place.
type Manifest struct {
	Path   string
	Inline *strict.Node
	at     *strict.Node
	object any // what a Resolved scenario shows
}

// DecodeNode reads the list.
func (m *Manifests) DecodeNode(n *strict.Node, report *strict.Problems) {
	*m = nil
	switch {
	case n.Kind == strict.Map:
		*m = Manifests{{Inline: n, at: n}}
		return
	case n.Kind != strict.List:
		report.Addf(n, "found %s, expected a list of files and manifests", n.Found())
		return
	case len(n.Items) == 0:
		report.Addf(n, "found an empty list, expected a list of files and manifests")
	}
	for _, item := range n.Items {
		switch item.Kind {
		case strict.String:
			*m = append(*m, Manifest{Path: item.Text, at: item})
		case strict.Map:
			*m = append(*m, Manifest{Inline: item, at: item})
		default:
			report.Addf(item, "found %s, expected a file or a manifest", item.Found())
		}
	}
}

// EncodeValue writes the list.
func (m Manifests) EncodeValue() any {
	list := make([]any, len(m))
	for i, manifest := range m {
		list[i] = plainObject(manifest.object)
	}
	return list
}

// JSONSchema describes the list.
func (Manifests) JSONSchema() map[string]any {
	object := map[string]any{"type": "object"}
	item := map[string]any{"anyOf": []any{map[string]any{"type": "string"}, object}}
	return map[string]any{"anyOf": []any{object, map[string]any{"type": "array", "minItems": 1, "items": item}}}
}

// plainObject is an API object as it is written by hand: without status, nulls
// and a creation timestamp.
func plainObject(object any) any {
	raw, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("scenarios: a decoded manifest cannot be written: %v", err))
	}
	var fields map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber() // keeps whole numbers whole
	if err := decoder.Decode(&fields); err != nil {
		panic(fmt.Sprintf("scenarios: a written manifest cannot be read: %v", err))
	}
	delete(fields, "status")
	dropNulls(fields)
	return fields
}

func dropNulls(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if inner == nil {
				delete(v, key)
				continue
			}
			dropNulls(inner)
		}
	case []any:
		for _, inner := range v {
			dropNulls(inner)
		}
	}
}

// Patch is a JSON merge patch.
type Patch struct{ node *strict.Node }

// DecodeNode keeps the patch as it is written.
func (p *Patch) DecodeNode(n *strict.Node, report *strict.Problems) {
	if n.Kind != strict.Map {
		report.Addf(n, "found %s, expected a mapping", n.Found())
		return
	}
	p.node = n
}

// JSONSchema describes the patch.
func (Patch) JSONSchema() map[string]any { return map[string]any{"type": "object"} }

// kind is an API object that scenarios know.
type kind struct {
	name       string
	apiVersion string
	make       func() metav1.Object
}

var (
	deploymentKind = kind{"Deployment", "apps/v1", func() metav1.Object { return &appsv1.Deployment{} }}
	serviceKind    = kind{"Service", "v1", func() metav1.Object { return &corev1.Service{} }}
	hpaKind        = kind{"HorizontalPodAutoscaler", "autoscaling/v2", func() metav1.Object { return &autoscalingv2.HorizontalPodAutoscaler{} }}
	elastiKind     = kind{"ElastiService", "elasti.truefoundry.com/v1alpha1", func() metav1.Object { return &elasti.ElastiService{} }}
	kedaKind       = kind{keda.Kind, keda.APIVersion, func() metav1.Object { return &keda.ScaledObject{} }}
	httpKind       = kind{httpaddon.Kind, httpaddon.APIVersion, func() metav1.Object { return &httpaddon.HTTPScaledObject{} }}
	routeKind      = kind{httpaddon.RouteKind, httpaddon.RouteAPIVersion, func() metav1.Object { return &httpaddon.InterceptorRoute{} }}
	knativeKind    = kind{"Service", knative.APIVersion, func() metav1.Object { return &knative.ServiceManifest{} }}
	revisionKind   = kind{"Revision", knative.APIVersion, func() metav1.Object { return &knative.RevisionManifest{} }}
	configMapKind  = kind{"ConfigMap", "v1", func() metav1.Object { return &corev1.ConfigMap{} }}
)

// manifestOptions decode API objects. The bounds on quantities keep absurd
// exponents away from arbitrary-precision arithmetic.
var manifestOptions = strict.Options{
	Style: strict.JSON,
	Scalars: map[reflect.Type]strict.Scalar{
		reflect.TypeFor[resource.Quantity](): {
			Expect: "a quantity such as 500m or 1Gi",
			Accept: regexp.MustCompile(`^[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?$`),
		},
		reflect.TypeFor[metav1.Time](): {Expect: "an instant such as 2026-01-05T00:00:00Z"},
	},
}

// object is a decoded manifest and where it was written.
type object struct {
	metav1.Object
	kind kind
	node *strict.Node
}

// documents reads the manifests of a list, without decoding them. There are
// none if any file cannot be read: half a list would raise false alarms.
func (l *loader) documents(list Manifests) []*strict.Node {
	var docs []*strict.Node
	complete := true
	for _, manifest := range list {
		if manifest.Inline != nil {
			docs = append(docs, manifest.Inline)
			continue
		}
		read := l.file(manifest)
		complete = complete && len(read) > 0
		docs = append(docs, read...)
	}
	if !complete {
		return nil
	}
	return docs
}

// file reads one file of manifests, once per scenario.
func (l *loader) file(m Manifest) []*strict.Node {
	if docs, known := l.files[m.Path]; known {
		return docs
	}
	src, err := readAll(l.open, m.Path)
	var docs []*strict.Node
	if err != nil {
		l.problems.Addf(m.at, "found %s, which %s, expected a file of manifests", strict.Shown(m.Path), err)
	} else {
		var problems strict.Problems
		docs, problems = strict.ParseAll(l.beside(m.Path), src)
		l.problems = append(l.problems, problems...)
		if len(docs) == 0 && len(problems) == 0 {
			l.problems.Addf(m.at, "found %s, which is empty, expected a file of manifests", strict.Shown(m.Path))
		}
	}
	l.files[m.Path] = docs
	return docs
}

// readAll reads a file; its errors continue a sentence about the file.
func readAll(open traffic.Opener, path string) ([]byte, error) {
	f, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("does not exist")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot be opened (%w)", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w)", err)
	}
	return src, nil
}

// decode makes an API object of a manifest that must be of one of the kinds;
// the result is nil when something is wrong with it.
func (l *loader) decode(n *strict.Node, allowed ...kind) *object {
	if n.Kind != strict.Map {
		l.problems.Addf(n, "found %s, expected a manifest", n.Found())
		return nil
	}
	var names []string
	for _, k := range allowed {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
	}
	written, version := n.Get("kind"), n.Get("apiVersion")
	if written == nil {
		l.problems.Addf(n.Locate("kind"), "found nothing, expected %s", oneOf(names))
		return nil
	}
	var versions []string // of the kinds of that name
	for _, k := range allowed {
		if written.Kind != strict.String || written.Text != k.name {
			continue
		}
		if version != nil && version.Text == k.apiVersion {
			return l.decodeAs(n, k)
		}
		versions = append(versions, k.apiVersion)
	}
	if len(versions) > 0 {
		at := n.Locate("apiVersion")
		l.problems.Addf(at, "found %s, expected %s for the kind %s", at.Found(), strings.Join(versions, " or "), written.Text)
		return nil
	}
	l.problems.Addf(written, "found %s, expected %s%s", written.Found(), oneOf(names), strict.DidYouMean(written.Text, names))
	return nil
}

// oneOf lists alternatives.
func oneOf(names []string) string {
	if len(names) > 2 {
		return "one of " + strings.Join(names, ", ")
	}
	return strings.Join(names, " or ")
}

func (l *loader) decodeAs(n *strict.Node, k kind) *object {
	made := k.make()
	problems := strict.Decode(n, made, manifestOptions)
	l.problems = append(l.problems, problems...)
	if len(problems) > 0 {
		return nil
	}
	return &object{Object: made, kind: k, node: n}
}
