// Command rendergroups renders labelled folders of pictures that are hard to judge:
// short plates, plates of two rows, plates beside an obstacle, and ordinary ones to
// be cut. `make groups` measures on them whether a reader is as sure as it is right.
//
//	go run platewatch/ocr/scenes/cmd/rendergroups -n 130 DIR
//
// Each folder is named after its group and region: DIR/short-de.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image/jpeg"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"platewatch/ocr/render"
	"platewatch/ocr/scenes"
	"platewatch/ocr/truth"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("rendergroups: ")
	n := flag.Int("n", 130, "pictures of each group and region; those to be cut are a quarter")
	first := flag.Int("first", 0, "number of the first picture: others give other pictures")
	only := flag.String("only", "", "render only groups of this `name`")
	workers := flag.Int("workers", 2, "pictures at once")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("into which folder?")
	}
	for _, g := range scenes.Groups {
		if *only != "" && g.Name != *only {
			continue
		}
		count := *n
		switch {
		case g.Name == "road":
			count = max(1, count/4)
		case strings.HasPrefix(g.Name, "short"), g.Name == "two-row":
			count = count * 4 / 3 // three regions instead of four
		}
		if err := write(filepath.Join(flag.Arg(0), g.Name+"-"+g.Region), g, *first, count, *workers); err != nil {
			log.Fatal(err)
		}
	}
}

// write renders n pictures of a group into a folder.
func write(dir string, g scenes.Group, first, n, workers int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	rows := make([]string, n)
	var drawing errgroup.Group
	drawing.SetLimit(workers)
	for i := range n {
		drawing.Go(func() error {
			spec, err := g.Spec(first + i)
			if err != nil {
				return err
			}
			f, err := render.Still(spec, 0)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%04d.jpg", i)
			for _, p := range f.Truth.Plates {
				rows[i] += fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%s\n", name, p.Box.Min.X, p.Box.Min.Y, p.Box.Dx(), p.Box.Dy(), p.Text)
			}
			var b bytes.Buffer
			if err := jpeg.Encode(&b, f.Image, &jpeg.Options{Quality: 90}); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
		})
	}
	if err := drawing.Wait(); err != nil {
		return err
	}
	list := "file\tx\ty\tw\th\tplate\n" + strings.Join(rows, "")
	return os.WriteFile(filepath.Join(dir, truth.FileName), []byte(list), 0o644)
}
