package mjpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

// dialects are streams as cameras write them, each of the same three pictures.
func dialects(pictures [][]byte) map[string]struct{ kind, body string } {
	type dialect = struct{ kind, body string }
	each := func(first, head string, off int) string {
		var b strings.Builder
		for i, p := range pictures {
			h := head
			if i == 0 {
				h = first
			}
			if strings.Contains(h, "%d") {
				h = fmt.Sprintf(h, len(p)+off)
			}
			b.WriteString(h)
			b.Write(p)
		}
		return b.String()
	}
	const length = "\r\n--x1\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
	const multipart = "multipart/x-mixed-replace; boundary="
	noEnd := func(s string) string { return strings.ReplaceAll(s, "\xff\xd9\r\n", "\r\n") }
	return map[string]dialect{
		"by the book":                 {multipart + "x1", each(length[2:], length, 0) + "\r\n--x1--\r\n"},
		"two dashes too many":         {multipart + "--x1", each(length, length, 0) + "\r\n--x1"},
		"a delimiter without dashes":  {multipart + "x1", each("x1\r\nContent-Length: %d\r\n\r\n", "\r\nx1\r\nContent-Length: %d\r\n\r\n", 0)},
		"no length":                   {`multipart/mixed; boundary="x1"`, each("--x1\r\n\r\n", "\r\n--x1\r\n\r\n", 0)},
		"plain line feeds":            {multipart + "x1", each("\n--x1\n\n", "\n--x1\nX-Time: 1\n\n", 0)},
		"nothing between":             {multipart + "x1", each("", "", 0)},
		"first without a boundary":    {multipart + "x1", each("", length, 0)},
		"a length that is too small":  {multipart + "x1", each(length, length, -7)},
		"a length that is too large":  {multipart + "x1", each(length, length, 9)},
		"a length of nothing":         {multipart + "x1", each(length, length, -len(pictures[0]))},
		"boundary with blanks":        {multipart + "my boundary", each("--my boundary\r\n\r\n", "\r\n--my boundary\r\n\r\n", 0)},
		"boundary with a slash":       {multipart + "a/b", each("--a/b\r\n\r\n", "\r\n--a/b\r\n\r\n", 0)},
		"boundary with an equal sign": {multipart + "==x==", each("--==x==\r\n\r\n", "\r\n--==x==\r\n\r\n", 0)},
		"no boundary":                 {"multipart/x-mixed-replace", each(length, length, 0)},
		"octets":                      {"application/octet-stream", each(length, length, 0)},
		"no type":                     {"", each(length, length, 0)},
		"rubbish before":              {multipart + "x1", "\xff\xd8\xff\xe0\x00" + strings.Repeat("rubbish\xff\xd8", 40) + each(length, length, 0)},
		"pictures without an end":     {multipart + "x1", noEnd(each(length, length, 0)+"\r\n") + "--x1\r\n\r\n\xff\xd8"},
	}
}

// drawn is a small picture of a grey, with a thumbnail in it.
func drawn(t testing.TB, grey byte) []byte {
	img := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	b := capturetest.EncodeJPEG(t, img)
	thumbnail := append([]byte("Exif\x00\x00"), b...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(thumbnail)))
	return bytes.Join([][]byte{b[:2], segment, thumbnail, b[2:]}, nil)
}

// Every dialect gives each picture, byte by byte.
func TestDialects(t *testing.T) {
	pictures := [][]byte{drawn(t, 40), drawn(t, 120), drawn(t, 200)}
	for name, tt := range dialects(pictures) {
		for _, packet := range []int{1 << 20, 7} {
			p, err := picturesOf(&http.Response{Header: http.Header{"Content-Type": {tt.kind}}, ContentLength: -1,
				Body: io.NopCloser(&packets{strings.NewReader(tt.body), packet})})
			if err != nil {
				t.Fatal(name, err)
			}
			for i, want := range pictures {
				got, err := p.next()
				if err != nil || !bytes.Equal(got, want) && !strings.Contains(name, "without an end") {
					t.Errorf("%s: picture %d is %d bytes instead of %d, %v", name, i, len(got), len(want), err)
				}
			}
			if got, err := p.next(); err == nil {
				t.Errorf("%s: a fourth picture of %d bytes", name, len(got))
			}
		}
	}
}

// packets gives a few bytes at once.
type packets struct {
	r io.Reader
	n int
}

func (p *packets) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

// TestFieldDialects: MJPEG as cameras write it, over HTTP: no first boundary, none at
// all, wrong lengths, octets, pictures without an end; each is decoded.
func TestFieldDialects(t *testing.T) {
	t.Parallel()
	pictures := [][]byte{drawn(t, 40), drawn(t, 120), drawn(t, 200)}
	all := dialects(pictures)
	if os.Getenv("PLATEWATCH_FIELD") == "" { // each has a decoder of its own; TestDialects reads all
		maps.DeleteFunc(all, func(name string, _ struct{ kind, body string }) bool {
			return !slices.Contains([]string{"first without a boundary", "octets", "pictures without an end"}, name)
		})
	}
	for name, tt := range all {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = []string{tt.kind}
			io.WriteString(w, tt.body)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}))
		src, err := sourcetest.Open(t.Context(), Kind, source.Config{Source: s.URL})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			s.Close()
			continue
		}
		m := gocv.NewMat()
		for _, want := range []float64{40, 120, 200} {
			if _, err := src.Read(&m); err != nil || m.Cols() != 64 || m.Mean().Val1 < want-3 || m.Mean().Val1 > want+3 {
				t.Errorf("%s: picture of grey %g: %v", name, want, err)
				break
			}
		}
		m.Close()
		src.Close()
		s.CloseClientConnections()
		s.Close()
	}
	t.Attr("outcome", fmt.Sprintf("%d dialects, every picture of each", len(all)))
}

// TestFieldRedirects: a redirection to another path of the camera is followed, and the
// password goes with it; one to another host is not.
func TestFieldRedirects(t *testing.T) {
	t.Parallel()
	body := dialects([][]byte{drawn(t, 40), drawn(t, 40), drawn(t, 40)})["by the book"]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="camera"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path != "/live/1" {
			http.Redirect(w, r, "/live/1", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Type", body.kind)
		io.WriteString(w, body.body)
	}))
	defer s.Close()
	src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: strings.Replace(s.URL, "://", "://u:p@", 1) + "/old"})
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); err != nil {
		t.Error(err)
	}
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	away := httptest.NewServer(http.RedirectHandler(other.URL+"/x", http.StatusFound))
	defer away.Close()
	_, err := sourcetest.Open(t.Context(), Kind, source.Config{Source: away.URL})
	if err == nil || !strings.Contains(err.Error(), other.URL) || asked {
		t.Errorf("redirected to another port: %v, asked there: %v", err, asked)
	}
}

// FuzzPictures: whatever a camera sends, its pictures are bounded, the reader comes to
// an end, and after garbage without a start marker the next picture is found.
func FuzzPictures(f *testing.F) {
	picture := drawn(f, 90)
	f.Add([]byte("--x1\r\nContent-Length: 3\r\n\r\nabc\r\n--x1\r\n\r\nabc\r\n--x1--"))
	f.Add(picture)
	f.Add(picture[:len(picture)/2])
	f.Add([]byte("\xff\xd8\xff\xe0\xff\xff"))
	f.Add([]byte("\xff\xd8\xff\xda\x00\x02\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &pictureReader{r: bytes.NewReader(b)}
		for total := 0; ; {
			got, err := p.next()
			if err != nil {
				break
			}
			if total += len(got); total > len(b) || len(got) < 4 || !bytes.HasPrefix(got, soi) {
				t.Fatalf("a picture of %d bytes, %d so far, out of %d", len(got), total, len(b))
			}
		}
		if bytes.Contains(b, soi) || len(b) > maxRubbish || bytes.HasSuffix(b, soi[:1]) {
			return
		}
		p = &pictureReader{r: io.MultiReader(bytes.NewReader(b), bytes.NewReader(picture))}
		if got, err := p.next(); err != nil || !bytes.Equal(got, picture) {
			t.Fatalf("after %d bytes of garbage the picture is %d bytes, %v", len(b), len(got), err)
		}
	})
}

// Many false start markers cost no more than their bytes.
func BenchmarkFalseBeginnings(b *testing.B) {
	var hostile []byte
	for range 8192 {
		hostile = append(hostile, 0xff, 0xd8, 0xff, 0xe0, 0xf0, 0x00)
	}
	for len(hostile) < 4<<20 {
		hostile = append(hostile, 0xff, 0xe0, 0x00, 0x02)
	}
	b.SetBytes(int64(len(hostile)))
	for b.Loop() {
		p := &pictureReader{r: bytes.NewReader(hostile)}
		for {
			if _, err := p.next(); err != nil {
				break
			}
		}
	}
}
