package metrics

import (
	"slices"

	"github.com/scalelab/scalelab/messages"
)

// levels are the sources that a broker can tell at once: the messages that wait,
// or those as well that are being worked on.
var levels = []string{SourceQueue, SourceConcurrency}

func checkQueue(q messages.Query) error {
	if !slices.Contains(levels, q.Name) {
		return messages.Invalidf(q.Field, "found %q, %s", q.Name, messages.OneOf(q.Name, levels))
	}
	return nil
}

// length is one of the levels at the instant.
func (t *Truth) length(source string) int64 {
	n := int64(t.Held)
	for i := range t.Pods {
		n += int64(t.Pods[i].Queued)
		if source == SourceConcurrency {
			n += int64(t.Pods[i].InService)
		}
	}
	return n
}
