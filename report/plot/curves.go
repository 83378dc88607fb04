package plot

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curves are values over time. A value stands for the interval before its
// instant, as in a timeline.
type Curves struct {
	X, Y  Axis
	Lines []Line
	Marks []Mark
	Spans []Span
	// Joined draws straight lines between the points, as of a function of X that is
	// no time.
	Joined bool
}

// Line is one curve. Earlier ones are drawn over later ones.
type Line struct {
	Name string
	X, Y []float64 // of one length, X rising
}

// Mark is a vertical line with a name beside its upper end.
type Mark struct {
	At   float64
	Name string
}

// Span is a shaded stretch, with its name in the key. One that begins and ends at the
// same instant is a stroke.
type Span struct {
	From, To float64
	Name     string
}

func (c Curves) plot() (*plot.Plot, error) {
	p := framed(c.X, c.Y)
	p.Add(shades{c.X, c.Spans}, marks(c.Marks))
	for i := len(c.Lines) - 1; i >= 0; i-- {
		l := c.Lines[i]
		if len(l.X) != len(l.Y) {
			return nil, fmt.Errorf("%s: found %d values for %d instants", l.Name, len(l.Y), len(l.X))
		}
		if len(l.X) == 0 {
			continue
		}
		points := make(plotter.XYs, 0, len(l.X)+1)
		if !c.Joined {
			points = append(points, plotter.XY{X: c.X.at(c.X.Min), Y: c.Y.at(l.Y[0])})
		}
		for k := range l.X {
			points = append(points, plotter.XY{X: c.X.at(l.X[k]), Y: c.Y.at(l.Y[k])})
		}
		curve, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		curve.LineStyle = stroke(i)
		if !c.Joined {
			curve.StepStyle = plotter.PreStep
		}
		p.Add(curve)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = c.X.at(c.X.Min), c.X.at(c.X.Max), c.Y.at(c.Y.Min), c.Y.at(c.Y.Max)
	return p, nil
}

func (c Curves) key() []keyed {
	var entries []keyed
	for i, l := range c.Lines {
		entries = append(entries, keyed{l.Name, func(box draw.Canvas) {
			box.StrokeLine2(stroke(i), box.Min.X, box.Center().Y, box.Max.X, box.Center().Y)
		}})
	}
	for i, name := range spanNames(c.Spans) {
		entries = append(entries, keyed{name, func(box draw.Canvas) {
			box.FillPolygon(shade(i), []vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}})
		}})
	}
	return entries
}

// spanNames are the different names of spans, in order of appearance.
func spanNames(spans []Span) (names []string) {
	for _, s := range spans {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// shades are spans over an axis. What lies outside of it is cut.
type shades struct {
	x     Axis
	spans []Span
}

// Plot implements plot.Plotter.
func (s shades) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	names := spanNames(s.spans)
	for _, span := range s.spans {
		from, to := x(s.x.at(max(span.From, s.x.Min))), x(s.x.at(min(span.To, s.x.Max)))
		if span.From > s.x.Max || span.To < s.x.Min || span.To < span.From {
			continue
		}
		to = max(to, from+1.5)
		c.FillPolygon(shade(slices.Index(names, span.Name)), []vg.Point{
			{X: from, Y: c.Min.Y}, {X: to, Y: c.Min.Y}, {X: to, Y: c.Max.Y}, {X: from, Y: c.Max.Y}})
	}
}

// marks are drawn as dashed lines. A name that would run into the next mark is
// cut, and left out where hardly anything remains.
type marks []Mark

// Plot implements plot.Plotter.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	style := lettering(8, grey)
	style.YAlign = draw.YTop
	for i, mark := range m {
		at, end := x(mark.At), c.Max.X
		if i+1 < len(m) {
			end = x(m[i+1].At)
		}
		if at > c.Min.X {
			c.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.5, Dashes: []vg.Length{3, 3}}, at, c.Min.Y, at, c.Max.Y)
		}
		if room := end - at - 6; room > 14 {
			c.FillText(style, vg.Point{X: at + 3, Y: c.Max.Y - 2}, fitted(mark.Name, style, room))
		}
	}
}
