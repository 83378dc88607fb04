package metrics

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestAQueueIsAskedAtOnce(t *testing.T) {
	d, err := NewDoor(specFor(
		messages.Query{Kind: messages.QueryQueue, Name: SourceQueue},
		messages.Query{Kind: messages.QueryQueue, Name: SourceConcurrency}))
	require.NoError(t, err)
	truth := lives(seconds(97))
	waiting, inService := int64(truth.Held), int64(0)
	for _, p := range truth.Pods {
		waiting, inService = waiting+int64(p.Queued), inService+int64(p.InService)
	}
	require.Positive(t, waiting*inService)
	o := d.Observe(0, seconds(97), truth, messages.Replicas{})
	assert.Equal(t, []messages.Metric{
		{At: at(97), Milli: 1000 * waiting},
		{At: at(97), Milli: 1000 * (waiting + inService)},
	}, o.Metrics)
	assert.Equal(t, SourceQueue, d.Source(0, 0))

	_, err = NewDoor(specFor(messages.Query{Kind: messages.QueryQueue, Name: "workload.rps", Field: "f"}))
	assert.EqualError(t, err, `f: found "workload.rps", expected one of workload.queue, workload.concurrency`)
}
