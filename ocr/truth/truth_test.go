package truth

import (
	"image"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const text = "\ufefffile\tx\ty\tw\th\tplate\r\na.jpg\t1\t2\t30\t10\tAB12\r\nb.jpg\t\t\t\t\t\r\na.jpg\t\t\t\t\tCD34\r\n"
	got, err := parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &Set{Files: []File{
		{Name: "a.jpg", Plates: []Plate{{"AB12", image.Rect(1, 2, 31, 12)}, {Text: "CD34"}}},
		{Name: "b.jpg"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestParseVideos(t *testing.T) {
	got, err := parse(strings.NewReader("file\tplates\nc.mp4\tAB12, CD34\nd.mp4\t\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Set{Video: true, Files: []File{{Name: "c.mp4", Plates: []Plate{{Text: "AB12"}, {Text: "CD34"}}}, {Name: "d.mp4"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":         {"", "1: the header is"},
		"another header":  {"plate,file\n", "1: the header is"},
		"missing columns": {"file\tx\ty\tw\th\tplate\n\na.jpg\tAB12\n", "3: 2 columns instead of 6"},
		"half a box":      {"file\tx\ty\tw\th\tplate\na.jpg\t1\t2\t\t\tAB12\n", "2: the box"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("file\tx\ty\tw\th\tplate\na.jpg\t1\t2\t3\t4\tAB\n")
	f.Add("file\tplates\nc.mp4\tAB, CD\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := parse(strings.NewReader(text))
		if (set == nil) == (err == nil) {
			t.Errorf("set %v with error %v", set, err)
		}
	})
}
