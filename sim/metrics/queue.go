package metrics

import (
	"slices"

	"github.com/scalelab/scalelab/messages"
)

// lengths are the sources that a broker can tell at once: what is in the queue, or
// all that has not been processed.
var lengths = []string{SourceQueue, SourceConcurrency}

func checkQueue(q messages.Query) error {
	if !slices.Contains(lengths, q.Name) {
		return messages.Invalidf(q.Field, "found %q, %s", q.Name, messages.OneOf(q.Name, lengths))
	}
	return nil
}

// length is one of the levels at the instant.
func (t *Truth) length(source string) int64 {
	waiting, inService := int64(t.Held), int64(0)
	for i := range t.Pods {
		waiting, inService = waiting+int64(t.Pods[i].Queued), inService+int64(t.Pods[i].InService)
	}
	queue, concurrency := t.levels(waiting, inService)
	if source == SourceQueue {
		return queue
	}
	return concurrency
}
