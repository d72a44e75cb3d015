// Package picturetest makes the pictures that a reader of untrusted files has to cope
// with: unusual ones, broken ones and hostile ones. It is for tests.
package picturetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Picture is one odd picture and what a reader should say about it.
type Picture struct {
	Name  string // of the file
	Bytes []byte
	// Plate is what is to be read on it; empty: nothing.
	Plate string
	// Refused is what the error is to say; empty: the picture is fine.
	Refused string
	// Any says that the picture is damaged, but so that it still decodes: it
	// may be read or not.
	Any bool
}

// Plate is the text on the pictures that show one.
const Plate = "KRD8254"

// All makes them. repository is the folder that the module lies in.
func All(t testing.TB, repository string) []Picture {
	t.Helper()
	whole := readFile(t, filepath.Join(repository, "ocr", "render", "testdata", "plates", "us-tx-frame.jpg"))
	car := cutOut(t, whole, image.Rect(310, 300, 560, 470))
	jpg, pngs := encodeJPEG(t, car), encodePNG(t, car)
	animation := animatedGIF(t, car)
	// The car in formats that no Go library writes.
	file := func(name string) []byte {
		return readFile(t, filepath.Join(repository, "cmd", "platewatch", "internal", "picturetest", "testdata", name))
	}
	webp := file("still.webp")
	text := []byte("This is no picture, whatever its name says.\n")
	good := func(name string, b []byte) Picture { return Picture{Name: name, Bytes: b, Plate: Plate} }
	return []Picture{
		good("plain.jpg", jpg),
		good("a name, quite long; with ünusual Zeichen & 'quotes'.jpg", jpg),
		good("a JPEG named.png", jpg),
		good("16 bits.png", encodePNG(t, redrawn(car, image.NewNRGBA64(car.Bounds())))),
		good("grey.png", encodePNG(t, redrawn(car, image.NewGray(car.Bounds())))),
		good("grey, 16 bits.png", encodePNG(t, redrawn(car, image.NewGray16(car.Bounds())))),
		good("grey.jpg", encodeJPEG(t, redrawn(car, image.NewGray(car.Bounds())))),
		good("alpha.png", encodePNG(t, seeThrough(car))),
		good("palette.png", encodePNG(t, redrawn(car, image.NewPaletted(car.Bounds(), greys())))),
		good("progressive.jpg", file("progressive.jpg")),
		good("sideways.jpg", oriented(encodeJPEG(t, turnedLeft(car)), 6)),
		good("still.webp", webp),
		good("animated.gif", animation),
		good("animated.png", animatedPNG(pngs, car.Bounds().Size())),
		good("bitmap.bmp", encodeBMP(t, car)),
		good("tagged.tiff", encodeTIFF(t, car)),
		good("text behind it.jpg", append(bytes.Clone(jpg), text...)),
		{Name: "cmyk.jpg", Bytes: readFile(t, filepath.Join(repository, "capture", "internal", "codec", "testdata", "cmyk.jpg"))},
		{Name: "one pixel.png", Bytes: encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))},
		{Name: "one pixel.jpg", Bytes: encodeJPEG(t, image.NewGray(image.Rect(0, 0, 1, 1)))},
		{Name: "one row.png", Bytes: encodePNG(t, image.NewGray(image.Rect(0, 0, 5000, 1)))},
		{Name: "one column.png", Bytes: encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 5000)))},
		{Name: "nothing to see.png", Bytes: encodePNG(t, image.NewNRGBA(image.Rect(0, 0, 200, 100)))},

		{Name: "animated.webp", Bytes: animatedWebP(webp, car.Bounds().Size()), Refused: "it is an animated WebP"},
		{Name: "damaged.jpg", Bytes: damaged(jpg), Any: true},
		{Name: "damaged.webp", Bytes: damaged(webp), Any: true},
		{Name: "damaged.gif", Bytes: damaged(animation), Any: true},
		{Name: "damaged.png", Bytes: damaged(pngs), Refused: "is damaged"},
		{Name: "cut off.jpg", Bytes: jpg[:len(jpg)*2/3], Refused: "is truncated"},
		{Name: "cut off.png", Bytes: pngs[:len(pngs)*2/3], Refused: "is truncated"},
		{Name: "cut off.webp", Bytes: webp[:len(webp)*2/3], Refused: "is truncated"},
		{Name: "cut off.gif", Bytes: animation[:len(animation)/4], Refused: "is truncated"},
		{Name: "cut off after two bytes.jpg", Bytes: jpg[:2], Refused: "is not a picture"},
		{Name: "empty.jpg", Refused: "is not a picture: it is empty"},
		{Name: "text.jpg", Bytes: text, Refused: "is not a picture: it looks like text"},
		{Name: "a page.png", Bytes: []byte("<!doctype html><title>404</title>"), Refused: "is not a picture: it looks like text"},
		{Name: "phone.jpg", Bytes: []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), Refused: "it is HEIC"},
		{Name: "900 megapixels.png", Bytes: resized(pngs, 30_000, 30_000), Refused: "is too large: 30000 x 30000"},
		{Name: "51 megapixels.png", Bytes: resized(pngs, 8_500, 6_000), Refused: "is too large: 8500 x 6000 are 51 megapixels"},
		{Name: "no pixels.png", Bytes: resized(pngs, 0, 100), Refused: "is damaged: png: invalid format: non-positive dimension"},
		{Name: "more than it holds.png", Bytes: resized(pngs, 6_000, 6_000), Refused: "is damaged"},
		{Name: "4 gigapixels.gif", Bytes: hugeGIF(animation), Refused: "is too large: 65535 x 65535"},
		{Name: "tiles.tiff", Bytes: tiledTIFF(16, 16, 1<<20, 1<<20), Refused: "is too large: it is stored in tiles of 1048576 x 1048576"},
		{Name: "a thousand scans.jpg", Bytes: manyScans(file("progressive.jpg")), Refused: "the JPEG has more than 100 scans"},
	}
}

// Large makes pictures that are as large as a picture may be.
func Large(t testing.TB) []Picture {
	t.Helper()
	grey := image.NewGray(image.Rect(0, 0, 8160, 6120))
	for i := range grey.Pix {
		grey.Pix[i] = 90
	}
	draw.Draw(grey, image.Rect(3000, 3000, 3600, 3120), image.White, image.Point{}, draw.Src)
	return []Picture{
		{Name: "50 megapixels.jpg", Bytes: encodeJPEG(t, grey), Any: true},
		{Name: "50 megapixels.gif", Bytes: encodeGIF(t, image.NewPaletted(image.Rect(0, 0, 7000, 7100), greys()))},
		{Name: "50 megapixels, 16 bits, alpha.png", Bytes: blankPNG(t, 7000, 7100)},
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cutOut(t testing.TB, b []byte, part image.Rectangle) *image.NRGBA {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(image.Rectangle{Max: part.Size()})
	draw.Draw(out, out.Bounds(), img, part.Min, draw.Src)
	return out
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeGIF(t testing.TB, img *image.Paletted) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encodeBMP and encodeTIFF write what the standard library does not.
func encodeBMP(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeTIFF(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func redrawn[I draw.Image](img image.Image, on I) I {
	draw.Draw(on, on.Bounds(), img, img.Bounds().Min, draw.Src)
	return on
}

func greys() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		p[i] = color.Gray{uint8(i)}
	}
	return p
}

// seeThrough makes the picture's rim transparent, in colours that would
// disturb if they were seen.
func seeThrough(img *image.NRGBA) *image.NRGBA {
	out := redrawn(img, image.NewNRGBA(img.Bounds()))
	inner := out.Bounds().Inset(20)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			if !(image.Point{X: x, Y: y}).In(inner) {
				out.SetNRGBA(x, y, color.NRGBA{R: uint8(x * 91), G: uint8(y * 57), B: uint8(x * y)})
			}
		}
	}
	return out
}

func turnedLeft(img *image.NRGBA) *image.NRGBA {
	size := img.Rect.Size()
	out := image.NewNRGBA(image.Rect(0, 0, size.Y, size.X))
	for y := range size.Y {
		for x := range size.X {
			out.SetNRGBA(y, size.X-1-x, img.NRGBAAt(x, y))
		}
	}
	return out
}

// oriented puts an EXIF block with an orientation after a JPEG's first marker.
func oriented(b []byte, orientation byte) []byte {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00"
	out := append(bytes.Clone(b[:2]), 0xff, 0xe1, 0, byte(2+len(exif)))
	return append(append(out, exif...), b[2:]...)
}

func animatedGIF(t testing.TB, img image.Image) []byte {
	t.Helper()
	first := redrawn(img, image.NewPaletted(img.Bounds(), greys()))
	second := image.NewPaletted(img.Bounds(), greys())
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{10, 10}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chunk is a PNG chunk.
func chunk(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, kind...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

const (
	pngHead = 8 + 25 // signature and IHDR
	pngEnd  = 12     // IEND
)

// animatedPNG makes the first of two frames of a PNG; the second is one pixel
// of rubbish (PNG third edition, 11.3.6).
func animatedPNG(b []byte, size image.Point) []byte {
	control := func(number uint32, width, height int) []byte {
		c := binary.BigEndian.AppendUint32(nil, number)
		for _, v := range []int{width, height, 0, 0} {
			c = binary.BigEndian.AppendUint32(c, uint32(v))
		}
		return chunk("fcTL", append(c, 0, 1, 0, 10, 0, 0))
	}
	out := bytes.Clone(b[:pngHead])
	out = append(out, chunk("acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})...)
	out = append(out, control(0, size.X, size.Y)...)
	out = append(out, b[pngHead:len(b)-pngEnd]...)
	out = append(out, control(1, 1, 1)...)
	out = append(out, chunk("fdAT", []byte("\x00\x00\x00\x02rubbish"))...)
	return append(out, b[len(b)-pngEnd:]...)
}

// resized makes a PNG announce another size, with the right checksum.
func resized(b []byte, width, height uint32) []byte {
	head := bytes.Clone(b[16 : pngHead-4])
	binary.BigEndian.PutUint32(head, width)
	binary.BigEndian.PutUint32(head[4:], height)
	return append(append(bytes.Clone(b[:8]), chunk("IHDR", head)...), b[pngHead:]...)
}

// animatedWebP shows a lossy WebP twice (RFC 9649, 2.7.1).
func animatedWebP(still []byte, size image.Point) []byte {
	riff := func(kind string, content []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(content)))
		b = append(b, content...)
		return append(b, make([]byte, len(content)%2)...)
	}
	int24 := func(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
	body := []byte("WEBP")
	const animation = 2
	body = append(body, riff("VP8X", append(append([]byte{animation, 0, 0, 0}, int24(size.X-1)...), int24(size.Y-1)...))...)
	body = append(body, riff("ANIM", make([]byte, 6))...)
	frame := append(make([]byte, 6), append(int24(size.X-1), int24(size.Y-1)...)...)
	frame = append(frame, 100, 0, 0, 0)
	frame = append(frame, still[12:]...)
	for range 2 {
		body = append(body, riff("ANMF", frame)...)
	}
	return riff("RIFF", body)
}

// damaged flips bits in the second half.
func damaged(b []byte) []byte {
	b = bytes.Clone(b)
	for i := len(b) / 2; i < len(b)/2+20; i++ {
		b[i] ^= 0x55
	}
	return b
}

func hugeGIF(b []byte) []byte {
	b = bytes.Clone(b)
	copy(b[6:], "\xff\xff\xff\xff")
	return b
}

// tiledTIFF is a small picture in large tiles that are not there.
func tiledTIFF(width, height, tileWidth, tileHeight uint32) []byte {
	entries := [][2]uint32{{256, width}, {257, height}, {258, 8}, {259, 1}, {262, 1}, {277, 1},
		{322, tileWidth}, {323, tileHeight}, {324, 8}, {325, 1 << 30}}
	b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		const long = 4
		b = binary.LittleEndian.AppendUint16(b, long)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, e[1])
	}
	return binary.LittleEndian.AppendUint32(b, 0)
}

// manyScans repeats a progressive picture's last scan.
func manyScans(b []byte) []byte {
	last := bytes.LastIndex(b, []byte{0xff, 0xda})
	end := len(b) - 2
	out := bytes.Clone(b[:end])
	for range 1000 {
		out = append(out, b[last:end]...)
	}
	return append(out, b[end:]...)
}

// blankPNG is a transparent PNG of 16 bits a channel.
func blankPNG(t testing.TB, width, height int) []byte {
	t.Helper()
	const depth, colourAndAlpha, pixel = 16, 6, 8
	header := binary.BigEndian.AppendUint32(nil, uint32(width))
	header = binary.BigEndian.AppendUint32(header, uint32(height))
	header = append(header, depth, colourAndAlpha, 0, 0, 0)
	var pixels bytes.Buffer
	w, err := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]byte, 1+pixel*width)
	for range height {
		if _, err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		kind    string
		content []byte
	}{{"IHDR", header}, {"IDAT", pixels.Bytes()}, {"IEND", nil}} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(c.content)))
		at := len(b)
		b = append(append(b, c.kind...), c.content...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
	}
	return b
}
