package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scatter is named points, each with intervals around it.
type Scatter struct {
	X, Y   Axis
	Points []Point
	Kinds  [3]string // what the key calls the kinds; "": not in the key
}

// Kind is how a point is drawn.
type Kind int

// The kinds of points.
const (
	Filled Kind = iota
	Hollow
	Diamond
)

// Point is one point, with its intervals inside the axes. Its colour is that of the line with the same index in
// Curves.
type Point struct {
	Name           string
	X, Y           float64
	XRange, YRange *[2]float64 // nil: no interval
	Kind           Kind
	Index          int
}

func (s Scatter) plot() (*plot.Plot, error) {
	for _, q := range s.Points {
		if math.IsNaN(q.X+q.Y) || math.IsInf(q.X+q.Y, 0) {
			return nil, fmt.Errorf("%s: found the point %v, %v, expected finite values", q.Name, q.X, q.Y)
		}
	}
	p := framed(s.X, s.Y)
	p.Add(points{s})
	return p, nil
}

func (s Scatter) key() []keyed {
	var entries []keyed
	for kind, name := range s.Kinds {
		if name != "" {
			entries = append(entries, keyed{name, func(box draw.Canvas) {
				box.DrawGlyphNoClip(glyph(Kind(kind), black), box.Center())
			}})
		}
	}
	return entries
}

func glyph(kind Kind, c color.Color) draw.GlyphStyle {
	shape := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.RingGlyph{}, diamond{}}[kind]
	return draw.GlyphStyle{Color: c, Radius: 3.5, Shape: shape}
}

// diamond is a hollow square on its corner.
type diamond struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (diamond) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	r := s.Radius * 1.2
	var path vg.Path
	path.Move(vg.Point{X: at.X + r, Y: at.Y})
	path.Line(vg.Point{X: at.X, Y: at.Y + r})
	path.Line(vg.Point{X: at.X - r, Y: at.Y})
	path.Line(vg.Point{X: at.X, Y: at.Y - r})
	path.Close()
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: 0.8})
	c.Stroke(path)
}

type points struct{ Scatter }

// Plot implements plot.Plotter: intervals below, points above, names around.
func (s points) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	x := func(v float64) vg.Length { return toX(s.X.at(v)) }
	y := func(v float64) vg.Length { return toY(s.Y.at(v)) }
	var taken []vg.Rectangle
	for _, q := range s.Points {
		thin := draw.LineStyle{Color: stroke(q.Index).Color, Width: 0.6}
		at := vg.Point{X: x(q.X), Y: y(q.Y)}
		taken = append(taken, around(at, 4))
		if r := q.XRange; r != nil {
			low, high := x(r[0]), x(r[1])
			c.StrokeLine2(thin, low, at.Y, high, at.Y)
			taken = append(taken, vg.Rectangle{Min: vg.Point{X: low, Y: at.Y - 1}, Max: vg.Point{X: high, Y: at.Y + 1}})
		}
		if r := q.YRange; r != nil {
			low, high := y(r[0]), y(r[1])
			c.StrokeLine2(thin, at.X, low, at.X, high)
			taken = append(taken, vg.Rectangle{Min: vg.Point{X: at.X - 1, Y: low}, Max: vg.Point{X: at.X + 1, Y: high}})
		}
	}
	for _, q := range s.Points {
		c.DrawGlyphNoClip(glyph(q.Kind, stroke(q.Index).Color), vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	style := lettering(8, black)
	for _, q := range s.Points {
		box := place(vg.Point{X: x(q.X), Y: y(q.Y)}, vg.Point{X: style.Width(q.Name), Y: 8}, c.Rectangle, taken)
		taken = append(taken, box)
		c.FillText(style, box.Min, q.Name)
	}
}

// place finds room for a name of a size near a point: the first place around it
// that lies inside and on nothing; else to the right of it.
func place(at, size vg.Point, within vg.Rectangle, taken []vg.Rectangle) vg.Rectangle {
	const gap = vg.Length(6)
	middle := at.Y - size.Y/2
	corners := []vg.Point{
		{X: at.X + gap, Y: middle}, {X: at.X - gap - size.X, Y: middle},
		{X: at.X - size.X/2, Y: at.Y + gap}, {X: at.X - size.X/2, Y: at.Y - gap - size.Y},
	}
	for step := vg.Length(1); step <= 8; step++ {
		for _, side := range []vg.Length{at.X + gap, at.X - gap - size.X} {
			corners = append(corners, vg.Point{X: side, Y: middle + step*size.Y}, vg.Point{X: side, Y: middle - step*size.Y})
		}
	}
	for _, corner := range corners {
		box := vg.Rectangle{Min: corner, Max: corner.Add(size)}
		if box.Min.X >= within.Min.X && box.Max.X <= within.Max.X && box.Min.Y >= within.Min.Y && box.Max.Y <= within.Max.Y &&
			!slices.ContainsFunc(taken, func(other vg.Rectangle) bool { return overlap(box, other) }) {
			return box
		}
	}
	return vg.Rectangle{Min: corners[0], Max: corners[0].Add(size)}
}

func around(at vg.Point, reach vg.Length) vg.Rectangle {
	corner := vg.Point{X: reach, Y: reach}
	return vg.Rectangle{Min: at.Sub(corner), Max: at.Add(corner)}
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
