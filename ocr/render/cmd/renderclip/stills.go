package main

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"

	"platewatch/ocr/render"
	"platewatch/ocr/scenes"
)

// maxStill is the size in bytes above which the quality of a still is lowered.
const maxStill = 58_000

// writeStills draws the set. truth.tsv has one row per picture; the row of a
// picture without a plate has neither box nor text.
func writeStills(dir string, log io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("file\tx\ty\tw\th\tplate\n")
	for i, s := range scenes.Stills {
		f, err := render.Still(s.Spec(uint64(i+1)), 0)
		if err != nil {
			return fmt.Errorf("still %s: %w", s.Name, err)
		}
		var j bytes.Buffer
		for q := 80; j.Len() == 0 || j.Len() > maxStill && q > 30; q -= 4 {
			j.Reset()
			if err := jpeg.Encode(&j, f.Image, &jpeg.Options{Quality: q}); err != nil {
				return fmt.Errorf("still %s: %w", s.Name, err)
			}
		}
		file := s.Name + ".jpg"
		if err := os.WriteFile(filepath.Join(dir, file), j.Bytes(), 0o644); err != nil {
			return err
		}
		if len(f.Truth.Plates) == 0 {
			fmt.Fprintf(&b, "%s\t\t\t\t\t\n", file)
		}
		for _, p := range f.Truth.Plates {
			if !p.Clear {
				return fmt.Errorf("still %s: the plate is not wholly in the picture", s.Name)
			}
			fmt.Fprintf(&b, "%s\t%d\t%d\t%d\t%d\t%s\n", file, p.Box.Min.X, p.Box.Min.Y, p.Box.Dx(), p.Box.Dy(), p.Text)
			fmt.Fprintf(log, "%-18s %-9s %3.0f px, %d bytes\n", file, p.Text, p.Width(), j.Len())
		}
	}
	return os.WriteFile(filepath.Join(dir, "truth.tsv"), []byte(b.String()), 0o644)
}
