package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
)

// chunk is one file of pictures and its truth.
type chunk struct {
	path   string // without the endings
	number int
	size   int
	seed   uint64
}

// write renders the chunk unless it exists; fresh reports whether it did.
func (c chunk) write(ctx context.Context, f *foundry) (fresh bool, err error) {
	if _, err := os.Stat(c.path + ".tsv"); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	pix, err := os.Create(c.path + ".pix.part")
	if err != nil {
		return false, err
	}
	defer pix.Close()
	w := bufio.NewWriterSize(pix, 1<<20)
	var truth bytes.Buffer
	var p plate
	var o photo
	for i := range c.size {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err := o.make(&p, f, newDice(c.seed, uint64(c.number)<<32|uint64(i))); err != nil {
			return false, err
		}
		if _, err := w.Write(o.pix[:]); err != nil {
			return false, err
		}
		fmt.Fprintf(&truth, "%s\t", o.label)
		for j, c := range o.text {
			if j > 0 {
				truth.WriteByte(' ')
			}
			fmt.Fprintf(&truth, "%.1f %.1f", c.x, c.y)
		}
		truth.WriteByte('\t')
		for j, x := range o.centres {
			if j > 0 {
				truth.WriteByte(' ')
			}
			fmt.Fprintf(&truth, "%.1f", x)
		}
		truth.WriteByte('\n')
	}
	if err := errors.Join(w.Flush(), pix.Close(), os.Rename(c.path+".pix.part", c.path+".pix")); err != nil {
		return false, err
	}
	if err := os.WriteFile(c.path+".tsv.part", truth.Bytes(), 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(c.path+".tsv.part", c.path+".tsv")
}

// make draws and photographs one plate. p is working memory.
func (o *photo) make(p *plate, f *foundry, d dice) error {
	p.draw(f, d)
	return o.shoot(p, d)
}

// writeSheet draws the trainer's input: the box, and the label below it.
func writeSheet(path string, f *foundry, seed uint64) error {
	const columns, rows, line = 7, 16, 14
	img := image.NewGray(image.Rect(0, 0, columns*(storedW+4), rows*(storedH+line+4)))
	var p plate
	var o photo
	for i := range columns * rows {
		if err := o.make(&p, f, newDice(seed, uint64(i))); err != nil {
			return err
		}
		x, y := i%columns*(storedW+4), i/columns*(storedH+line+4)
		for j, v := range o.pix {
			img.SetGray(x+j%storedW, y+j/storedW, color.Gray{Y: v})
		}
		under := field{}
		under.shape(storedW, line, 0)
		f.real[0].write(&under, o.label, storedW/2, 2, 10, 1, storedW, 1, 1)
		for j, v := range under.v {
			img.SetGray(x+j%storedW, y+storedH+j/storedW, color.Gray{Y: uint8(v * 255)})
		}
		for _, c := range o.centres {
			img.SetGray(x+int(c), y+int((o.text[0].y+o.text[2].y)/2), color.Gray{Y: 255})
		}
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(file, img), file.Close())
}
