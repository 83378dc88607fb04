// Package plot draws curves and scatters as SVG and PNG with gonum/plot. It
// knows nothing of autoscalers: it is given figures and the words beside them.
// The same Figure gives the same bytes; nothing in them is a date or an
// identifier. Text is drawn as it is, so it must not have control characters;
// markup in it is escaped.
package plot

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is panels one below the other.
type Figure struct {
	Title  string
	Note   string // a line below the title; may be empty
	Panels []Panel
}

// Panel is one of Curves and Scatter.
type Panel interface {
	plot() (*plot.Plot, error)
	key() []keyed
}

// Axis is one axis with its ticks.
type Axis struct {
	Label    string
	Min, Max float64 // Min < Max; of a logarithmic axis 0 < Min
	Ticks    []Tick
	Log      bool
}

// at is where a value is drawn on the axis. gonum's own logarithmic scale puts
// the label beside the arithmetic mean, far up.
func (a Axis) at(v float64) float64 {
	if a.Log {
		return math.Log10(v)
	}
	return v
}

// Tick is a labelled value of an axis.
type Tick struct {
	At    float64
	Label string
}

// Sizes of a figure; a point is a 72nd of an inch.
const (
	figureWidth = vg.Length(800)
	panelHeight = vg.Length(240)
	titleHeight = vg.Length(44)
	keyWidth    = vg.Length(150)
	margin      = vg.Length(10)
	dpi         = 144
)

func (f Figure) height() vg.Length { return titleHeight + panelHeight*vg.Length(len(f.Panels)) }

// WriteSVG draws the figure as SVG. Text stays text, in whatever font without
// serifs the reader has.
func WriteSVG(w io.Writer, f Figure) error {
	canvas := vgsvg.New(figureWidth, f.height())
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return fmt.Errorf("writing SVG: %w", err)
	}
	// In text a quotation mark is escaped, so only styles begin like this.
	named := bytes.ReplaceAll(out.Bytes(), []byte(`style="font-family:Liberation Sans;`),
		[]byte(`style="font-family:'Liberation Sans',Arimo,Helvetica,Arial,sans-serif;`))
	_, err := w.Write(named)
	return err
}

// WritePNG draws the figure as PNG, 1600 pixels wide.
func WritePNG(w io.Writer, f Figure) error {
	canvas := vgimg.NewWith(vgimg.UseWH(figureWidth, f.height()), vgimg.UseDPI(dpi))
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// draw puts the title on top, and every panel beside its key.
func (f Figure) draw(c draw.Canvas) error {
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	at := vg.Point{X: c.Min.X + margin, Y: c.Max.Y - 16}
	c.FillText(lettering(12, black), at, fitted(f.Title, lettering(12, black), figureWidth-2*margin))
	at.Y -= 15
	c.FillText(lettering(9, grey), at, fitted(f.Note, lettering(9, grey), figureWidth-2*margin))

	plots := make([][]*plot.Plot, len(f.Panels))
	for i, panel := range f.Panels {
		p, err := panel.plot()
		if err != nil {
			return fmt.Errorf("drawing %s: %w", f.Title, err)
		}
		plots[i] = []*plot.Plot{p}
	}
	if len(plots) == 0 {
		return nil
	}
	area := draw.Crop(c, margin, -keyWidth, margin, -titleHeight)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: 2 * margin}
	for i, row := range plot.Align(plots, tiles, area) {
		plots[i][0].Draw(row[0])
		key := row[0]
		key.Min.X, key.Max.X = row[0].Max.X+margin, c.Max.X-margin
		drawKey(key, f.Panels[i].key())
	}
	return nil
}

// framed is a plot with its axes.
func framed(x, y Axis) *plot.Plot {
	p := plot.New()
	set := func(axis *plot.Axis, a Axis) {
		axis.Min, axis.Max = a.at(a.Min), a.at(a.Max)
		axis.Label.Text, axis.Label.TextStyle = a.Label, lettering(9, black)
		axis.Label.TextStyle.XAlign = draw.XCenter
		labels := axis.Tick.Label
		axis.Tick.Label = lettering(8, black)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign, axis.Tick.Label.Rotation = labels.XAlign, labels.YAlign, labels.Rotation
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = grey, grey
		ticks := make([]plot.Tick, len(a.Ticks))
		for i, t := range a.Ticks {
			ticks[i] = plot.Tick{Value: a.at(t.At), Label: t.Label}
		}
		axis.Tick.Marker = plot.ConstantTicks(ticks)
	}
	set(&p.X, x)
	set(&p.Y, y)
	p.Y.Label.TextStyle.YAlign = draw.YBottom
	p.Add(grid{x, y})
	return p
}

// grid draws faint lines at the ticks.
type grid struct{ x, y Axis }

// Plot implements plot.Plotter.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range g.x.Ticks {
		c.StrokeLine2(hairline, x(g.x.at(t.At)), c.Min.Y, x(g.x.at(t.At)), c.Max.Y)
	}
	for _, t := range g.y.Ticks {
		c.StrokeLine2(hairline, c.Min.X, y(g.y.at(t.At)), c.Max.X, y(g.y.at(t.At)))
	}
}
