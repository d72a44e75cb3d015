package look

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/capture/fault"
	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/picturetest"
	"platewatch/ocr"
	"platewatch/ocr/text"
)

const repository = "../../../.."

func openRecogniser(t testing.TB) *ocr.Recogniser {
	t.Helper()
	r, err := ocr.New(ocr.PictureParams())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func openReader(t testing.TB, l still.Limits) *still.Reader {
	t.Helper()
	r := still.NewReader(l)
	t.Cleanup(func() { r.Close() })
	return r
}

// TestOddPictures: whatever a picture is like, there is a result or an error
// that says what is wrong and what to do; drawing what was seen changes
// neither.
func TestOddPictures(t *testing.T) {
	plain := Looker{Recogniser: openRecogniser(t), Pictures: openReader(t, still.Limits{})}
	drawing := Looker{Recogniser: plain.Recogniser, Pictures: plain.Pictures, Annotate: NewAlbum(t.TempDir()), Stages: NewAlbum(t.TempDir())}
	dir := t.TempDir()
	for _, p := range picturetest.All(t, repository) {
		t.Run(p.Name, func(t *testing.T) {
			path := filepath.Join(dir, p.Name)
			if err := os.WriteFile(path, p.Bytes, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, looker := range []Looker{plain, drawing} {
				var got *Picture
				err := looker.Look(t.Context(), Input{Name: path}, func(line any) error {
					picture := line.(Picture)
					got = &picture
					return nil
				})
				check(t, p, got, err)
			}
		})
	}
}

func check(t *testing.T, p picturetest.Picture, got *Picture, err error) {
	t.Helper()
	if err != nil {
		var e *fault.Error
		switch {
		case !errors.As(err, &e) || e.Hint() == "" || !errors.Is(err, fault.ErrPicture):
			t.Errorf("the error is %v, with no hint", err)
		case !p.Any && (p.Refused == "" || !strings.Contains(err.Error(), p.Refused)):
			t.Errorf("the error is %q, want %q", err, p.Refused)
		case got != nil:
			t.Errorf("there is a result beside the error %v", err)
		}
		return
	}
	if got == nil {
		t.Fatal("neither a result nor an error")
	}
	var texts []string
	for _, plate := range got.Plates {
		texts = append(texts, plate.Text)
	}
	switch {
	case p.Any:
	case p.Refused != "":
		t.Errorf("read %q, want an error that says %q", texts, p.Refused)
	case p.Plate == "" && len(texts) > 0:
		t.Errorf("read %q, want nothing", texts)
	case p.Plate != "" && (len(texts) == 0 || texts[0] != p.Plate):
		t.Errorf("read %q, want %s", texts, p.Plate)
	}
}

// FuzzRead decodes and reads whatever bytes there are. What is read must make
// sense on the picture that it was read on.
func FuzzRead(f *testing.F) {
	r := openRecogniser(f)
	pictures := openReader(f, still.Limits{MaxPixels: 1 << 20, MaxSide: 1 << 12})
	path := filepath.Join(f.TempDir(), "picture")
	for _, p := range picturetest.All(f, repository) {
		f.Add(p.Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		img, err := pictures.Read(t.Context(), path)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || e.Hint() == "" {
				t.Errorf("the error is %v, with no hint", err)
			}
			return
		}
		defer img.Close()
		res, err := r.Recognise(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		whole := image.Rect(0, 0, img.Cols(), img.Rows())
		for _, a := range res.Attempts {
			if a.Verdict == (ocr.Verdict{}) {
				t.Errorf("the candidate at %v has no verdict", a.Candidate.Box)
			}
		}
		for _, p := range res.Plates {
			if !p.Box.In(whole) || !(p.Confidence >= 0 && p.Confidence <= 1) || len(p.Characters) != len(p.Text) ||
				strings.Trim(p.Text, text.Alphabet) != "" {
				t.Errorf("%v: read %+v", whole, p)
			}
		}
	})
}
