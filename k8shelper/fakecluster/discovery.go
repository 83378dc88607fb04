package fakecluster

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// discover answers the paths of the discovery API: what groups, versions and
// resources there are.
func (c *Cluster) discover(path string) (any, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/version":
		return version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.2"}, true
	case path == "/api":
		return metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}}, true
	case path == "/apis":
		return c.groups(), true
	case parts[0] == "api" && len(parts) == 2:
		return c.resources(schema.GroupVersion{Version: parts[1]})
	case parts[0] == "apis" && len(parts) == 3:
		return c.resources(schema.GroupVersion{Group: parts[1], Version: parts[2]})
	}
	return nil, false
}

// groups are the API groups with their versions, the preferred one first.
func (c *Cluster) groups() metav1.APIGroupList {
	versions := map[string][]string{}
	add := func(gv schema.GroupVersion) {
		if gv.Group != "" && !slices.Contains(versions[gv.Group], gv.Version) {
			versions[gv.Group] = append(versions[gv.Group], gv.Version)
		}
	}
	served := map[schema.GroupVersion]bool{}
	for gvr := range c.listKinds {
		served[gvr.GroupVersion()] = true
	}
	for _, gv := range apiTypes().PrioritizedVersionsAllGroups() {
		if served[gv] {
			add(gv)
		}
	}
	for _, kind := range slices.Concat(wellKnown, c.custom) {
		add(kind.GroupVersion())
	}
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIGroupList"}}
	for name, of := range versions {
		group := metav1.APIGroup{Name: name}
		for _, v := range of {
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + v, Version: v})
		}
		group.PreferredVersion = group.Versions[0]
		list.Groups = append(list.Groups, group)
	}
	slices.SortFunc(list.Groups, func(a, b metav1.APIGroup) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// resources are those of one version of a group, with scale subresources.
func (c *Cluster) resources(gv schema.GroupVersion) (any, bool) {
	list := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: gv.String(),
	}
	for _, kind := range slices.Concat(builtin().kinds, c.custom) {
		if kind.GroupVersion() != gv {
			continue
		}
		gvr := plural(kind.GroupVersionKind)
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: gvr.Resource, SingularName: strings.ToLower(kind.Kind), Namespaced: !kind.ClusterScoped, Kind: kind.Kind,
			Verbs: metav1.Verbs{"create", "delete", "get", "list", "patch", "update"},
		})
		if scales(kind) {
			list.APIResources = append(list.APIResources, metav1.APIResource{
				Name: gvr.Resource + "/scale", Namespaced: true, Group: "autoscaling", Version: "v1", Kind: "Scale",
				Verbs: metav1.Verbs{"get", "update"},
			})
		}
	}
	slices.SortFunc(list.APIResources, func(a, b metav1.APIResource) int { return strings.Compare(a.Name, b.Name) })
	return list, len(list.APIResources) > 0
}

// scales says whether a kind has a scale subresource.
func scales(kind Kind) bool {
	if kind.Scale != nil {
		return true
	}
	if kind.Group != "apps" {
		return false
	}
	return slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet"}, kind.Kind)
}
