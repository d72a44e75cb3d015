// Package truth reads truth.tsv, the list of correct answers beside labelled
// pictures and clips.
//
// For pictures the header is `file x y w h plate`, for videos `file plates`
// (comma separated), with tabs between the columns. A file with several plates
// has several rows; an empty box is unknown; a row with an empty plate says that
// the picture shows no plate.
package truth

import (
	"bufio"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FileName is the name of the list in its folder.
const FileName = "truth.tsv"

// Plate is one labelled plate.
type Plate struct {
	Text string
	Box  image.Rectangle // pixels of the upright picture; empty if unknown
}

// Overlap is the intersection of a labelled and a found box over their union,
// 0–1.
func Overlap(a, b image.Rectangle) float64 {
	i := a.Intersect(b)
	if i.Empty() {
		return 0
	}
	inside := i.Dx() * i.Dy()
	return float64(inside) / float64(a.Dx()*a.Dy()+b.Dx()*b.Dy()-inside)
}

// File is a picture or clip with all its plates, in the list's order.
type File struct {
	Name   string // relative to the folder
	Plates []Plate
}

// Set is one folder's list.
type Set struct {
	Dir   string
	Video bool // the files are clips
	Files []File
}

// Open reads dir's list.
func Open(dir string) (*Set, error) {
	path := filepath.Join(dir, FileName)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	set, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	set.Dir = dir
	return set, nil
}

func parse(r io.Reader) (*Set, error) {
	s := bufio.NewScanner(r)
	s.Scan()
	header := strings.TrimRight(strings.TrimPrefix(s.Text(), "\ufeff"), "\r")
	set := &Set{}
	switch header {
	case "file\tx\ty\tw\th\tplate":
	case "file\tplates":
		set.Video = true
	default:
		return nil, fmt.Errorf("1: the header is %q, not \"file x y w h plate\" or \"file plates\" with tabs between", header)
	}
	at := map[string]int{}
	for n := 2; s.Scan(); n++ {
		text := strings.TrimRight(s.Text(), "\r")
		if text == "" {
			continue
		}
		cells := strings.Split(text, "\t")
		if want := strings.Count(header, "\t") + 1; len(cells) != want {
			return nil, fmt.Errorf("%d: %d columns instead of %d", n, len(cells), want)
		}
		i, ok := at[cells[0]]
		if !ok {
			i = len(set.Files)
			at[cells[0]] = i
			set.Files = append(set.Files, File{Name: cells[0]})
		}
		f := &set.Files[i]
		if set.Video {
			for p := range strings.SplitSeq(cells[1], ",") {
				if p = strings.TrimSpace(p); p != "" {
					f.Plates = append(f.Plates, Plate{Text: p})
				}
			}
			continue
		}
		if cells[5] == "" {
			continue
		}
		box, err := parseBox(cells[1:5])
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		f.Plates = append(f.Plates, Plate{cells[5], box})
	}
	return set, s.Err()
}

func parseBox(cells []string) (image.Rectangle, error) {
	if strings.Join(cells, "") == "" {
		return image.Rectangle{}, nil
	}
	var v [4]int
	for i, c := range cells {
		n, err := strconv.Atoi(c)
		if err != nil {
			return image.Rectangle{}, fmt.Errorf("the box %s is not four whole numbers x, y, w, h", strings.Join(cells, " "))
		}
		v[i] = n
	}
	return image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]), nil
}
