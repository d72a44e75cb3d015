// Command platewatch-decode decodes the video of one camera for platewatch, which
// starts it: see capture/README.md. It is of no use by itself.
package main

import (
	"os"

	"platewatch/capture/decoder"
	_ "platewatch/cmd/internal/nowindows" // or Qt and GDAL would be loaded
)

func main() { os.Exit(decoder.Main()) }
