package handler

import (
	"context"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

// verdict is what the writes of one service's scale came to.
type verdict struct{ toZero, fromZero, wrongZero, tooMany, raced int }

func (d *day) judge(calls []fakecluster.Record) map[string]*verdict {
	out := map[string]*verdict{}
	for _, s := range d.services {
		out[s.name] = &verdict{}
		for _, c := range calls {
			if c.Subresource == "scale" && c.IsWrite() && c.Applied && c.Name == s.name {
				out[s.name].count(s, c)
			}
		}
	}
	return out
}

func (v *verdict) count(s *dayService, c fakecluster.Record) {
	switch c.Detail {
	case "replicas=0":
		v.toZero++
		busy, active := covers(s.active, c.At)
		switch {
		case active && c.At.Sub(busy.from) > daySlack:
			v.wrongZero++
		case active:
			v.raced++
		}
	case fmt.Sprintf("replicas=%d", dayMinimum):
		v.fromZero++
	default:
		v.tooMany++
	}
}

// settled says in words what is wrong with a service at the end of the day.
func (d *day) settled(s *dayService) string {
	ctx := context.Background()
	var wrong []string
	if desired := d.follow(ctx, s); desired != 0 {
		wrong = append(wrong, fmt.Sprintf("%d replicas", desired))
	}
	if s.keda {
		u := d.read(k8shelper.Object{Resource: k8shelper.ScaledObjects, Namespace: "shop", Name: s.name})
		if a := u.GetAnnotations(); a[annotationPaused] != "true" || a[annotationPausedReplicas] != "0" {
			wrong = append(wrong, "KEDA not paused")
		}
	}
	u := d.read(k8shelper.Object{Resource: k8shelper.ElastiServices, Namespace: "shop", Name: s.name})
	if mode, _, _ := unstructured.NestedString(u.Object, "status", "mode"); mode != "proxy" {
		wrong = append(wrong, "mode "+mode)
	}
	if len(wrong) > 0 {
		return strings.Join(wrong, ", ")
	}
	return "at zero"
}

// read reads through the faults.
func (d *day) read(o k8shelper.Object) *unstructured.Unstructured {
	for {
		u, err := d.cluster.Dynamic.Resource(o.Resource).Namespace(o.Namespace).Get(context.Background(), o.Name, metav1.GetOptions{})
		if err == nil {
			return u
		}
		require.True(d.t, k8shelper.Transient(err), "%v", err)
	}
}
