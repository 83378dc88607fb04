package trail

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

func TestWords(t *testing.T) {
	var w Trail
	for want, write := range map[string]func() *Trail{
		"max is 5":               func() *Trail { return w.Text("max is ").Count(5) },
		"-3":                     func() *Trail { return w.Int(-3) },
		"2":                      func() *Trail { return w.Milli(2000) },
		"1500m":                  func() *Trail { return w.Milli(1500) },
		"0.667":                  func() *Trail { return w.Decimals(2.0/3, 3) },
		"0.6667":                 func() *Trail { return w.Decimals(2.0/3, 4) },
		"0":                      func() *Trail { return w.Decimals(-0.0001, 3) },
		"+Inf":                   func() *Trail { return w.Decimals(math.Inf(1), 3) },
		"1m30s":                  func() *Trail { return w.Duration(90 * time.Second) },
		"1 pod":                  func() *Trail { return w.Pods(1) },
		"0 pods":                 func() *Trail { return w.Pods(0) },
		"":                       func() *Trail { return &w },
		"scale up from 1 to 3":   func() *Trail { return w.Change(1, 3) },
		"scale down from 3 to 1": func() *Trail { return w.Change(3, 1) },
		"scale from zero to 2":   func() *Trail { return w.Change(0, 2) },
		"scale to zero from 2":   func() *Trail { return w.Change(2, 0) },
	} {
		assert.Equal(t, want, write().Take())
	}
}

func TestStepsBelongToTheirDecision(t *testing.T) {
	var w Trail
	w.Begin()
	w.Text("half").Step(messages.StageMetric, 3)
	first := w.Steps
	w.Text("left over")
	w.Begin()
	w.Text("whole").Step(messages.StageClamp, 4)
	assert.Equal(t, []messages.Step{{Stage: messages.StageMetric, Replicas: 3, Detail: "half"}}, first)
	assert.Equal(t, []messages.Step{{Stage: messages.StageClamp, Replicas: 4, Detail: "whole"}}, w.Steps)
}

func TestQuietWritesNothing(t *testing.T) {
	w := Trail{Quiet: true}
	w.Begin()
	w.Text("a").Int(1).Milli(1).Decimals(1, 1).Duration(1).Pods(2).Change(1, 2).Step(messages.StageMetric, 1)
	assert.Nil(t, w.Steps)
	assert.Equal(t, "-", w.Take())
	assert.Zero(t, testing.AllocsPerRun(10, func() { w.Begin(); w.Text("a").Step(messages.StageMetric, 1) }))
}
