package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/find"
	"platewatch/ocr/vehicle"
)

// parts of a picture's cost, between the marks that steps makes for each picture.
// What lies before the first mark, and the warm-up, is left out.
var parts = []string{"warm-up", "decode", "find", "whole", "describe"}

// markNumber is the mark's argument; plugin/count.c waits for it.
const markNumber = 0x7077

// mark ends a part. callgrind knows the function by its name, qemu's plugin the
// system call, which fails and does nothing.
//
//go:noinline
func mark() { _, _, _ = syscall.RawSyscall(syscall.SYS_GETPGID, markNumber, 0, 0) }

// steps finds and reads each picture in parts.
func steps(region string, pictures []string) error {
	params := ocr.PictureParams()
	params.CloseUps = false // a camera takes none
	params.Region = region
	r, err := ocr.New(params)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := find.New(find.DefaultParams())
	if err != nil {
		return err
	}
	defer f.Close()
	for _, picture := range pictures {
		if err := step(r, f, picture); err != nil {
			return fmt.Errorf("%s: %w", picture, err)
		}
	}
	return nil
}

func step(r *ocr.Recogniser, f *find.Finder, picture string) error {
	data, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	warm, err := gocv.IMDecode(data, gocv.IMReadColor)
	if err != nil {
		return err
	}
	defer warm.Close()
	read, err := r.Recognise(context.Background(), warm)
	if err != nil {
		return err
	}
	if err := describe(r, warm, read.Plates); err != nil { // opens the model for lettering
		return err
	}
	mark()
	m, err := gocv.IMDecode(data, gocv.IMReadColor)
	if err != nil {
		return err
	}
	defer m.Close()
	mark()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(m, &grey, gocv.ColorBGRToGray)
	if _, err := f.Find(grey, nil); err != nil {
		return err
	}
	mark()
	read, err = r.Recognise(context.Background(), m)
	mark()
	if err != nil {
		return err
	}
	err = describe(r, m, read.Plates)
	mark()
	return err
}

// describe tells issuer and colour of the first plate, as of a passage on its best
// view.
func describe(r *ocr.Recogniser, picture gocv.Mat, plates []ocr.Plate) error {
	if len(plates) == 0 {
		return nil
	}
	_, err := r.Describe(context.Background(), picture, plates[0], vehicle.Seen{})
	return err
}
