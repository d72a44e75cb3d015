package optics

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
)

// Flags describe a setup on the command line.
type Flags struct {
	Wanted *bool
	svg    *string
	setup  place
}

// ownFlags are the flags that mean nothing without -optics.
var ownFlags = []string{"svg", "sensor", "picture", "shutter", "plate", "lens", "aperture", "distance", "height", "offset", "lane", "speed"}

// AddFlags adds -optics and what belongs to it.
func AddFlags(fs *flag.FlagSet) *Flags {
	f := &Flags{setup: defaultSetup()}
	s := &f.setup
	f.Wanted = fs.Bool("optics", false, "compute what a camera will see, from the flags below, and check nothing")
	f.svg = fs.String("svg", "", "with -optics: also draw it into this SVG `file`")
	fs.Func("sensor", "its `size`: a format in inches as 1/2.8, or millimetres as 5.57x3.13 (default 1/2.8)", s.setSensor)
	fs.Func("picture", "`pixels` of the picture (default 1920x1080)", s.setPicture)
	fs.Func("shutter", "`time` of exposure (default 1/1000)", s.setShutter)
	fs.StringVar(&s.Plate, "plate", s.Plate, "`kind` of plate: us (305 × 152 mm) or eu (520 × 110 mm)")
	fs.Float64Var(&s.Lens, "lens", s.Lens, "focal length in `mm`")
	fs.Float64Var(&s.Aperture, "aperture", s.Aperture, "f-number, as the `2` in f/2")
	fs.Float64Var(&s.Distance, "distance", s.Distance, "`metres` along the road from below the camera to the plate")
	fs.Float64Var(&s.Height, "height", s.Height, "`metres` of the camera above the road")
	fs.Float64Var(&s.Offset, "offset", s.Offset, "`metres` across the road from below the camera to the lane's middle")
	fs.Float64Var(&s.Lane, "lane", s.Lane, "width of the lane in `metres`")
	fs.Float64Var(&s.Speed, "speed", s.Speed, "of the vehicles, in `km/h`")
	return f
}

// Given is the first flag that was given and is for -optics only; "" for none.
func (f *Flags) Given(fs *flag.FlagSet) (name string) {
	fs.Visit(func(g *flag.Flag) {
		if name == "" && slices.Contains(ownFlags, g.Name) {
			name = g.Name
		}
	})
	return name
}

// Run computes, draws the SVG file if one was asked for, and prints: JSON, or a table
// with a drawing. Errors about the flags are of the type [*Error].
func (f *Flags) Run(w io.Writer, asJSON bool) error {
	r, err := compute(f.setup)
	if err != nil {
		return err
	}
	if *f.svg != "" {
		file, err := os.Create(*f.svg)
		if err != nil {
			return err
		}
		if err := errors.Join(r.svg(file), file.Close()); err != nil {
			return err
		}
	}
	if !asJSON {
		return r.write(w)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
