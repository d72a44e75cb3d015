package optics

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// row is one line of the table.
type row struct {
	Name, Value, Want string
	Good              bool
	Advice            string // where it is not good
}

// rows are what a person wants to know, with what it should be.
func (r *result) rows() []row {
	s, p := &r.Setup, r.Plate
	far := "without end"
	if r.Far > 0 {
		far = fmt.Sprintf("%.1f m", r.Far)
	}
	// The way from where the plate is read first to where it is read last is taken to
	// be a quarter of the distance to either side.
	deep := r.Near <= 0.75*r.Sight && (r.Far == 0 || r.Far >= 1.25*r.Sight)
	longest := "any"
	if r.Shutter > 0 {
		longest = "at most " + shutterText(r.Shutter)
	}
	return []row{
		{"plate width", fmt.Sprintf("%.0f px", r.PlateWidth), fmt.Sprintf("at least %.0f px (%.0f where vehicles stand)", p.Moving, p.Least),
			r.PlateWidth >= p.Moving || s.Speed == 0 && r.PlateWidth >= p.Least, r.zoom()},
		{"character height", fmt.Sprintf("%.0f px", r.CharacterHeight), fmt.Sprintf("%.0f to %.0f px", leastCharacters, mostCharacters),
			r.CharacterHeight >= leastCharacters && r.CharacterHeight <= 2*mostCharacters, r.zoom()},
		{"angle from the side", fmt.Sprintf("%.0f°", r.Yaw), fmt.Sprintf("at most %.0f°", mostAngle), r.Yaw <= mostAngle,
			fmt.Sprintf("look further ahead (%.0f m or more), or come nearer to the lane", math.Ceil(s.Offset/math.Tan(radians(mostAngle))))},
		{"angle from above", fmt.Sprintf("%.0f°", r.Pitch), fmt.Sprintf("at most %.0f°", mostAngle), r.Pitch <= mostAngle,
			fmt.Sprintf("look further ahead (%.0f m or more), or mount the camera lower", math.Ceil((s.Height-roadToPlate)/math.Tan(radians(mostAngle))))},
		{"width of the view", fmt.Sprintf("%.1f m, %.1f lanes", r.View, r.View/s.Lane), fmt.Sprintf("at least the lane, %.1f m", s.Lane), r.View >= s.Lane,
			"use a shorter lens with a larger picture, or a camera for each lane"},
		{"depth of field", fmt.Sprintf("%.1f m to %s", r.Near, far), fmt.Sprintf("%.1f m to %.1f m", 0.75*r.Sight, 1.25*r.Sight), deep,
			"close the aperture (a larger f-number), with more light"},
		{"sight of the lens", fmt.Sprintf("spots of %.1f px", r.Diffraction), "at most 2.0 px", r.Diffraction <= 2,
			"open the aperture (a smaller f-number)"},
		{"blur by motion", fmt.Sprintf("%.1f px at %s", r.Blur, shutterText(s.Shutter)), fmt.Sprintf("at most %.1f px", r.BlurBound), r.Blur <= r.BlurBound,
			"set the shutter to " + shutterText(r.Shutter) + " or shorter, with more light"},
		{"shutter", shutterText(s.Shutter), longest, r.Shutter == 0 || s.Shutter <= r.Shutter, ""},
		{"time in view", fmt.Sprintf("%.2f s, %.0f pictures at 25 a second", r.ReadFor, math.Floor(25*r.ReadFor)), "at least 3 pictures", 25*r.ReadFor >= 3,
			"use a wider view: a larger picture, or a shorter lens"},
	}
}

// zoom is what makes plates as large as they should be.
func (r *result) zoom() string {
	if r.Lens > r.Setup.Lens {
		return fmt.Sprintf("use a lens of %.0f mm or longer, or come nearer: plates are %.0f px wide, %.0f are needed", math.Ceil(r.Lens), r.PlateWidth, r.Plate.Moving)
	}
	return fmt.Sprintf("use a lens of %.0f mm: more is not read better, and less of the road is in view", math.Ceil(r.Lens))
}

// shutterText writes a time as photographers do, rounded to the shorter side.
func shutterText(seconds float64) string {
	if seconds >= 0.5 {
		return fmt.Sprintf("%.1f s", seconds)
	}
	for _, n := range []float64{2, 4, 8, 15, 30, 50, 60, 100, 125, 200, 250, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000, 8000, 10000, 20000, 50000, 100000} {
		if 1/n <= seconds*1.0001 {
			return fmt.Sprintf("1/%.0f s", n)
		}
	}
	return fmt.Sprintf("1/%.0f s", math.Ceil(1/seconds))
}

// write prints the table, a drawing, and what to change.
func (r *result) write(w io.Writer) error {
	var b strings.Builder
	s := &r.Setup
	fmt.Fprintf(&b, "sensor %.2f × %.2f mm, picture %d × %d, lens %g mm f/%g, %s plate (%.0f × %.0f mm)\n",
		s.SensorWidth, s.SensorHeight, s.PictureWidth, s.PictureHeight, s.Lens, s.Aperture, r.Plate.Name, r.Plate.Width, r.Plate.Height)
	fmt.Fprintf(&b, "%g m along the road, %g m high, %g m beside the lane's middle; %g km/h\n\n", s.Distance, s.Height, s.Offset, s.Speed)
	var advice []string
	for _, q := range r.rows() {
		level := "ok"
		if !q.Good {
			level = "warn"
			if q.Advice != "" {
				advice = append(advice, q.Advice)
			}
		}
		fmt.Fprintf(&b, "%-5s %-19s %-36s %s\n", level, q.Name, q.Value, q.Want)
	}
	b.WriteString("\n" + r.drawing())
	for i, a := range advice {
		if i == 0 {
			b.WriteString("\n")
		}
		if i == 0 || a != advice[i-1] {
			fmt.Fprintf(&b, "%s\n", strings.ToUpper(a[:1])+a[1:])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// drawing is the road from the side, in text: not to scale upwards.
func (r *result) drawing() string {
	const width, height = 56, 6 // of the field between post and plate
	rows := make([][]rune, height+1)
	for y := range rows {
		rows[y] = []rune(strings.Repeat(" ", width+12))
	}
	put := func(x, y int, text string) {
		for i, c := range []rune(text) {
			rows[y][x+i] = c
		}
	}
	for x := 1; x < width; x++ {
		y := int(math.Round(float64(x) / width * (height - 1)))
		rows[y][x] = '.'
	}
	for y := 1; y <= height; y++ {
		rows[y][0] = '|'
	}
	put(0, 0, "[]")
	put(width, height-1, "[PLATE]")
	put(4, 0, fmt.Sprintf(" camera, %g m up, looks %.0f° down", r.Setup.Height, r.Pitch))
	for x := 0; x < width+8; x++ {
		rows[height][x] = '_'
	}
	label := fmt.Sprintf(" %g m ", r.Setup.Distance)
	put((width-len(label))/2, height, label)
	var b strings.Builder
	for _, row := range rows {
		b.WriteString("  " + strings.TrimRight(string(row), " ") + "\n")
	}
	return b.String()
}

// svg draws the camera from the side and from above, to scale.
func (r *result) svg(w io.Writer) error {
	s := &r.Setup
	const pixels = 640.0
	length := max(s.Distance*1.25, 1)
	k := pixels / length // pixels a metre
	side := max(s.Height*k, 20) + 40
	plan := (s.Offset+s.Lane)*k + 60
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 0 %.0f %.0f" font-family="sans-serif" font-size="13" role="img" aria-label="%s">`,
		pixels+40, side+plan, html.EscapeString(fmt.Sprintf("camera %g m high, plate %g m ahead", s.Height, s.Distance)))
	p(`<rect x="-20" width="%.0f" height="%.0f" fill="white"/>`, pixels+40, side+plan)
	road := side - 20
	x, plateY := s.Distance*k, road-roadToPlate*k
	top := road - s.Height*k
	p(`<path d="M-20 %.1f H%.1f" stroke="#555" stroke-width="3"/>`, road, pixels+20)
	p(`<path d="M0 %.1f V%.1f" stroke="#555" stroke-width="4"/>`, road, top)
	p(`<path d="M0 %.1f L%.1f %.1f" stroke="#06c" stroke-dasharray="6 4"/>`, top, x, plateY)
	p(`<path d="M%.1f %.1f v-6" stroke="#c00" stroke-width="5"/>`, x, plateY+3)
	p(`<text x="%.1f" y="%.1f">%.0f° down, %.1f m</text>`, x*0.45, (top+plateY)/2-16, r.Pitch, r.Sight)
	p(`<text x="%.1f" y="%.1f">%g m along the road</text>`, x*0.4, road+16, s.Distance)
	p(`<text x="6" y="%.1f">camera, %g m</text>`, max(top-4, 12), s.Height)
	base := side + 20
	middle := base + s.Offset*k
	half := s.Lane / 2 * k
	p(`<rect x="-20" y="%.1f" width="%.1f" height="%.1f" fill="#ddd"/>`, middle-half, pixels+40, 2*half)
	p(`<circle cx="0" cy="%.1f" r="5" fill="#555"/>`, base)
	p(`<path d="M0 %.1f L%.1f %.1f" stroke="#06c" stroke-dasharray="6 4"/>`, base, x, middle)
	view := r.View / 2 * k
	p(`<path d="M0 %.1f L%.1f %.1f L%.1f %.1f Z" fill="#06c" fill-opacity="0.12"/>`, base, x, middle-view, x, middle+view)
	p(`<path d="M%.1f %.1f v%.1f" stroke="#c00" stroke-width="5"/>`, x, middle-r.Plate.Width/2000*k, max(r.Plate.Width/1000*k, 4))
	p(`<text x="%.1f" y="%.1f">%.0f° from the side; the view is %.1f m wide</text>`, x*0.3, base-6, r.Yaw, r.View)
	p("</svg>")
	_, err := io.WriteString(w, b.String())
	return err
}
