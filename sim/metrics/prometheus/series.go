package prometheus

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Series is a series' labels and the samples of it that a query can reach.
type Series struct {
	labels labels.Labels
	points []point
	head   int // points before it are forgotten

	listed  bool  // the server knows it
	ended   bool  // it was missing in a scrape
	staleAt int64 // instant of the stale marker of an ended series
	writeAt int64 // when the marker is written
}

var _ storage.Series = (*Series)(nil)

// Len is the number of samples kept, stale markers included.
func (s *Series) Len() int { return len(s.points) - s.head }

// Labels are the series' name and labels.
func (s *Series) Labels() labels.Labels { return s.labels }

// Iterator walks over the samples in order of time. An iterator that was used
// before is used again.
func (s *Series) Iterator(used chunkenc.Iterator) chunkenc.Iterator {
	reach := points(s.points[s.head:])
	if again, ok := used.(interface{ Reset(storage.Samples) }); ok {
		again.Reset(reach)
		return used
	}
	return storage.NewListSeriesIterator(reach)
}

// newest is the instant of the last sample. A listed series has had one, and
// the forgotten ones stay in place until others are pushed.
func (s *Series) newest() int64 { return s.points[len(s.points)-1].at }

// push adds a sample. Forgotten ones make room first, once they are half of
// all, so that memory stays within twice the samples in reach.
func (s *Series) push(at int64, v float64) {
	if s.head > 0 && s.head >= len(s.points)/2 {
		s.points = s.points[:copy(s.points, s.points[s.head:])]
		s.head = 0
	}
	s.points = append(s.points, point{at: at, value: v})
}

// forget drops the samples before oldest.
func (s *Series) forget(oldest int64) {
	for s.head < len(s.points) && s.points[s.head].at < oldest {
		s.head++
	}
}

// points are samples as the engine's iterator reads them.
type points []point

func (p points) Get(i int) chunks.Sample { return &p[i] }
func (p points) Len() int                { return len(p) }

// point is one sample: Unix milliseconds and a float.
type point struct {
	at    int64
	value float64
}

func (p *point) T() int64                      { return p.at }
func (p *point) F() float64                    { return p.value }
func (p *point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p *point) Copy() chunks.Sample           { return &point{at: p.at, value: p.value} }
func (p *point) ST() int64                     { return 0 }   // no start timestamps
func (p *point) H() *histogram.Histogram       { return nil } // nor histograms
func (p *point) FH() *histogram.FloatHistogram { return nil }
