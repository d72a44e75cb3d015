package simulate

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// Curves draws the shares of hits and the false alerts over the list's size, one
// diagram above the other, as SVG. It uses no plotting library: those for Go load
// their fonts when the program starts, which costs the daemon 11 MiB.
func Curves(rows []Row) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 760" font-family="sans-serif" font-size="12">`,
		`<rect width="720" height="760" fill="white"/>`)
	hits := panel{out: &b, top: 40, most: 1, unit: "%.1f", title: "Listed plates found at the default level, by kind of misreading"}
	alerts := panel{out: &b, top: 420, most: 1, unit: "%.2g", title: "False alerts among 20,000 reads of plates that are not listed"}
	var all, exact, bound []float64
	for _, r := range rows {
		hits.sizes, alerts.sizes = append(hits.sizes, r.Size), append(alerts.sizes, r.Size)
		all = append(all, 20_000*float64(r.False)/float64(r.Reads))
		exact = append(exact, 20_000*float64(r.FalseExact)/float64(r.Reads))
		bound = append(bound, 1)
		alerts.most = max(alerts.most, 1.15*all[len(all)-1])
	}
	hits.frame()
	for _, e := range Errors {
		var y []float64
		for _, r := range rows {
			y = append(y, r.Hits[e.String()])
		}
		hits.curve(e.String(), y)
	}
	alerts.frame()
	alerts.curve("all", all)
	alerts.curve("read as an entry's exact text", exact)
	alerts.curve("target", bound)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// palette is that of Okabe and Ito, whose colours colour-blind people can tell apart.
var palette = []string{"#000000", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"}

// panel is one diagram: list sizes along a logarithmic axis, values from 0 up.
type panel struct {
	out    *bytes.Buffer
	top    int
	most   float64
	unit   string // format of the values
	title  string
	sizes  []int
	curves int
}

const (
	panelLeft, panelWidth, panelHeight = 60, 480, 280
	panelTicks                         = 5
)

func (p *panel) x(i int) float64 {
	from, to := math.Log(float64(p.sizes[0])), math.Log(float64(p.sizes[len(p.sizes)-1]))
	if to == from {
		return panelLeft + panelWidth/2
	}
	return panelLeft + panelWidth*(math.Log(float64(p.sizes[i]))-from)/(to-from)
}

func (p *panel) y(v float64) float64 {
	return float64(p.top) + panelHeight*(1-min(max(v/p.most, 0), 1))
}

func (p *panel) frame() {
	fmt.Fprintf(p.out, `<text x="%d" y="%d" font-size="14">%s</text>`, panelLeft, p.top-14, html.EscapeString(p.title))
	for i := range panelTicks + 1 {
		v := p.most * float64(i) / panelTicks
		fmt.Fprintf(p.out, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">`+p.unit+`</text>`,
			panelLeft, panelLeft+panelWidth, p.y(v), p.y(v), panelLeft-6, p.y(v)+4, v)
	}
	for i, n := range p.sizes {
		fmt.Fprintf(p.out, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>`,
			p.x(i), p.x(i), p.top, p.top+panelHeight, p.x(i), p.top+panelHeight+18, n)
	}
	fmt.Fprintf(p.out, `<text x="%d" y="%d" text-anchor="middle">entries of the list</text>`, panelLeft+panelWidth/2, p.top+panelHeight+36)
}

func (p *panel) curve(name string, values []float64) {
	colour := palette[p.curves%len(palette)]
	fmt.Fprintf(p.out, `<polyline fill="none" stroke-width="2" stroke="%s" points="`, colour)
	for i, v := range values {
		fmt.Fprintf(p.out, "%.1f,%.1f ", p.x(i), p.y(v))
	}
	at := p.top + 14 + 18*p.curves
	fmt.Fprintf(p.out, `"/><line x1="560" x2="580" y1="%d" y2="%d" stroke-width="2" stroke="%s"/><text x="586" y="%d">%s</text>`,
		at-4, at-4, colour, at, html.EscapeString(name))
	p.curves++
}
