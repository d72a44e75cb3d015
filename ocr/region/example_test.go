package region_test

import (
	"fmt"

	"platewatch/ocr/region"
)

// The formats of a region tell which of two readings is the likelier one.
func ExampleParse() {
	set, err := region.Parse("nl")
	if err != nil {
		panic(err)
	}
	fmt.Println(set.Prior("16RSL9") > set.Prior("I6RSL9"))
	// Output: true
}
