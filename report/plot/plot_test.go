package plot

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

func axis(low, high float64) Axis {
	return Axis{Label: "axis", Min: low, Max: high, Ticks: []Tick{{low, "low"}, {high, "high"}}}
}

func svg(t require.TestingT, panels ...Panel) string {
	var out bytes.Buffer
	require.NoError(t, WriteSVG(&out, Figure{Title: "title", Note: "note", Panels: panels}))
	return out.String()
}

// paths counts the lines drawn in a colour.
func paths(svg, colour string) int { return strings.Count(svg, "stroke:"+colour+";") }

func TestCurvesHoldAValueUntilItsInstant(t *testing.T) {
	drawn := svg(t, Curves{X: axis(0, 2), Y: axis(0, 1), Lines: []Line{{Name: "one", X: []float64{1, 2}, Y: []float64{0, 1}}}})
	require.Equal(t, 2, paths(drawn, "#0072B2"), "the curve, and its sample in the key")
	_, path, _ := strings.Cut(drawn, `<path d="`)
	for !strings.Contains(path[:strings.Index(path, "/>")], "#0072B2") {
		_, path, _ = strings.Cut(path, `<path d="`)
	}
	corners := strings.Split(strings.TrimPrefix(path[:strings.Index(path, `"`)], "M"), "L")
	require.Len(t, corners, 5, "two steps")
	at := make([][2]float64, len(corners))
	for i, corner := range corners {
		_, err := fmt.Sscanf(corner, "%g,%g", &at[i][0], &at[i][1])
		require.NoError(t, err)
	}
	assert.Equal(t, at[0][1], at[2][1], "0 until the first instant")
	assert.Equal(t, at[2][0], at[3][0], "then up")
	assert.Equal(t, at[3][1], at[4][1], "and 1 until the second")
	assert.InDelta(t, (at[0][0]+at[4][0])/2, at[2][0], 0.1, "which is half-way")
}

func TestFigureRefuses(t *testing.T) {
	for _, c := range []struct {
		panel Panel
		want  string
	}{
		{Curves{X: axis(0, 1), Y: axis(0, 1), Lines: []Line{{Name: "a", X: []float64{1}, Y: nil}}}, "drawing title: a: found 0 values for 1 instants"},
		{Curves{X: axis(0, 1), Y: axis(0, 1), Lines: []Line{{Name: "a", X: []float64{1}, Y: []float64{math.NaN()}}}}, "drawing title: a: plotter: NaN data point"},
		{Scatter{X: axis(0, 1), Y: axis(0, 1), Points: []Point{{Name: "b", X: math.Inf(1)}}}, "drawing title: b: found the point +Inf, 0, expected finite values"},
	} {
		assert.EqualError(t, WriteSVG(&bytes.Buffer{}, Figure{Title: "title", Panels: []Panel{c.panel}}), c.want)
		assert.EqualError(t, WritePNG(&bytes.Buffer{}, Figure{Title: "title", Panels: []Panel{c.panel}}), c.want)
	}
	assert.NotEmpty(t, svg(t), "a title alone")
}

func TestFontsAreNamedInStylesOnly(t *testing.T) {
	drawn := svg(t, Scatter{X: axis(0, 1), Y: axis(0, 1), Points: []Point{{Name: `style="font-family:Liberation Sans;`}}})
	assert.Contains(t, drawn, `style="font-family:'Liberation Sans',Arimo,Helvetica,Arial,sans-serif;`)
	assert.Contains(t, drawn, `style=&#34;font-family:Liberation Sans;`)
}

func TestKeyOfManyLinesIsCut(t *testing.T) {
	many := Curves{X: axis(0, 1), Y: axis(0, 1)}
	for i := range 60 {
		many.Lines = append(many.Lines, Line{Name: fmt.Sprintf("line-%d", i), X: []float64{1}, Y: []float64{1}})
	}
	drawn := svg(t, many)
	assert.Contains(t, drawn, ">line-0<")
	assert.Regexp(t, `>and \d+ more<`, drawn)
	assert.NotContains(t, drawn, ">line-59<")
}

func TestMarksThatAreTooCloseHaveNoName(t *testing.T) {
	drawn := svg(t, Curves{X: axis(0, 100), Y: axis(0, 1), Marks: []Mark{{0, "calm"}, {50, "narrow"}, {51, "a long name that does not fit at all, " + strings.Repeat("x", 100)}}})
	assert.Contains(t, drawn, ">calm<")
	assert.NotContains(t, drawn, "narrow")
	assert.Regexp(t, ">a long name .*…<", drawn)
	assert.Equal(t, 2, strings.Count(drawn, "stroke-dasharray:3,3"))
}

func TestSpansAreShadedAndNamedInTheKey(t *testing.T) {
	drawn := svg(t, Curves{X: axis(0, 100), Y: axis(0, 1), Spans: []Span{
		{10, 20, "outage"}, {50, 50, "at once"}, {-50, 5, "outage"}, {200, 300, "late"}, {40, 30, "backwards"},
	}})
	for _, name := range []string{"outage", "at once", "late", "backwards"} {
		assert.Contains(t, drawn, ">"+name+"<")
	}
	assert.Equal(t, 3+4, strings.Count(drawn, "fill-opacity"), "three that can be seen, and four in the key")
}

func TestLogarithmicAxisIsInDecades(t *testing.T) {
	a := Axis{Min: 0.1, Max: 1000, Log: true}
	assert.InDelta(t, a.at(1)-a.at(0.1), a.at(1000)-a.at(100), 1e-12)
	assert.Equal(t, 7.0, Axis{}.at(7))
}

func TestFitted(t *testing.T) {
	style := lettering(9, black)
	assert.Equal(t, "short", fitted("short", style, 100))
	assert.Regexp(t, "^too lo.*…$", fitted("too long for this", style, 40))
	assert.LessOrEqual(t, style.Width(fitted("too long for this", style, 40)), vg.Length(40))
	assert.Equal(t, "…", fitted("nothing fits", style, 1))
	assert.Less(t, len(fitted(strings.Repeat("x", 1<<16), style, 100)), 40, "a long one takes no long time")
}

// Names lie on nothing as long as there is room.
func TestNamesDoNotOverlap(t *testing.T) {
	within := vg.Rectangle{Max: vg.Point{X: 600, Y: 200}}
	rapid.Check(t, func(t *rapid.T) {
		var taken []vg.Rectangle
		size := vg.Point{X: 60, Y: 8}
		for i := range rapid.IntRange(1, 5).Draw(t, "points") {
			at := vg.Point{X: vg.Length(rapid.IntRange(0, 600).Draw(t, "x")), Y: vg.Length(rapid.IntRange(0, 200).Draw(t, "y"))}
			box := place(at, size, within, taken)
			for _, other := range taken {
				require.False(t, overlap(box, other), "name %d", i)
			}
			require.True(t, box.Min.X >= 0 && box.Max.X <= 600 && box.Min.Y >= 0 && box.Max.Y <= 200)
			taken = append(taken, box)
		}
	})
	assert.Equal(t, vg.Point{X: 6, Y: -4}, place(vg.Point{}, vg.Point{X: 5, Y: 8}, vg.Rectangle{}, nil).Min, "no room anywhere: to the right")
}
