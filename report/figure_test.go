package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// texts are the words in an SVG, which must be well-formed.
func texts(t require.TestingT, svg string) []string {
	var found []string
	decoder := xml.NewDecoder(strings.NewReader(svg))
	inside := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			require.Contains(t, []string{"svg", "g", "path", "text"}, token.Name.Local)
			for _, a := range token.Attr {
				require.False(t, strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href", a.Name.Local)
			}
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				found = append(found, string(token))
			}
		}
	}
}

func TestRunPicture(t *testing.T) {
	r := strategies[0].result(42)
	words := texts(t, runText(t, r, SVG, Options{}))
	for _, want := range []string{"flash-crowd / hpa-70", "ready", "desired", "arrived", "served", "replicas", "requests per second",
		"base", "spi…", "peak", "idle", "0s", "10m", "2h"} {
		assert.Contains(t, words, want)
	}
	picture, err := png.Decode(strings.NewReader(runText(t, r, PNG, Options{})))
	require.NoError(t, err)
	assert.Equal(t, 1600, picture.Bounds().Dx())
}

func TestComparePicture(t *testing.T) {
	c := outcome(matrix(8))
	words := texts(t, compareText(t, c, SVG, Options{}))
	for _, want := range []string{"hpa-70", "hpa-70 (0.12% lost)", "oracle", "latency p99", "cost", "ready replicas, seed 42", "Pareto front", "2s"} {
		assert.Contains(t, words, want)
	}
	assert.NotContains(t, words, "beaten by another", "all are on the front")
	for _, r := range c.Results {
		r.Cost = nil
	}
	words = texts(t, compareText(t, outcome(c.Results), SVG, Options{}))
	assert.Contains(t, words, "pod-hours")
	assert.NotContains(t, words, "cost")
}

func TestPicturesAreTheSameEveryTime(t *testing.T) {
	formats := []string{SVG, PNG}
	if testing.Short() { // the race detector takes seconds for the pixels of one picture
		formats = formats[:1]
	}
	for _, format := range formats {
		first := compareText(t, outcome(matrix(6)), format, Options{})
		assert.True(t, first == compareText(t, outcome(matrix(6)), format, Options{Width: 131, Color: true}), format)
		first = runText(t, hostile(), format, Options{})
		assert.True(t, first == runText(t, hostile(), format, Options{}), format)
	}
}

func TestPicturesOfNextToNothing(t *testing.T) {
	for _, format := range []string{PNG, SVG} {
		assert.NotEmpty(t, runText(t, nothing(), format, Options{}))
		assert.NotEmpty(t, compareText(t, outcomeAgainst(t, "fixed", nothing()), format, Options{}))
	}
	assert.NotContains(t, texts(t, compareText(t, outcomeAgainst(t, "fixed", nothing()), SVG, Options{})), "latency p99", "nobody has one")
	r := nothing()
	r.DurationS, r.LatencyS = 0, &sim.Distribution{}
	assert.Contains(t, texts(t, compareText(t, outcomeAgainst(t, "fixed", r), SVG, Options{})), "latency p99")
}

func TestPictureOfWhatIsNoNumber(t *testing.T) {
	r := strategies[0].result(42)
	r.Timeline.ArrivedRPS[3] = math.NaN()
	assert.ErrorContains(t, Run(&bytes.Buffer{}, r, SVG, Options{}), "drawing flash-crowd / hpa-70: arrived: ")
	r = strategies[0].result(42)
	r.LatencyS.P99 = math.Inf(1)
	c := outcomeAgainst(t, "hpa-70", r)
	assert.ErrorContains(t, Compare(&bytes.Buffer{}, c, PNG, Options{}), "expected finite values")
}

// Whatever people call their things, a picture is well-formed, and their words
// are words in it.
func TestPicturesOfHostileNames(t *testing.T) {
	words := strings.Join(texts(t, runText(t, hostile(), SVG, Options{})), "\n")
	assert.Contains(t, words, "<img src=x>")
	if testing.Short() {
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		r := nothing()
		r.Scenario, r.Autoscaler = name, name
		r.Phases = []sim.Phase{{Name: name, ToS: 60}}
		var out bytes.Buffer
		require.NoError(t, Run(&out, r, SVG, Options{}))
		texts(t, out.String())
		o, err := bench.NewOutcome([]*sim.Result{r}, name)
		require.NoError(t, err)
		require.NoError(t, Compare(&out, o, SVG, Options{}))
	})
}

// A picture of a result that tells of its latencies has their curve, without the
// longest of all, whose share is not known.
func TestLatencyPanel(t *testing.T) {
	a, b := strategies[0].result(1), nothing()
	a.Latencies = &sim.Quantiles{Q: []float64{0.5, 0.9, 0.99, 1}, S: []float64{0.1, 0.2, 0.5, 3}}
	p, ok := latencyPanel([]*sim.Result{b, a})
	require.True(t, ok)
	require.Len(t, p.Lines, 2)
	assert.Empty(t, p.Lines[0].X, "it completes nothing, and keeps its colour")
	assert.InDeltaSlice(t, []float64{0.30103, 1, 2}, p.Lines[1].X, 1e-5)
	assert.Equal(t, []float64{0.1, 0.2, 0.5}, p.Lines[1].Y)
	var labels []string
	for _, tick := range p.X.Ticks {
		labels = append(labels, tick.Label)
	}
	assert.Equal(t, []string{"0%", "50%", "90%", "99%"}, labels)
	assert.True(t, p.Y.Log)
	_, ok = latencyPanel([]*sim.Result{b})
	assert.False(t, ok)

	var picture bytes.Buffer
	require.NoError(t, Run(&picture, a, SVG, Options{}))
	assert.Contains(t, picture.String(), "share of the requests")
}
