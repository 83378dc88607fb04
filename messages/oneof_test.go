package messages

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOneOf(t *testing.T) {
	for name, c := range map[string]struct {
		found string
		names []string
		want  string
	}{
		"the only name":     {"x", []string{"cpu"}, "expected cpu"},
		"a typo":            {"kafk", []string{"cron", "kafka"}, `expected one of cron, kafka; did you mean "kafka"?`},
		"nothing alike":     {"memory", []string{"cron", "kafka"}, "expected one of cron, kafka"},
		"the first of two":  {"cat", []string{"car", "cap"}, `expected one of car, cap; did you mean "car"?`},
		"the nearer of two": {"workload.rsp", []string{"workload.cpu", "workload.rps"}, `expected one of workload.cpu, workload.rps; did you mean "workload.rps"?`},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, OneOf(c.found, c.names)) })
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"queue", "queue", 0}, {"rps", "rsp", 1}, {"hpa-70", "hpa-7", 1}} {
		assert.Equal(t, test.want, Distance(test.a, test.b), "%q %q", test.a, test.b)
	}
}
