package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
)

// normal are the limits of pictures in files.
var normal = Limits{MaxPixels: 50_000_000, MaxSide: 20_000}

// at returns the colour of a pixel as R, G, B.
func at(m gocv.Mat, x, y int) color.RGBA {
	p := m.GetVecbAt(y, x)
	return color.RGBA{p[2], p[1], p[0], 255}
}

func near(a, b color.RGBA) bool {
	d := func(x, y uint8) int { return max(int(x), int(y)) - min(int(x), int(y)) }
	return d(a.R, b.R) <= 12 && d(a.G, b.G) <= 12 && d(a.B, b.B) <= 12
}

// wantCorners checks the colours of the corners, clockwise from the top left:
// r, g, w, b.
func wantCorners(t *testing.T, m gocv.Mat, width, height int, order string) {
	t.Helper()
	if m.Cols() != width || m.Rows() != height || m.Type() != gocv.MatTypeCV8UC3 {
		t.Fatalf("%d x %d of type %v, want %d x %d of 8-bit BGR", m.Cols(), m.Rows(), m.Type(), width, height)
	}
	names := map[byte]color.RGBA{'r': {255, 0, 0, 255}, 'g': {0, 255, 0, 255}, 'b': {0, 0, 255, 255}, 'w': {255, 255, 255, 255}}
	for i, p := range []image.Point{{2, 2}, {width - 3, 2}, {width - 3, height - 3}, {2, height - 3}} {
		if got := at(m, p.X, p.Y); !near(got, names[order[i]]) {
			t.Errorf("corner %d is %v, want %c", i, got, order[i])
		}
	}
}

func decoded(t *testing.T, b []byte) gocv.Mat {
	t.Helper()
	m, err := Decode(b, normal, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts an orientation after the JPEG's first marker, in either byte order.
func withEXIF(jpeg []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	exif := tiffBlock(order, orientation)
	b := append([]byte{}, jpeg[:2]...)
	b = append(b, 0xff, 0xe1)
	b = binary.BigEndian.AppendUint16(b, uint16(2+6+len(exif)))
	b = append(b, "Exif\x00\x00"...)
	b = append(b, exif...)
	return append(b, jpeg[2:]...)
}

func tiffBlock(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, tagOrientation)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, orientation)
	b = order.AppendUint16(b, 0)
	return order.AppendUint32(b, 0)
}

func TestOrientation(t *testing.T) {
	jpeg := capturetest.EncodeJPEG(t, capturetest.Corners(64, 32))
	// Clockwise corners of what a viewer shows.
	for orientation, want := range []string{"rgwb", "rgwb", "grbw", "wbrg", "bwgr", "rbwg", "brgw", "wgrb", "gwbr", "rgwb"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(fmt.Sprintf("%d %v", orientation, order), func(t *testing.T) {
				width, height := 64, 32
				if orientation >= 5 && orientation <= 8 {
					width, height = height, width
				}
				wantCorners(t, decoded(t, withEXIF(jpeg, order, uint16(orientation))), width, height, want)
			})
		}
	}
	t.Run("PNG", func(t *testing.T) {
		b := encodePNG(t, capturetest.Corners(64, 32))
		const behindIHDR = 33
		chunk := append([]byte("eXIf"), tiffBlock(binary.BigEndian, 6)...)
		var c []byte
		c = binary.BigEndian.AppendUint32(c, uint32(len(chunk)-4))
		c = append(c, chunk...)
		c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(chunk))
		b = append(b[:behindIHDR:behindIHDR], append(c, b[behindIHDR:]...)...)
		wantCorners(t, decoded(t, b), 32, 64, "brgw")
	})
	t.Run("TIFF", func(t *testing.T) {
		b := encodeTIFF(t, capturetest.Corners(64, 32))
		for orientation, want := range []string{1: "rgwb", 2: "grbw", 3: "wbrg", 4: "bwgr", 5: "rbwg", 6: "brgw", 7: "wgrb", 8: "gwbr"} {
			if orientation == 0 {
				continue
			}
			width, height := 64, 32
			if orientation >= 5 {
				width, height = height, width
			}
			wantCorners(t, decoded(t, tiffOriented(t, b, uint16(orientation))), width, height, want)
		}
	})
}

func encodeTIFF(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiffOriented puts the orientation in place of a resolution entry, where it
// also belongs by its number if the ones between are gone. Directories are
// sorted: 282 becomes 274 only if nothing from 274 to 281 precedes it wrongly.
func tiffOriented(t *testing.T, b []byte, orientation uint16) []byte {
	t.Helper()
	b = bytes.Clone(b)
	dir := int(binary.LittleEndian.Uint32(b[4:]))
	n := int(binary.LittleEndian.Uint16(b[dir:]))
	type entry [12]byte
	var kept []entry
	for i := range n {
		var e entry
		copy(e[:], b[dir+2+12*i:])
		if binary.LittleEndian.Uint16(e[:]) != 282 { // XResolution makes room
			kept = append(kept, e)
		}
	}
	if len(kept) != n-1 {
		t.Fatal("the TIFF has no resolution entry to replace")
	}
	var e entry
	copy(e[:], tiffBlock(binary.LittleEndian, orientation)[10:22])
	var all []entry
	for i, k := range kept {
		if i == 0 || binary.LittleEndian.Uint16(kept[i-1][:]) < tagOrientation {
			if binary.LittleEndian.Uint16(k[:]) > tagOrientation {
				all = append(all, e)
			}
		}
		all = append(all, k)
	}
	for i, k := range all {
		copy(b[dir+2+12*i:], k[:])
	}
	return b
}

func TestPixelFormats(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 40, 20))
	grey16 := image.NewGray16(image.Rect(0, 0, 40, 20))
	grey := image.NewGray(image.Rect(0, 0, 40, 20))
	alpha := image.NewNRGBA(image.Rect(0, 0, 40, 20))
	alpha16 := image.NewNRGBA64(image.Rect(0, 0, 40, 20))
	palette := image.NewPaletted(image.Rect(0, 0, 40, 20), color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{9, 9, 9, 0}})
	for y := range 20 {
		for x := range 40 {
			deep.SetNRGBA64(x, y, color.NRGBA64{0xffff, 0x8000, 0x0000, 0xffff})
			grey16.SetGray16(x, y, color.Gray16{0x8000})
			grey.SetGray(x, y, color.Gray{200})
			alpha.SetNRGBA(x, y, color.NRGBA{255, 0, 0, byte(255 * (x / 20))})
			alpha16.SetNRGBA64(x, y, color.NRGBA64{0xffff, 0, 0, 0x8000})
			palette.SetColorIndex(x, y, byte(1-x/20))
		}
	}
	var animation bytes.Buffer
	second := image.NewPaletted(palette.Rect, color.Palette{color.White})
	if err := gif.EncodeAll(&animation, &gif.GIF{Image: []*image.Paletted{palette, second}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	var bitmap bytes.Buffer
	if err := bmp.Encode(&bitmap, grey); err != nil {
		t.Fatal(err)
	}
	red, half, hidden := color.RGBA{255, 0, 0, 255}, color.RGBA{192, 64, 64, 255}, color.RGBA{128, 128, 128, 255}
	for _, tt := range []struct {
		name        string
		b           []byte
		left, right color.RGBA
	}{
		{"PNG of 16 bits", encodePNG(t, deep), color.RGBA{255, 128, 0, 255}, color.RGBA{255, 128, 0, 255}},
		{"grey PNG of 16 bits", encodePNG(t, grey16), hidden, hidden},
		{"grey PNG", encodePNG(t, grey), color.RGBA{200, 200, 200, 255}, color.RGBA{200, 200, 200, 255}},
		{"grey JPEG", capturetest.EncodeJPEG(t, grey), color.RGBA{200, 200, 200, 255}, color.RGBA{200, 200, 200, 255}},
		{"PNG with alpha", encodePNG(t, alpha), hidden, red},
		{"PNG with alpha of 16 bits", encodePNG(t, alpha16), half, half},
		{"PNG with a palette", encodePNG(t, palette), hidden, red},
		{"animated GIF", animation.Bytes(), hidden, red},
		{"grey BMP", bitmap.Bytes(), color.RGBA{200, 200, 200, 255}, color.RGBA{200, 200, 200, 255}},
		{"TIFF of 16 bits", encodeTIFF(t, deep), color.RGBA{255, 128, 0, 255}, color.RGBA{255, 128, 0, 255}},
		{"grey TIFF of 16 bits", encodeTIFF(t, grey16), hidden, hidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := decoded(t, tt.b)
			if m.Cols() != 40 || m.Rows() != 20 || m.Type() != gocv.MatTypeCV8UC3 {
				t.Fatalf("%d x %d of type %v", m.Cols(), m.Rows(), m.Type())
			}
			if l, r := at(m, 4, 10), at(m, 35, 10); !near(l, tt.left) || !near(r, tt.right) {
				t.Errorf("left %v, right %v, want %v and %v", l, r, tt.left, tt.right)
			}
		})
	}
}

// A CMYK JPEG as Photoshop writes it (inverted), and what ffmpeg's WebP encoder
// makes.
func TestPicturesOfOtherPrograms(t *testing.T) {
	t.Run("CMYK", func(t *testing.T) {
		b, err := os.ReadFile(filepath.Join("testdata", "cmyk.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		wantCorners(t, decoded(t, b), 64, 32, "rgwb")
	})
	for name, more := range map[string][]string{
		"WebP":          {"-frames:v", "1", "-c:v", "libwebp"},
		"lossless WebP": {"-frames:v", "1", "-c:v", "libwebp", "-lossless", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := decoded(t, encodeWebP(t, more...))
			if m.Cols() != 64 || m.Rows() != 48 || !near(at(m, 30, 20), color.RGBA{254, 0, 0, 255}) {
				t.Errorf("%d x %d with %v in the middle", m.Cols(), m.Rows(), at(m, 30, 20))
			}
		})
	}
}

// encodeWebP makes a picture that turns from red to another colour.
func encodeWebP(t testing.TB, more ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: `sudo apt-get install ffmpeg`")
	}
	out := filepath.Join(t.TempDir(), "picture.webp")
	args := append([]string{"-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "color=red:size=64x48:rate=5,hue=H=t*3"}, more...)
	if complaint, err := exec.Command("ffmpeg", append(args, out)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, complaint)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every format cut off anywhere is an error, and every complete one is not.
func TestTruncated(t *testing.T) {
	img := capturetest.Corners(64, 48)
	for i := range img.Pix { // so that the end of the file matters
		img.Pix[i] ^= byte(i * 7 % 13)
	}
	var bitmap, animation bytes.Buffer
	if err := bmp.Encode(&bitmap, img); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&animation, img, nil); err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string][]byte{
		"JPEG": capturetest.EncodeJPEG(t, img), "PNG": encodePNG(t, img), "BMP": bitmap.Bytes(),
		"TIFF": encodeTIFF(t, img), "GIF": animation.Bytes(), "WebP": encodeWebP(t, "-frames:v", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			decoded(t, whole)
			for n := 0; n < len(whole)-4; n += 1 + len(whole)/97 {
				m, err := Decode(whole[:n], normal, false)
				if err == nil {
					m.Close()
					t.Fatalf("%d of %d bytes give a picture", n, len(whole))
				}
				if !errors.Is(err, fault.ErrPicture) {
					t.Errorf("%d of %d bytes: %v", n, len(whole), err)
				}
			}
		})
	}
}

// JPEGs that are complete although they do not end as they should.
func TestJPEGEndings(t *testing.T) {
	whole := capturetest.EncodeJPEG(t, capturetest.Corners(64, 48))
	for name, b := range map[string][]byte{
		"zeros behind it":           append(bytes.Clone(whole), make([]byte, 100)...),
		"text behind it":            append(bytes.Clone(whole), "made by a camera"...),
		"another picture behind it": append(bytes.Clone(whole), whole[:len(whole)/2]...),
		"no end marker":             whole[:len(whole)-2],
		"padding before the end":    append(append(bytes.Clone(whole[:len(whole)-2]), 0xff, 0xff, 0xff), whole[len(whole)-2:]...),
	} {
		t.Run(name, func(t *testing.T) { wantCorners(t, decoded(t, b), 64, 48, "rgwb") })
	}
	// A thumbnail's end inside a segment is not the picture's.
	thumbnail := []byte{0xff, 0xd8, 0xff, 0xd9}
	app := append([]byte{0xff, 0xe5, 0, byte(2 + len(thumbnail))}, thumbnail...)
	cut := append(append(bytes.Clone(whole[:2]), app...), whole[2:len(whole)*2/3]...)
	if _, err := Decode(cut, normal, false); !errors.Is(err, fault.ErrTruncated) {
		t.Errorf("cut off, with a thumbnail: %v", err)
	}
}

func TestNotPictures(t *testing.T) {
	// sized is a PNG whose header announces another size.
	sized := func(width, height uint32) []byte {
		b := encodePNG(t, image.NewGray(image.Rect(0, 0, 2, 2)))
		binary.BigEndian.PutUint32(b[16:], width)
		binary.BigEndian.PutUint32(b[20:], height)
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want error
		says string
	}{
		{"empty", nil, fault.ErrNotPicture, "empty"},
		{"text", []byte("Dear camera,\nplease look at the road.\n"), fault.ErrNotPicture, "text"},
		{"text that begins like a BMP", []byte("BMW drives by the camera at noon"), fault.ErrNotPicture, "text"},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), fault.ErrNotPicture, "HEIC"},
		{"a program", []byte("\x7fELF\x02\x01\x01\x00"), fault.ErrNotPicture, "begins with"},
		{"30,000 pixels a side", sized(30_000, 30_000), fault.ErrTooLarge, "30000 x 30000"},
		{"30,000 pixels wide", sized(30_000, 10), fault.ErrTooLarge, "30000 x 10"},
		{"no pixels", sized(0, 30_000), fault.ErrDamaged, "non-positive dimension"},
		{"an animated WebP", encodeWebP(t, "-frames:v", "5", "-c:v", "libwebp_anim"), fault.ErrNotPicture, "animated WebP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.b, normal, false)
			var e *fault.Error
			if !errors.Is(err, tt.want) || !errors.Is(err, fault.ErrPicture) || !errors.As(err, &e) || e.Hint() == "" {
				t.Fatalf("error is %v with hint, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}

// A picture of more pixels, or a longer side, than is accepted is refused by its header.
func TestLimits(t *testing.T) {
	b := capturetest.EncodeJPEG(t, image.NewGray(image.Rect(0, 0, 200, 100)))
	for _, l := range []Limits{{MaxPixels: 19_999, MaxSide: 20_000}, {MaxPixels: 20_000, MaxSide: 199}} {
		if _, err := Decode(b, l, false); !errors.Is(err, fault.ErrTooLarge) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	m, err := Decode(b, Limits{MaxPixels: 20_000, MaxSide: 200}, false)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	one := decoded(t, encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1))))
	if one.Cols() != 1 || one.Rows() != 1 {
		t.Errorf("one pixel became %d x %d", one.Cols(), one.Rows())
	}
}

// An MJPEG stream holds JPEGs and nothing else, whatever a camera sends.
func TestOnlyJPEG(t *testing.T) {
	img := capturetest.Corners(64, 32)
	var bitmap, animation bytes.Buffer
	if bmp.Encode(&bitmap, img) != nil || gif.Encode(&animation, img, nil) != nil {
		t.Fatal("cannot make the pictures")
	}
	for name, b := range map[string][]byte{"PNG": encodePNG(t, img), "TIFF": encodeTIFF(t, img), "BMP": bitmap.Bytes(), "GIF": animation.Bytes(),
		"WebP": encodeWebP(t, "-frames:v", "1")} {
		decoded(t, b)
		if _, err := Decode(b, normal, true); !errors.Is(err, fault.ErrNotPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := Decode(capturetest.EncodeJPEG(t, img), normal, true)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

func FuzzDecode(f *testing.F) {
	img := capturetest.Corners(24, 16)
	var bitmap, animation bytes.Buffer
	if bmp.Encode(&bitmap, img) != nil || gif.Encode(&animation, img, nil) != nil {
		f.Fatal("cannot make the seeds")
	}
	jpeg := capturetest.EncodeJPEG(f, img)
	for _, b := range [][]byte{jpeg, jpeg[:len(jpeg)/2], withEXIF(jpeg, binary.LittleEndian, 6), encodePNG(f, img),
		encodeTIFF(f, img), bitmap.Bytes(), animation.Bytes(), []byte("text"), encodeWebP(f, "-frames:v", "2", "-c:v", "libwebp_anim")} {
		f.Add(b)
	}
	limits := Limits{MaxPixels: 1 << 20, MaxSide: 4096}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b, limits, false)
		if err != nil {
			if !errors.Is(err, fault.ErrPicture) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		defer m.Close()
		if m.Empty() || m.Type() != gocv.MatTypeCV8UC3 || m.Cols()*m.Rows() > limits.MaxPixels {
			t.Fatalf("%d x %d of type %v", m.Cols(), m.Rows(), m.Type())
		}
	})
}

// BenchmarkDecode is one 720p JPEG.
func BenchmarkDecode(b *testing.B) {
	jpeg := capturetest.EncodeJPEG(b, capturetest.Corners(1280, 720))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(jpeg, normal, false)
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}
