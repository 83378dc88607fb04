package scenarios

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/cluster"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// oracle is the strategy that every scenario has.
const oracle = "oracle"

// maxAutoscalers bounds the strategies of one scenario.
const maxAutoscalers = 1000

// strategy is what an entry of the autoscalers section comes to.
type strategy struct {
	name       string
	replicas   *int32
	oracle     bool
	serverless *cluster.Serverless
	unlisted   bool // the scenario does not name it
	hpa        *autoscalingv2.HorizontalPodAutoscaler
	elasti     *elasti.ElastiService
	keda       *keda.ScaledObject
	http       []any // manifests of the HTTP add-on
	made       bool  // keda was made of them
	knative    *revision
	// behaviour is which KubeElasti runs it; "" is that of the scenario.
	behaviour string
	manifest  string // all of it, as YAML
}

var strategyName = regexp.MustCompile(strategyNamePattern)

const strategyNamePattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`

// readStrategies resolves every entry of the section.
func (l *loader) readStrategies() {
	section := l.root.Get("autoscalers")
	if section == nil || section.Kind != strict.Map {
		return
	}
	if n := len(section.Fields); n > maxAutoscalers {
		l.problems.Addf(section, "found %d autoscalers, expected at most %d", n, maxAutoscalers)
		return
	}
	m := merger{loader: l, done: map[string][]*strict.Node{}}
	for _, entry := range l.doc.Autoscalers {
		at := section.Get(entry.Name)
		if !strategyName.MatchString(entry.Name) {
			l.problems.Addf(at, "found the name %s, expected letters, digits, dots, dashes and underscores", strict.Shown(entry.Name))
		}
		if l.problems.Below(at.Path()) || !l.checkChoice(entry.Name, entry.Value, at) {
			continue
		}
		l.strategies = append(l.strategies, l.strategy(entry, m.documents(entry.Name)))
	}
}

// checkChoice holds an entry to exactly one way of scaling.
func (l *loader) checkChoice(name string, a Autoscaler, at *strict.Node) bool {
	var given []string
	for _, key := range at.Keys() {
		if key != "patch" && key != "behaviour" && key != "containerConcurrency" {
			given = append(given, key)
		}
	}
	known := len(l.problems)
	switch {
	case name == oracle:
		if len(at.Keys()) > 0 && !(a.Oracle && len(at.Keys()) == 1) {
			l.problems.Addf(at, "found %s, expected {} or {oracle: true}: the name is taken", strings.Join(at.Keys(), " and "))
		}
	case len(given) == 0:
		l.problems.Addf(at, "found nothing to scale with, expected one of manifests, annotations, replicas, oracle, serverless, extends")
	case len(given) > 1:
		l.problems.Addf(at, "found %s, expected exactly one of manifests, annotations, replicas, oracle, serverless, extends", strings.Join(given, " and "))
	case a.Patch.node != nil && a.Extends == "":
		l.problems.Addf(at.Get("patch"), "found a patch without extends, expected the autoscaler that it changes")
	case at.Get("extends") != nil && a.Patch.node == nil && a.Behaviour == "":
		l.problems.Addf(at.Locate("patch"), "found nothing, expected what differs from %s", strict.Shown(a.Extends))
	case at.Get("containerConcurrency") != nil && at.Get("annotations") == nil:
		l.problems.Addf(at.Get("containerConcurrency"), "found it without annotations, expected it beside those of a Knative revision")
	case at.Get("oracle") != nil && !a.Oracle:
		l.problems.Addf(at.Get("oracle"), "found false, expected true")
	}
	return len(l.problems) == known
}

// merger resolves extends: manifests as trees, before they are decoded.
type merger struct {
	*loader
	done map[string][]*strict.Node
	open []string // the chain being resolved, to notice cycles
}

// documents are the manifests of an autoscaler after its patch.
func (m *merger) documents(name string) []*strict.Node {
	if docs, known := m.done[name]; known {
		return docs
	}
	a, _ := m.doc.Autoscalers.Get(name)
	docs := m.loader.documents(a.Manifests)
	if a.Extends != "" {
		m.open = append(m.open, name)
		docs = m.patched(a, m.root.Get("autoscalers").Get(name))
		m.open = m.open[:len(m.open)-1]
	}
	m.done[name] = docs
	return docs
}

func (m *merger) patched(a Autoscaler, at *strict.Node) []*strict.Node {
	from := at.Get("extends")
	base, known := m.doc.Autoscalers.Get(a.Extends)
	switch {
	case !known:
		names := m.root.Get("autoscalers").Keys()
		m.problems.Addf(from, "found %s, expected the name of an autoscaler%s", strict.Shown(a.Extends), strict.DidYouMean(a.Extends, names))
		return nil
	case slices.Contains(m.open, a.Extends):
		cycle := append(slices.Clone(m.open[slices.Index(m.open, a.Extends):]), a.Extends)
		m.problems.Addf(from, "found a cycle (%s), expected it to end", strings.Join(cycle, " extends "))
		return nil
	case len(base.Manifests) == 0 && base.Extends == "":
		m.problems.Addf(from, "found %s, which has no manifests, expected an autoscaler with manifests", strict.Shown(a.Extends))
		return nil
	}
	docs := slices.Clone(m.documents(a.Extends))
	if a.Patch.node == nil || len(docs) == 0 {
		return docs
	}
	if i := m.target(docs, a.Patch.node); i >= 0 {
		docs[i] = strict.Merge(docs[i], a.Patch.node)
	}
	return docs
}

// target is the manifest that a patch is for: the one of its kind, or the only
// one; -1 after reporting that there is none.
func (m *merger) target(docs []*strict.Node, patch *strict.Node) int {
	var kinds []string
	for _, doc := range docs {
		if k := doc.Get("kind"); k != nil {
			kinds = append(kinds, k.Text)
		}
	}
	wanted := patch.Get("kind")
	switch {
	case wanted == nil && len(docs) == 1:
		return 0
	case wanted == nil:
		m.problems.Addf(patch.Locate("kind"), "found nothing, expected %s: there are %d manifests", strings.Join(kinds, " or "), len(docs))
		return -1
	}
	i := slices.IndexFunc(docs, func(doc *strict.Node) bool { return doc.Get("kind") != nil && doc.Get("kind").Text == wanted.Text })
	if i < 0 {
		m.problems.Addf(wanted, "found %s, expected %s%s", wanted.Found(), strings.Join(kinds, " or "), strict.DidYouMean(wanted.Text, kinds))
	}
	return i
}

// strategy decodes and checks the manifests of one entry.
func (l *loader) strategy(entry strict.Named[Autoscaler], docs []*strict.Node) strategy {
	s := strategy{
		name: entry.Name, replicas: entry.Value.Replicas,
		oracle:    entry.Value.Oracle || entry.Name == oracle,
		behaviour: l.behaviour(entry.Value),
	}
	if platform := entry.Value.Serverless; platform != nil {
		l.owner(l.root.Get("autoscalers").Get(entry.Name).Get("serverless").Path(), platform.Validate)
		l.refuseConsumption(l.root.Get("autoscalers").Get(entry.Name).Get("serverless"), "a serverless platform")
		filled := platform.WithDefaults()
		s.serverless = &filled
	}
	at := l.root.Get("autoscalers").Get(entry.Name)
	m := l.sort(docs)
	if m[hpaKind.name] != nil {
		s.hpa = l.readHPA(m[hpaKind.name])
	}
	if m[elastiKind.name] != nil {
		s.elasti = l.readElasti(m[elastiKind.name], docs)
	} else if at := at.Get("behaviour"); at != nil {
		l.problems.Addf(at, "found %s without an ElastiService that it could be the behaviour of", at.Found())
	}
	switch {
	case m[httpKind.name] != nil || m[routeKind.name] != nil:
		l.readHTTP(&s, m)
	case m[kedaKind.name] != nil:
		s.keda = l.readKeda(m[kedaKind.name], m)
	}
	if entry.Value.Annotations != nil || m.isRevision() {
		l.refuseConsumption(at, "a revision of Knative")
		l.readKnative(&s, entry.Value, at, m)
	}
	return s
}

// manifests are the objects of an autoscaler, by the name of their kind.
type manifests map[string]*object

// sort decodes the manifests of an autoscaler.
func (l *loader) sort(docs []*strict.Node) manifests {
	m := manifests{}
	for _, doc := range docs {
		o := l.decode(doc, hpaKind, elastiKind, kedaKind, httpKind, routeKind, knativeKind, revisionKind, configMapKind)
		switch {
		case o == nil:
		case m[o.kind.name] != nil:
			l.problems.Addf(doc.Get("kind"), "found a second %s, expected one", o.kind.name)
		default:
			m[o.kind.name] = o
		}
	}
	return m
}

// behaviour is the one given, or that of the autoscaler it extends.
func (l *loader) behaviour(a Autoscaler) string {
	for range l.doc.Autoscalers { // no chain is longer; cycles are reported elsewhere
		if a.Behaviour != "" {
			break
		}
		a, _ = l.doc.Autoscalers.Get(a.Extends)
	}
	return a.Behaviour
}

// kubernetes is the version that manifests are applied to; for one that is
// reported already, the newest.
func (l *loader) kubernetes() hpa.Version {
	if l.problems.Below("kubernetesVersion") {
		return ""
	}
	return hpa.Version(l.doc.KubernetesVersion)
}

func (l *loader) readHPA(o *object) *autoscalingv2.HorizontalPodAutoscaler {
	manifest := o.Object.(*autoscalingv2.HorizontalPodAutoscaler)
	if !l.fieldErrors(o.node, l.kubernetes().Validate(manifest)) {
		return nil
	}
	manifest = l.kubernetes().Defaults(manifest)
	ref := manifest.Spec.ScaleTargetRef
	l.checkTarget(o, cmp.Or(ref.APIVersion, "apps/v1"), ref.Kind, ref.Name)
	l.checkHPAMetrics(o.node, manifest)
	manifest.Namespace = cmp.Or(manifest.Namespace, metav1.NamespaceDefault)
	return manifest
}

func (l *loader) readElasti(o *object, docs []*strict.Node) *elasti.ElastiService {
	manifest := o.Object.(*elasti.ElastiService)
	l.refuseConsumption(o.node.Get("kind"), "an ElastiService")
	if err := manifest.Validate(); err != nil {
		l.invalid(err, o.node.Locate)
		return nil
	}
	ref := manifest.Spec.ScaleTargetRef
	if ref.Kind == "deployments" { // KubeElasti's older way to write it
		ref.Kind = deploymentKind.name
	}
	l.checkTarget(o, ref.APIVersion, ref.Kind, ref.Name)
	l.checkService(o.node.Locate("spec.service"), manifest.Spec.Service)
	l.checkElastiMetrics(o.node, manifest)
	if scales := manifest.Spec.Autoscaler; scales != nil {
		l.checkPartner(o.node, scales, docs)
	}
	manifest.Namespace = cmp.Or(manifest.Namespace, metav1.NamespaceDefault)
	return manifest
}

// checkPartner holds the reference of an ElastiService against the HPA beside it.
func (l *loader) checkPartner(n *strict.Node, ref *elasti.AutoscalerRef, docs []*strict.Node) {
	at := n.Locate("spec.autoscaler.name")
	i := slices.IndexFunc(docs, func(doc *strict.Node) bool { return doc.Locate("kind").Text == hpaKind.name })
	switch {
	case ref.Type != "hpa":
		kind := n.Locate("spec.autoscaler.type")
		l.problems.Addf(kind, "found %s, expected hpa", kind.Found())
	case i < 0:
		l.problems.Addf(at, "found %s, expected a HorizontalPodAutoscaler of that name among the manifests", at.Found())
	default:
		if name := docs[i].Locate("metadata.name"); name.Text != ref.Name {
			l.problems.Addf(at, "found %s, expected %s, the HorizontalPodAutoscaler among the manifests", at.Found(), name.Found())
		}
	}
}

// checkTarget holds a scaleTargetRef against the workload.
func (l *loader) checkTarget(o *object, apiVersion, kind, name string) {
	d := l.workload.deployment
	if d == nil {
		return // its own problems are reported
	}
	for _, part := range []struct{ field, found, expected string }{
		{"apiVersion", apiVersion, deploymentKind.apiVersion},
		{"kind", kind, deploymentKind.name},
		{"name", name, d.Name},
	} {
		if part.found != part.expected {
			at := o.node.Locate("spec.scaleTargetRef." + part.field)
			l.problems.Addf(at, "found %s, expected %s: the workload is Deployment %s", at.Found(), part.expected, d.Name)
		}
	}
	l.checkNamespace(o)
}

// checkNamespace wants an object beside the workload.
func (l *loader) checkNamespace(o *object) {
	d := l.workload.deployment
	if namespace := cmp.Or(o.GetNamespace(), metav1.NamespaceDefault); d != nil && namespace != d.Namespace {
		at := o.node.Locate("metadata.namespace")
		l.problems.Addf(at, "found %s, expected %s, the namespace of Deployment %s", namespace, d.Namespace, d.Name)
	}
}
