// Package prometheus is a small Prometheus server in virtual time: the samples
// that its queries can reach, in memory, evaluated by Prometheus' own PromQL
// engine.
//
// It models scrapes on one grid, staleness as a scrape loop that ends writes it,
// the lookback of 5 minutes and the evaluation interval of 1 minute that
// subqueries without a step use. It ignores scrape durations and timeouts, the
// offset that Prometheus gives every target, recording rules and histograms.
//
// Source: Prometheus 3, packages promql and scrape.
package prometheus

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
)

// Stale marks a series of a target that could not be scraped.
var Stale = math.Float64frombits(value.StaleNaN)

const (
	// lookback is how old a sample may be to answer an instant selector
	// (--query.lookback-delta).
	lookback = 5 * time.Minute
	// evaluationInterval is the step of a subquery that names none
	// (global.evaluation_interval).
	evaluationInterval = time.Minute
	// maxSamples is what one query may load (--query.max-samples).
	maxSamples = 50_000_000
	// slack keeps samples for a query whose instant was cut to the second.
	slack = time.Second
	// realTimeout is never reached: a result must not depend on the machine.
	realTimeout = 24 * time.Hour
)

// Server keeps the series that its expressions select and answers them. It is
// for one goroutine.
type Server struct {
	engine    *promql.Engine
	interval  time.Duration
	retention time.Duration
	wanted    [][]*labels.Matcher // one list per selector of an expression
	series    []*Series           // in the order of their first sample
}

// Sample is the value that a scrape found for a series.
type Sample struct {
	Series *Series
	Value  float64
}

// New gives a server that scrapes every interval and will be asked exprs. It
// keeps samples as long as the farthest-reaching expression needs them. The
// error is Scalar's for the first expression that cannot be used.
func New(interval time.Duration, exprs ...string) (*Server, error) {
	s := &Server{
		interval: interval,
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples:               maxSamples,
			Timeout:                  realTimeout,
			LookbackDelta:            lookback,
			NoStepSubqueryIntervalFn: func(int64) int64 { return evaluationInterval.Milliseconds() },
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
			Parser:                   promqlParser,
		}),
	}
	for _, expr := range exprs {
		parsed, err := parse(expr)
		if err != nil {
			return nil, err
		}
		s.wanted = append(s.wanted, selectors(parsed)...)
		reach, err := reach(parsed)
		if err != nil {
			return nil, err
		}
		s.retention = max(s.retention, reach+slack)
	}
	return s, nil
}

// Retention is how long a sample is kept.
func (s *Server) Retention() time.Duration { return s.retention }

// Keep makes the server take every series, whether an expression selects it or not,
// and keep its samples for at least retention.
func (s *Server) Keep(retention time.Duration) {
	s.wanted = append(s.wanted, nil) // a selector without conditions
	s.retention = max(s.retention, retention)
}

// Names tells whether an expression can select a series of that name.
func (s *Server) Names(name string) bool {
	set := labels.FromStrings(metricName, name)
	for _, matchers := range s.wanted {
		if namedBy(set, matchers) {
			return true
		}
	}
	return false
}

// namedBy tells whether the matchers of the name accept it.
func namedBy(set labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if m.Name == metricName && !m.Matches(set.Get(metricName)) {
			return false
		}
	}
	return true
}

// Series gives the series with a name and labels, as pairs of name and value;
// empty values are left out. It is nil, and costs nothing, when no expression
// selects it.
func (s *Server) Series(name string, pairs ...string) *Series {
	builder := labels.NewBuilder(labels.EmptyLabels()).Set(metricName, name)
	for i := 0; i < len(pairs); i += 2 {
		builder.Set(pairs[i], pairs[i+1])
	}
	set := builder.Labels()
	for _, matchers := range s.wanted {
		if matches(set, matchers) {
			return &Series{labels: set}
		}
	}
	return nil
}

// Append stores what the scrape of instant at found, samples of nil series left
// out. A series that was in the scrape before and is not in this one has ended:
// its stale marker carries this instant and is written one interval and a tenth
// later, as Prometheus waits for the target to come back. A series whose value is
// Stale is one of a target that could not be scraped: its marker is written at
// once, unless it has one. Instants must rise.
func (s *Server) Append(at time.Time, samples []Sample) {
	now := at.UnixMilli()
	s.writeMarkers(now)
	for _, sample := range samples {
		series := sample.Series
		if series == nil || value.IsStaleNaN(sample.Value) && (!series.listed || series.ended) {
			continue
		}
		if !series.listed {
			series.listed = true
			s.series = append(s.series, series)
		}
		series.push(now, sample.Value)
		series.ended, series.staleAt = value.IsStaleNaN(sample.Value), now
	}
	s.endAndForget(now)
}

// endAndForget finds the series that were not in the scrape of now, and drops
// what no query can reach any more.
func (s *Server) endAndForget(now int64) {
	oldest := now - s.retention.Milliseconds()
	kept := s.series[:0]
	for _, series := range s.series {
		if !series.ended && series.newest() < now {
			series.ended = true
			series.staleAt = now
			series.writeAt = now + (s.interval + s.interval/10).Milliseconds()
		}
		series.forget(oldest)
		if series.Len() > 0 || !series.ended {
			kept = append(kept, series)
		} else {
			series.listed = false
		}
	}
	clear(s.series[len(kept):])
	s.series = kept
}

// Restart is what a stop of the server leaves: the samples, but no memory of what the
// last scrape found, so that no marker is written for what went away since.
func (s *Server) Restart() {
	for _, series := range s.series {
		series.ended, series.staleAt = true, series.newest()
	}
}

func (s *Server) writeMarkers(now int64) {
	for _, series := range s.series {
		if series.ended && series.writeAt <= now && series.newest() < series.staleAt {
			series.push(series.staleAt, Stale)
		}
	}
}

// Query evaluates one of New's expressions at now: the value of its only
// element, or empty when it has none. An evaluation that fails, or that gives
// several elements, is an error, as it is for KubeElasti's trigger.
func (s *Server) Query(now time.Time, expr string) (value float64, empty bool, err error) {
	vector, err := s.Elements(now, expr)
	switch {
	case err != nil:
		return 0, false, err
	case len(vector) == 0:
		return 0, true, nil
	case len(vector) > 1:
		return 0, false, fmt.Errorf("query %q: found %d elements, expected one", expr, len(vector))
	}
	return vector[0].Value, false, nil
}

// Element is one element of an instant vector.
type Element struct {
	labels labels.Labels
	Value  float64
}

// Label is the value of one of the element's labels; "" if it does not have it.
func (e *Element) Label(name string) string { return e.labels.Get(name) }

// Elements evaluates one of New's expressions at now. A scalar is one element without
// labels.
func (s *Server) Elements(now time.Time, expr string) ([]Element, error) {
	query, err := s.Instant(now, now, expr, nil)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, result.Err)
	}
	switch answer := result.Value.(type) {
	case promql.Scalar:
		return []Element{{Value: answer.V}}, nil
	case promql.Vector:
		elements := make([]Element, len(answer))
		for i, sample := range answer {
			elements[i] = Element{labels: sample.Metric, Value: sample.F}
		}
		return elements, nil
	}
	return nil, fmt.Errorf("query %q: found a %s, expected an instant vector", expr, result.Value.Type())
}

// Instant prepares any expression, of any type, for an instant. now is that of the
// clock that scrapes: a marker that is not due by then is not written yet. What
// reaches back farther than Retention finds less than there was. The caller has to
// close the query.
func (s *Server) Instant(now, at time.Time, expr string, options promql.QueryOpts) (promql.Query, error) {
	s.writeMarkers(now.UnixMilli())
	return s.engine.NewInstantQuery(context.Background(), s, options, expr, at)
}

// Range is Instant for every step from start to end.
func (s *Server) Range(now, start, end time.Time, step time.Duration, expr string, options promql.QueryOpts) (promql.Query, error) {
	s.writeMarkers(now.UnixMilli())
	return s.engine.NewRangeQuery(context.Background(), s, options, expr, start, end, step)
}
