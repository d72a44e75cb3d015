package codec

import (
	"fmt"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
)

// backdrop is the grey that shows through transparent pixels: neither a dark
// nor a light character becomes invisible on it.
const backdrop = 128

// toBGR replaces m by its 8-bit BGR form.
func toBGR(m *gocv.Mat) error {
	if err := toEightBit(m); err != nil {
		return err
	}
	switch m.Channels() {
	case 1:
		convert(m, gocv.ColorGrayToBGR)
	case 3:
	case 4:
		flatten(m)
	default:
		return fmt.Errorf("%w: it has %d channels", fault.ErrDamaged, m.Channels())
	}
	return nil
}

// toEightBit scales deeper pixels. OpenCV numbers the depth in the lower three
// bits of the type.
func toEightBit(m *gocv.Mat) error {
	const depthBits = 7
	scale := float32(1)
	switch depth := m.Type() & depthBits; depth {
	case gocv.MatTypeCV8U:
		return nil
	case gocv.MatTypeCV16U:
		scale = 1.0 / 257
	case gocv.MatTypeCV32F, gocv.MatTypeCV64F: // 0 to 1
		scale = 255
	default:
		return fmt.Errorf("%w: pixels of OpenCV depth %d are not known", fault.ErrDamaged, depth)
	}
	eight := gocv.NewMat()
	m.ConvertToWithParams(&eight, gocv.MatTypeCV8U, scale, 0)
	m.Close()
	*m = eight
	return nil
}

func convert(m *gocv.Mat, code gocv.ColorConversionCode) {
	to := gocv.NewMat()
	gocv.CvtColor(*m, &to, code)
	m.Close()
	*m = to
}

// flatten lays an 8-bit BGRA picture on the backdrop.
func flatten(m *gocv.Mat) {
	if px, err := m.DataPtrUint8(); err == nil {
		for i := 0; i+3 < len(px); i += 4 {
			a := int(px[i+3])
			if a == 255 {
				continue
			}
			for c := range 3 {
				px[i+c] = byte((int(px[i+c])*a + backdrop*(255-a) + 127) / 255)
			}
		}
	}
	convert(m, gocv.ColorBGRAToBGR)
}

// turnUpright applies an EXIF orientation (TIFF 6.0, tag 274: where the first
// row and column of the stored picture belong). Others than 2 to 8 do nothing.
func turnUpright(m *gocv.Mat, orientation int) {
	const vertical, horizontal, both = 0, 1, -1 // axes of cv::flip
	to := gocv.NewMat()
	switch orientation {
	case 2: // mirrored
		gocv.Flip(*m, &to, horizontal)
	case 3: // upside down
		gocv.Flip(*m, &to, both)
	case 4: // mirrored upside down
		gocv.Flip(*m, &to, vertical)
	case 5: // mirrored along the main diagonal
		gocv.Transpose(*m, &to)
	case 6: // to be turned 90 degrees clockwise
		gocv.Rotate(*m, &to, gocv.Rotate90Clockwise)
	case 7: // mirrored along the other diagonal
		gocv.Transpose(*m, &to)
		gocv.Flip(to, &to, both)
	case 8: // to be turned 90 degrees counterclockwise
		gocv.Rotate(*m, &to, gocv.Rotate90CounterClockwise)
	default:
		to.Close()
		return
	}
	m.Close()
	*m = to
}
