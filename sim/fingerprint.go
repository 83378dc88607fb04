package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// fingerprint hashes the trajectory of a run: every decision, every transition
// of a pod, and the request counters and latency histogram of every sample, in
// the order in which they happened. Two runs with the same fingerprint went the
// same way (after OMNeT++'s fingerprints).
type fingerprint struct {
	sum    hash.Hash
	record []byte
}

func (f *fingerprint) int(values ...int64) {
	for _, v := range values {
		f.record = binary.LittleEndian.AppendUint64(f.record, uint64(v))
	}
}

func (f *fingerprint) text(s string) {
	f.int(int64(len(s)))
	f.record = append(f.record, s...)
}

// flushAt is how many bytes are hashed at once.
const flushAt = 8 << 10

// full hashes what has come together, if it is enough to be worth it.
func (f *fingerprint) full() {
	if len(f.record) >= flushAt {
		f.flush()
	}
}

func (f *fingerprint) flush() {
	if f.sum == nil {
		f.sum = sha256.New()
	}
	f.sum.Write(f.record)
	f.record = f.record[:0]
}

func (f *fingerprint) decision(now time.Duration, loop string, current int32, d messages.Decision) {
	f.int('d', int64(now), int64(current), int64(d.Desired))
	f.text(loop)
	f.text(string(d.Reason))
	if d.Path != "" {
		f.text(string(d.Path))
	}
	f.full()
}

func (f *fingerprint) transition(t cluster.Transition) {
	f.int('t', int64(t.At), int64(t.Pod), int64(t.To))
	f.full()
}

func (f *fingerprint) sample(now time.Duration, c cluster.Counters, latency []cluster.Bucket) {
	f.int('s', int64(now), int64(c.Arrived), int64(c.Completed), int64(c.TimedOut),
		int64(c.Rejected), int64(c.Failed), int64(c.Retried), int64(c.Cold), int64(c.InFlight))
	f.int(int64(len(latency)))
	for _, b := range latency {
		f.record = binary.AppendUvarint(f.record, b.Index)
		f.record = binary.AppendUvarint(f.record, b.Count)
	}
	f.full()
}

func (f *fingerprint) String() string {
	var sum [sha256.Size]byte
	f.sumInto(&sum)
	return hex.EncodeToString(sum[:])
}

func (f *fingerprint) sumInto(sum *[sha256.Size]byte) {
	f.flush()
	f.sum.Sum(sum[:0])
}

// reset begins another run's fingerprint.
func (f *fingerprint) reset() {
	f.record = f.record[:0]
	if f.sum != nil {
		f.sum.Reset()
	}
}
