package plot

import (
	"fmt"

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

func (c Curves) plot() (*plot.Plot, error) {
	p := framed(c.X, c.Y)
	p.Add(marks(c.Marks))
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
	return entries
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
