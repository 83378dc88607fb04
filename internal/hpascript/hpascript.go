// Package hpascript is the file format of a HorizontalPodAutoscaler's life as
// it was seen, sync by sync, with what Kubernetes' own controller made of it.
// The conformance module writes such files, the tests of scaling/hpa replay
// them.
package hpascript

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"sigs.k8s.io/yaml"
)

// Script is a life from its first sync on.
type Script struct {
	Seed     uint64                                 `json:"seed"` // of the conformance module's world
	Why      string                                 `json:"why"`  // it was kept
	Flags    hpa.Controller                         `json:"flags"`
	Manifest *autoscalingv2.HorizontalPodAutoscaler `json:"manifest"`
	Syncs    []Sync                                 `json:"syncs"`
}

// Sync is one sync: what was seen, and what the controller came to.
type Sync struct {
	At         time.Time            `json:"at"`
	Seen       messages.Observation `json:"seen"`
	Desired    int32                `json:"desired"`
	Conditions []messages.Condition `json:"conditions"`
	Events     []messages.Event     `json:"events"`
}

var podName = regexp.MustCompile(` Pod \S+$`)

// AnyPod takes the name of a pod out of what a message ends with: of several
// pods with the same problem the controller names one at random.
func AnyPod(message string) string { return podName.ReplaceAllString(message, " Pod *") }

// Said has AnyPod for the messages of a decision, in copies.
func Said(conditions []messages.Condition, events []messages.Event) ([]messages.Condition, []messages.Event) {
	conditions, events = slices.Clone(conditions), slices.Clone(events)
	for i := range conditions {
		conditions[i].Message = AnyPod(conditions[i].Message)
	}
	for i := range events {
		events[i].Message = AnyPod(events[i].Message)
	}
	return conditions, events
}

// Load reads a script.
func Load(file string) (*Script, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read script: %w", err)
	}
	s := &Script{}
	if err := yaml.UnmarshalStrict(data, s); err != nil {
		return nil, fmt.Errorf("read script %s: %w", file, err)
	}
	return s, nil
}

// Save writes a script, without the fields that are zero.
func (s *Script) Save(file string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write script %s: %w", file, err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return fmt.Errorf("write script %s: %w", file, err)
	}
	if data, err = yaml.Marshal(pruned(tree)); err != nil {
		return fmt.Errorf("write script %s: %w", file, err)
	}
	return os.WriteFile(file, data, 0o644)
}

// pruned is a tree without the fields whose absence reads the same. Entries of
// lists stay.
func pruned(tree any) any {
	switch t := tree.(type) {
	case map[string]any:
		for key, value := range t {
			if value = pruned(value); empty(value) {
				delete(t, key)
			} else {
				t[key] = value
			}
		}
	case []any:
		for i := range t {
			t[i] = pruned(t[i])
		}
	}
	return tree
}

func empty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case string:
		return v == "" || v == "0001-01-01T00:00:00Z"
	}
	return value == nil || value == false || value == 0.0
}
