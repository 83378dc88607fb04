package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/metrics"
)

// tracks follow the metrics that control loops steer by: as they saw them, and as
// they truly were.
type tracks struct {
	of     []track
	result []MetricTrack // index by index
	meter  metrics.Meter
}

// track is one metric of a loop.
type track struct {
	loop   string
	gauge  messages.Gauge
	index  int    // of the loop's queries; -1: the decision has it as a signal
	signal string // its name then
	source string // what it measures; empty: not known
	cores  float64

	seen *float64 // by the last decision
	at   *time.Duration
}

// follow begins to follow what the loops steer by.
func (t *tracks) follow(loops []loop, door *metrics.Door) {
	for i := range loops {
		l := &loops[i]
		for n, g := range l.gauges {
			tr := track{loop: l.name, gauge: g, index: -1, signal: l.signal, source: l.source}
			if l.signal == "" {
				tr.index = n
				switch q := l.query(n); {
				case q >= 0:
					tr.source, tr.cores = door.Source(i, q), door.CoresRequested(l.queries[q])
				case l.addOn != nil && n == l.pushed:
					tr.source = l.addOn.source
				}
			}
			t.of = append(t.of, tr)
			t.result = append(t.result, MetricTrack{Loop: l.name, Name: g.Name, Unit: g.Unit, Target: g.Target})
		}
	}
}

// query is the index of the query behind a gauge; -1: there is none.
func (l *loop) query(gauge int) int {
	if l.asked != nil {
		return l.asked[gauge]
	}
	return gauge
}

// decided notes what a decision saw. One that asked no metrics changes nothing.
func (t *tracks) decided(start time.Time, l *loop, seen []messages.Metric, d *messages.Decision) {
	for i := range t.of {
		tr := &t.of[i]
		switch {
		case tr.loop != l.name:
		case tr.signal != "":
			if v, ok := signalOf(d, tr.signal); ok {
				tr.seen, tr.at = &v, nil
			}
		case len(d.Readings) > tr.index && len(seen) > tr.index:
			tr.read(start, &seen[tr.index], d.Readings[tr.index])
		}
	}
}

func (tr *track) read(start time.Time, m *messages.Metric, r messages.Reading) {
	tr.seen, tr.at = nil, nil
	if r.Failed || m.Err != "" {
		return
	}
	value := float64(r.Milli) / 1000
	if tr.gauge.Per == messages.PerRequest {
		value = float64(r.Percent)
	}
	tr.seen = &value
	if !m.At.IsZero() {
		tr.at = new(m.At.Sub(start))
	}
}

func signalOf(d *messages.Decision, name string) (float64, bool) {
	for _, s := range d.Signals {
		if s.Name == name {
			return s.Value, true
		}
	}
	return 0, false
}

// sample adds an instant of the timeline.
func (t *tracks) sample(run *run) {
	if len(t.of) == 0 {
		return
	}
	now := run.cluster.Now()
	t.meter.Read(now, run.look())
	for i := range t.of {
		tr, out := &t.of[i], &t.result[i]
		var age *float64
		if tr.at != nil {
			age = new((now - *tr.at).Seconds())
		}
		out.Seen, out.AgeS, out.Truth = append(out.Seen, tr.seen), append(out.AgeS, age), append(out.Truth, tr.truth(&t.meter))
	}
}

// truth is what the loop would see if it saw at once; nil where nobody can say.
func (tr *track) truth(m *metrics.Meter) *float64 {
	if tr.source == "" {
		return nil
	}
	value, ready := m.Of(tr.source), float64(m.Ready())
	switch tr.gauge.Per {
	case messages.PerPod:
		value /= ready
	case messages.PerRequest:
		value *= 100 / (ready * tr.cores)
	}
	if ready == 0 && tr.gauge.Per != messages.InAll || tr.cores == 0 && tr.gauge.Per == messages.PerRequest {
		return nil
	}
	return &value
}
