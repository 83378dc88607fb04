package plot

import (
	"fmt"
	"image/color"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	white = color.Color(color.Gray{Y: 255})
	black = color.Color(color.Gray{Y: 20})
	grey  = color.Color(color.Gray{Y: 110})
	pale  = color.Color(color.Gray{Y: 228})

	hairline = draw.LineStyle{Color: pale, Width: 0.5}
)

// colours can be told apart with every kind of colour vision. Source: M. Okabe
// and K. Ito, Color Universal Design, 2008.
var colours = []color.Color{
	color.RGBA{0x00, 0x72, 0xB2, 255}, color.RGBA{0xD5, 0x5E, 0x00, 255}, color.RGBA{0x00, 0x9E, 0x73, 255},
	color.RGBA{0xCC, 0x79, 0xA7, 255}, color.RGBA{0xE6, 0x9F, 0x00, 255}, color.RGBA{0x56, 0xB4, 0xE9, 255},
	color.RGBA{0x40, 0x40, 0x40, 255},
}

// stroke is the i-th of many: every colour solid, then dashed, then dotted.
func stroke(i int) draw.LineStyle {
	dashes := [][]vg.Length{nil, {6, 3}, {1.5, 2}}
	return draw.LineStyle{Color: colours[i%len(colours)], Width: 1.3, Dashes: dashes[i/len(colours)%len(dashes)]}
}

// shade is the i-th colour of many, from the third on, so pale that curves stand out.
func shade(i int) color.Color {
	r, g, b, _ := colours[(i+2)%len(colours)].RGBA()
	return color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 70}
}

func lettering(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color: c, Handler: plot.DefaultTextHandler,
		Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
	}
}

// fitted cuts text to a width; an ellipsis says that something is missing.
func fitted(words string, s text.Style, width vg.Length) string {
	if s.Width(words) <= width {
		return words
	}
	letters := []rune(words)
	cut := sort.Search(len(letters), func(n int) bool { return s.Width(string(letters[:n+1])+"…") > width })
	return string(letters[:cut]) + "…"
}

// keyed is one entry of a key.
type keyed struct {
	name   string
	sample func(c draw.Canvas) // draws into a rectangle of 20 by 10 points
}

const keyLine = vg.Length(14)

// drawKey lists the entries from the top of a panel; what does not fit is
// counted.
func drawKey(c draw.Canvas, entries []keyed) {
	style := lettering(9, black)
	y := c.Max.Y - keyLine
	for i, e := range entries {
		if left := len(entries) - i; left > 1 && y-keyLine < c.Min.Y {
			c.FillText(lettering(9, grey), vg.Point{X: c.Min.X, Y: y}, fmt.Sprintf("and %d more", left))
			return
		}
		box := c
		box.Rectangle = vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y - 1}, Max: vg.Point{X: c.Min.X + 20, Y: y + 9}}
		e.sample(box)
		words := vg.Point{X: c.Min.X + 26, Y: y}
		c.FillText(style, words, fitted(e.name, style, c.Max.X-words.X))
		y -= keyLine
	}
}
