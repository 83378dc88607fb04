package everything

import (
	"fmt"
	"strings"
	"time"
)

// The picture's measures, in pixels.
const (
	left, right   = 70, 20
	plotWidth     = 760
	plotHeight    = 110
	gap           = 34 // between panels
	top           = 44
	pictureWidth  = left + plotWidth + right
	pictureHeight = top + 3*(plotHeight+gap) + 6
)

// picture overlays the curves of both sides: the real one wide, ours thin on it.
func (c *comparison) picture() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#333">
<title>%s: replicas of the real controllers and of scalelab</title>
<rect width="100%%" height="100%%" fill="#fff"/>
<path d="M70 20h30" stroke="#f2b36b" stroke-width="7"/><text x="108" y="24">real controllers</text>
<path d="M230 20h30" stroke="#1f4e79" stroke-width="2"/><text x="268" y="24">scalelab</text>
`, pictureWidth, pictureHeight, c.name)
	for i, column := range columns {
		c.panel(&b, column, top+i*(plotHeight+gap))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws one count.
func (c *comparison) panel(b *strings.Builder, column column, y int) {
	most := max(column.most(c.real.curve), column.most(c.ours.curve))
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+plotHeight/2, column.name)
	for _, n := range []int32{0, most} {
		level := y + plotHeight - int(n)*plotHeight/int(most)
		fmt.Fprintf(b, `<path d="M%d %dh%d" stroke="#ddd"/><text x="%d" y="%d" text-anchor="end">%d</text>`+"\n",
			left, level, plotWidth, left-8, level+4, n)
	}
	for t := time.Duration(0); t <= c.end; t += 5 * time.Minute {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#888">%d min</text>`+"\n",
			c.x(t), y+plotHeight+15, int(t.Minutes()))
	}
	for _, line := range []struct {
		curve []counts
		style string
	}{
		{c.real.curve, `stroke="#f2b36b" stroke-width="7"`},
		{c.ours.curve, `stroke="#1f4e79" stroke-width="2"`},
	} {
		fmt.Fprintf(b, `<path d="%s" fill="none" %s/>`+"\n", c.line(line.curve, column, y+plotHeight, most), line.style)
	}
}

func (c *comparison) x(t time.Duration) float64 {
	return left + plotWidth*t.Seconds()/c.end.Seconds()
}

// line is the path of a count that stays until it changes.
func (c *comparison) line(curve []counts, column column, base int, most int32) string {
	var b strings.Builder
	for i, p := range curve {
		if p.at > c.end {
			break
		}
		y := float64(base) - plotHeight*float64(column.of(p.Replicas))/float64(most)
		if i == 0 {
			fmt.Fprintf(&b, "M%.1f %.1f", c.x(p.at), y)
		} else {
			fmt.Fprintf(&b, "H%.1fV%.1f", c.x(p.at), y)
		}
	}
	fmt.Fprintf(&b, "H%.1f", c.x(c.end))
	return b.String()
}
