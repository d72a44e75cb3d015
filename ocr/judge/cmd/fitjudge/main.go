// Command fitjudge fits the judge's weights to labelled pictures and writes
// them as Go source.
//
//	go run platewatch/ocr/judge/cmd/fitjudge -o ocr/judge/weights.go -data ROOT
//	go run platewatch/ocr/judge/cmd/fitjudge -o ocr/judge/weights.go DIR ...
//
// With -data these are the folders of folders.txt, in ROOT: what the weights in
// the repository are fitted to.
//
// A DIR holds pictures and truth.tsv; DIR@us is read with the formats of that
// region too, because the judge must work with and without. Fourteen weights for
// each of two questions about a reading (is it a plate, is its whole text right)
// are fitted to some thousand readings: this is a calibration, the reader itself
// learns nothing from the pictures. Every folder has the same weight. Before the
// weights are written, each folder is judged by weights fitted to all the others,
// and the result is printed: what to expect on pictures from elsewhere.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/judge"
	"platewatch/ocr/truth"
)

//go:embed folders.txt
var fitted string

func main() {
	log.SetFlags(0)
	log.SetPrefix("fitjudge: ")
	out := flag.String("o", "weights.go", "write the weights to `file`")
	data := flag.String("data", "", "the folders of folders.txt lie in this `folder`")
	flag.Parse()
	dirs := flag.Args()
	if *data != "" {
		for _, name := range strings.Fields(fitted) {
			dirs = append(dirs, filepath.Join(*data, name))
		}
	}
	if len(dirs) == 0 {
		log.Fatal("which folders? (-data ROOT, or DIR ...)")
	}
	var folders []folder
	for _, dir := range dirs {
		f, err := collect(context.Background(), dir)
		if err != nil {
			log.Fatal(err)
		}
		folders = append(folders, f)
	}
	fmt.Printf("%-14s %7s %7s %7s | %s\n", "folder", "read", "plates", "right", "judged by the others' weights: ECE, wrong of those at 0.9")
	for i, f := range folders {
		others := append(append([]folder(nil), folders[:i]...), folders[i+1:]...)
		_, right := fit(others)
		fmt.Println(f.row(right))
	}
	plate, right := fit(folders)
	if err := write(*out, plate, right, folders); err != nil {
		log.Fatal(err)
	}
}

// reading is one reading, and whether it was right.
type reading struct {
	evidence     judge.Evidence
	plate, right bool
}

// folder holds the readings of one folder.
type folder struct {
	name     string
	pictures int
	readings []reading
}

// collect reads a folder's pictures.
func collect(ctx context.Context, dir string) (folder, error) {
	dir, regions, _ := strings.Cut(dir, "@")
	p := ocr.PictureParams()
	p.Region = regions
	set, err := truth.Open(dir)
	if err != nil {
		return folder{}, err
	}
	r, err := ocr.New(p)
	if err != nil {
		return folder{}, err
	}
	defer r.Close()
	f := folder{name: strings.Trim(filepath.Base(filepath.Clean(dir))+" "+regions, " "), pictures: len(set.Files)}
	for i, file := range set.Files {
		if i%20 == 19 {
			fmt.Fprintf(os.Stderr, "\r%s: %d of %d pictures ", f.name, i+1, len(set.Files))
		}
		picture := gocv.IMRead(filepath.Join(dir, file.Name), gocv.IMReadColor)
		if picture.Empty() {
			return f, fmt.Errorf("%s cannot be read", filepath.Join(dir, file.Name))
		}
		res, err := r.Recognise(ctx, picture)
		picture.Close()
		if err != nil {
			return f, err
		}
		f.add(res, file)
	}
	fmt.Fprintln(os.Stderr)
	return f, nil
}

// add adds the readings of one picture. If the label has no box, the picture shows
// only the plate, and only its surest reading counts.
func (f *folder) add(res ocr.Result, file truth.File) {
	var surest *ocr.JudgedPlate
	for i := range res.Attempts {
		got := &res.Attempts[i].Reading
		if got.Text == "" {
			continue
		}
		if len(file.Plates) == 1 && file.Plates[0].Box.Empty() {
			if surest == nil || got.Confidence > surest.Confidence {
				surest = got
			}
			continue
		}
		s := reading{evidence: got.Evidence}
		for _, want := range file.Plates {
			here := truth.Overlap(want.Box, got.Box) >= 0.3
			s.plate = s.plate || here
			s.right = s.right || here && want.Text == got.Text
		}
		f.readings = append(f.readings, s)
	}
	if surest != nil {
		f.readings = append(f.readings, reading{surest.Evidence, true, surest.Text == file.Plates[0].Text})
	}
}
