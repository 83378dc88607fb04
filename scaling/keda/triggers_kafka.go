package keda

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// topic is what a trigger kafka makes of the lags of partitions.
//
// Who is active goes by all of the lag. What the HPA gets is less: at most
// lagThreshold for every partition, or for every one with a lag, and nothing of a
// partition whose offset has not moved since the trigger was asked before, as that
// may be one message that nobody can process.
//
// Source: KEDA v2.21, pkg/scalers/kafka_scaler.go.
type topic struct {
	threshold  int64
	idle       bool // more consumers than partitions are allowed
	evenly     bool // their number divides that of the partitions
	withLag    bool // there are no more of them than partitions with a lag
	persistent bool // a lag that persists is left out
	only       []span
	// offsets are those that polls and the HPA, together, have seen at last; none:
	// nobody has asked yet.
	offsets []int64
}

// span are partitions from the first to the last.
type span struct{ first, last int64 }

const (
	keyIdle       = "allowIdleConsumers"
	keyEvenly     = "ensureEvenDistributionOfPartitions"
	keyWithLag    = "limitToPartitionsWithLag"
	keyPersistent = "excludePersistentLag"
	keyOnly       = "partitionLimitation"
)

// readKafka is the lag of a consumer group, which confirms a message when it has
// been dealt with. Of a queue without partitions the lag is not capped.
func readKafka(r *reader, t *trigger, index int) {
	r.connection("the addresses of brokers", false, "bootstrapServers")
	group := r.connection("a consumer group", false, "consumerGroup")
	name, found := r.text("topic")
	metric := "kafka-" + name
	if !found {
		metric = "kafka-" + group + "-topics"
		if group == "" {
			r.addf("topic", "found none, expected a topic: it gives the metric its name")
		}
	}
	k := &topic{threshold: r.whole("lagThreshold", 10)}
	activation := r.whole("activationLagThreshold", 0)
	if activation < 0 {
		r.addf("activationLagThreshold", "found %d, expected at least 0", activation)
	}
	r.oneOf("offsetResetPolicy", "latest", "latest", "earliest")
	k.settings(r, name)
	r.misspelt("scaleToZeroOnInvalidOffset", "fullMetadata", "version", "tls", "unsafeSsl", "sasl", "saslTokenProvider", "awsRegion")
	t.serve(r, index, normal(metric), whole(k.threshold), "lagThreshold")
	t.line(r, unconfirmed, "lagThreshold", float64(activation))
	t.renew = func() { k.offsets = nil }
	undivided := t.read
	t.read = func(now time.Time, m *messages.Metric) reading {
		if m.Err != "" || len(m.Partitions) == 0 {
			return undivided(now, m)
		}
		return k.read(m.Partitions, activation)
	}
}

// ByPartition are the settings of a valid trigger that look at the partitions of a
// topic one by one, and are of no use without any.
func (t *Trigger) ByPartition() (keys []string) {
	if t.Type != "kafka" {
		return nil
	}
	k := &topic{}
	r := &reader{trigger: t, problems: &messages.Problems{}}
	k.settings(r, "any")
	for _, s := range []struct {
		key string
		on  bool
	}{{keyWithLag, k.withLag}, {keyPersistent, k.persistent}, {keyOnly, k.only != nil}} {
		if s.on {
			keys = append(keys, s.key)
		}
	}
	return keys
}

// settings say which partitions count, and how.
func (k *topic) settings(r *reader, name string) {
	k.idle, k.evenly = r.yes(keyIdle, false), r.yes(keyEvenly, false)
	k.withLag, k.persistent = r.yes(keyWithLag, false), r.yes(keyPersistent, false)
	if k.evenly && name == "" {
		r.addf("topic", "found none, expected a topic beside %s", keyEvenly)
	}
	if k.withLag {
		switch {
		case name == "":
			r.addf("topic", "found none, expected a topic beside %s", keyWithLag)
		case k.idle:
			r.addf(keyWithLag, "found true, expected false beside %s", keyIdle)
		case k.evenly:
			r.addf(keyWithLag, "found true, expected false beside %s", keyEvenly)
		}
	}
	if text, found := r.text(keyOnly); found && name != "" { // KEDA drops it without a topic
		var ok bool
		if k.only, ok = spans(text); !ok {
			r.addf(keyOnly, "found %.70q, expected numbers of partitions, such as \"1,2,10-20\"", text)
		}
	}
}

// spans reads numbers and ranges with commas between them.
func spans(text string) (all []span, ok bool) {
	for _, part := range strings.Split(text, ",") {
		ends := strings.Split(part, "-")
		first, err := strconv.ParseInt(strings.TrimSpace(ends[0]), 10, 32)
		last, err2 := strconv.ParseInt(strings.TrimSpace(ends[len(ends)-1]), 10, 32)
		if err != nil || err2 != nil || len(ends) > 2 {
			return nil, false
		}
		all = append(all, span{first, last})
	}
	return all, true
}

// counts says whether a partition is looked at.
func (k *topic) counts(partition int) bool {
	n := int64(partition)
	return k.only == nil || slices.ContainsFunc(k.only, func(s span) bool { return s.first <= n && n <= s.last })
}

// read makes a reading of the partitions.
func (k *topic) read(partitions []messages.Partition, activation int64) reading {
	var all, lag, n, lagging int64
	for i, p := range partitions {
		if !k.counts(i) {
			continue
		}
		n, all = n+1, all+p.Lag
		if mine := k.moving(i, len(partitions), p); mine > 0 {
			lag, lagging = lag+mine, lagging+1
		}
	}
	if n == 0 {
		return reading{err: "found none of the partitions of " + keyOnly + ", expected at least one"}
	}
	value := k.cap(lag, n, lagging)
	said := reading{value: float64(value), active: all > activation}
	if value != all {
		said.note = "of a lag of " + strconv.FormatInt(all, 10) + ", in " + strconv.FormatInt(lagging, 10) + " of " + strconv.FormatInt(n, 10) + " partitions"
	}
	return said
}

// moving is the lag of a partition, and 0 where it is to be left out.
func (k *topic) moving(i, partitions int, p messages.Partition) int64 {
	if !k.persistent {
		return p.Lag
	}
	if k.offsets == nil {
		k.offsets = slices.Repeat([]int64{-1}, partitions)
	}
	before := k.offsets[i]
	k.offsets[i] = p.Committed
	if before == p.Committed {
		return 0
	}
	return p.Lag
}

// cap is no more lag than the consumers that there may be are worth, of n partitions
// of which some have a lag; evenly, it is what a number of them is worth that divides
// the partitions.
func (k *topic) cap(lag, n, lagging int64) int64 {
	if k.threshold <= 0 || k.idle && !k.evenly { // idle and withLag exclude each other
		return lag
	}
	most := n
	if k.withLag {
		most = lagging
	}
	if k.evenly {
		lag = divisor(lag, n, k.threshold) * k.threshold
	}
	if lag/k.threshold > most {
		return most * k.threshold
	}
	return lag
}

// divisor is the least divisor of the partitions whose consumers are enough for the
// lag, or the partitions.
func divisor(lag, partitions, threshold int64) int64 {
	for n := int64(1); n < partitions; n++ {
		if partitions%n == 0 && n*threshold >= lag {
			return n
		}
	}
	return partitions
}
