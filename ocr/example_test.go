package ocr_test

import (
	"context"
	"fmt"

	"gocv.io/x/gocv"

	"platewatch/ocr"
)

// A picture of a vehicle is read with the built-in model. Lettering that may be a
// plate, here the camera's own name, is reported with a low confidence.
func Example() {
	recogniser, err := ocr.New(ocr.PictureParams())
	if err != nil {
		panic(err)
	}
	defer recogniser.Close()
	picture := gocv.IMRead("render/testdata/plates/br-mercosul.jpg", gocv.IMReadColor)
	defer picture.Close()
	result, err := recogniser.Recognise(context.Background(), picture)
	if err != nil {
		panic(err)
	}
	for _, plate := range result.Plates {
		if plate.Confidence >= 0.5 {
			fmt.Println(plate.Text)
		}
	}
	// Output: RKT4D82
}
