package hpa

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidateMetadata(t *testing.T) {
	const name = `{"name": "web", `
	for _, c := range []struct {
		name, metadata string
		want           []string
	}{
		{"a name in capitals", `{"name": "Web"}`, []string{"Invalid metadata.name"}},
		{"a name to be made up", `{"generateName": "web-"}`, nil},
		{"a long name to be made up", `{"generateName": "` + strings.Repeat("a", 57) + `.b-"}`, nil},
		{"a bad name to be made up", `{"generateName": "Web-"}`, []string{"Invalid metadata.generateName", "Invalid metadata.name"}},
		{"a bad name to be made up beside a good one", name + `"generateName": "Web-"}`, []string{"Invalid metadata.generateName"}},
		{"a namespace in capitals", name + `"namespace": "Shop"}`, []string{"Invalid metadata.namespace"}},
		{"labels", name + `"labels": {"app.kubernetes.io/name": "web", "a b": "-"}}`, []string{"Invalid metadata.labels"}},
		{"annotations", name + `"annotations": {"a b": "c d"}}`, []string{"Invalid metadata.annotations"}},
		{"finalizers of Kubernetes and of a vendor", name + `"finalizers": ["kubernetes", "orphan", "vendor.example/tidy"]}`, nil},
		{"finalizers of nobody", name + `"finalizers": ["foregroundDeletion", "tidy", ""]}`, []string{
			"Invalid metadata.finalizers", "Invalid metadata.finalizers[1]", "Invalid metadata.finalizers[2]"}},
		{"an owner without a UID", name + `"ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}]}`, []string{
			"Required metadata.ownerReferences[0].uid"}},
		{"what the server writes itself", name + `"generation": -1, "managedFields": [{"operation": "Guess"}]}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manifest(t, "maxReplicas: 1")
			m.ObjectMeta = metav1.ObjectMeta{}
			require.NoError(t, yaml.UnmarshalStrict([]byte(c.metadata), &m.ObjectMeta))
			assert.Equal(t, c.want, kindsAndFields(t, Validate(m)))
		})
	}
	m := manifest(t, "maxReplicas: 1")
	m.Generation = -1
	assert.Equal(t, []string{"Invalid metadata.generation"}, kindsAndFields(t, Version("1.36").Validate(m)), "written only since 1.37")
	m.Generation, m.Finalizers = 0, []string{"tidy"}
	assert.Equal(t, []string{`metadata.finalizers[0]: Invalid value: "tidy": must be qualified by a domain, such as example.com/tidy`}, found(t, m))
}
