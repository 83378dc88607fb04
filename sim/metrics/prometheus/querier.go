package prometheus

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

var _ storage.Queryable = (*Server)(nil)

// Querier gives access to the series; the engine itself keeps to the bounds.
func (s *Server) Querier(_, _ int64) (storage.Querier, error) { return querier{s}, nil }

type querier struct{ server *Server }

// Select gives the matching series in the order of their first sample, or by
// labels if sorted: an order that depends on nothing but the samples.
func (q querier) Select(_ context.Context, sorted bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{at: -1}
	for _, series := range q.server.series {
		if matches(series.labels, matchers) {
			set.series = append(set.series, series)
		}
	}
	if sorted {
		slices.SortFunc(set.series, func(a, b *Series) int { return labels.Compare(a.labels, b.labels) })
	}
	return set
}

// LabelValues is asked by nothing that evaluates a query; it answers all the
// same, sorted.
func (q querier) LabelValues(_ context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var found []string
	for _, series := range q.server.series {
		if v := series.labels.Get(name); v != "" && matches(series.labels, matchers) {
			found = append(found, v)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil, nil
}

// LabelNames is like LabelValues.
func (q querier) LabelNames(_ context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var found []string
	for _, series := range q.server.series {
		if matches(series.labels, matchers) {
			series.labels.Range(func(l labels.Label) { found = append(found, l.Name) })
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil, nil
}

func (querier) Close() error { return nil }

type seriesSet struct {
	series []*Series
	at     int
}

func (s *seriesSet) Next() bool {
	s.at++
	return s.at < len(s.series)
}

func (s *seriesSet) At() storage.Series                { return s.series[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// matches tells whether every matcher accepts the labels; an absent label is
// the empty string, as in Prometheus.
func matches(set labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(set.Get(m.Name)) {
			return false
		}
	}
	return true
}
