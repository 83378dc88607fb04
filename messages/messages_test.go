package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestCountOnTheWire(t *testing.T) {
	text, err := json.Marshal(RequestCount{Count: 3, Svc: "web", Namespace: "shop"})
	require.NoError(t, err)
	assert.Equal(t, `{"count":3,"svc":"web","namespace":"shop"}`, string(text))
}

func TestRequestCountValidate(t *testing.T) {
	longest := strings.Repeat("a", 63)
	for name, c := range map[string]struct {
		count RequestCount
		want  string
	}{
		"a message":         {RequestCount{1, "web", "shop"}, ""},
		"the longest names": {RequestCount{1, longest, longest}, ""},
		"nothing":           {RequestCount{}, "count: found 0, expected at least 1\nsvc: expected a service name, found none\nnamespace: expected a namespace, found none"},
		"a negative count":  {RequestCount{-2, "web", "shop"}, "count: found -2, expected at least 1"},
		"names too long":    {RequestCount{1, longest + "a", longest + "b"}, "svc: found 64 characters, expected at most 63\nnamespace: found 64 characters, expected at most 63"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.count.Validate(); c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, c.want)
			}
		})
	}
}

func TestInvalid(t *testing.T) {
	assert.EqualError(t, Invalidf("perPod.cpu", "found %d, expected %s", 0, "more"), "perPod.cpu: found 0, expected more")
	assert.EqualError(t, Invalidf("", "found nothing"), "found nothing")
}

func TestUnder(t *testing.T) {
	plain := errors.New("no path")
	problem := Invalidf("from", "bad")
	for name, c := range map[string]struct {
		parent string
		err    error
		want   string
	}{
		"a field":              {"ramp", problem, "ramp.from: bad"},
		"an element":           {"[2]", problem, "[2].from: bad"},
		"below an element":     {"traffic", Invalidf("[2].from", "bad"), "traffic[2].from: bad"},
		"the value itself":     {"ramp", Invalidf("", "bad"), "ramp: bad"},
		"no parent":            {"", problem, "from: bad"},
		"an error of no field": {"ramp", plain, "no path"},
		"several": {"ramp", Problems{problem, plain, Problems{Invalidf("to", "worse")}},
			"ramp.from: bad\nno path\nramp.to: worse"},
		"errors.Join": {"ramp", errors.Join(problem, plain), "ramp.from: bad\nno path"},
	} {
		t.Run(name, func(t *testing.T) { assert.EqualError(t, Under(c.parent, c.err), c.want) })
	}
	assert.NoError(t, Under("ramp", nil))
	assert.Same(t, plain, Under("ramp", plain))
	assert.Equal(t, "from", problem.Field, "the error that came in is untouched")
}

func TestProblems(t *testing.T) {
	var p Problems
	require.NoError(t, p.Err())
	p.Add(nil)
	require.NoError(t, p.Err())
	first := errors.New("first")
	p.Add(first)
	p.Add(Problems{errors.New("second"), Invalidf("x", "third")})
	p.Addf("y", "found %d", 4)
	require.EqualError(t, p.Err(), "first\nsecond\nx: third\ny: found 4")
	require.Len(t, p, 4)
	assert.ErrorIs(t, fmt.Errorf("read: %w", p.Err()), first)
	var invalid *Invalid
	require.ErrorAs(t, p.Err(), &invalid)
	assert.Equal(t, "x", invalid.Field)
}

func TestNames(t *testing.T) {
	assert.Equal(t, "Pending Running Failed", fmt.Sprint(PodPending, " ", PodRunning, " ", PodFailed))
	assert.Equal(t, "Resource Pods Object External PromQL Queue",
		fmt.Sprint(QueryResource, " ", QueryPods, " ", QueryObject, " ", QueryExternal, " ", QueryPromQL, " ", QueryQueue))
	assert.Panics(t, func() { _ = PodPhase(3).String() })
	assert.Panics(t, func() { _ = QueryKind(6).String() })
}

func TestStepOnTheWire(t *testing.T) {
	text, err := json.Marshal(Step{Stage: StageWindow, Replicas: 3, Detail: "held"})
	require.NoError(t, err)
	assert.Equal(t, `{"stage":"window","replicas":3,"detail":"held"}`, string(text))
}
