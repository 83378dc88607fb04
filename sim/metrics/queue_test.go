package metrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// What a broker says: 90 messages can be taken, 8 are in service in two pods, and 2
// are lost and not visible yet.
func TestTheLengthOfAQueue(t *testing.T) {
	truth := func(topic ...messages.Partition) world {
		return func(time.Duration) Truth {
			first, second := readyPod(0, 0), readyPod(1, 0)
			first.InService, second.InService = 3, 5
			return Truth{Pods: []cluster.PodStatus{first, second}, Held: 90, Hidden: 2, Topic: topic}
		}
	}
	topic := []messages.Partition{{Lag: 60}, {Lag: 40}}
	for _, test := range []struct {
		what, metric string
		topic        []messages.Partition
		want         int64
	}{
		{"messages that can be taken", "queue_depth", nil, 90},
		{"messages that have not been processed", "concurrency", nil, 100},
		{"the lag: those that have not been processed", "queue_depth", topic, 100},
		{"which is the same", "concurrency", topic, 100},
	} {
		d := doorFor(t, messages.Query{Kind: messages.QueryExternal, Name: test.metric})
		m := observe(d, 0, truth(test.topic...)).Metrics[0]
		assert.Equal(t, 1000*test.want, m.Milli, test.what)
		var meter Meter
		meter.Read(time.Second, truth(test.topic...)(time.Second))
		assert.Equal(t, float64(test.want), meter.Of(DefaultSources()[test.metric].Source), test.what)
	}
}

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
