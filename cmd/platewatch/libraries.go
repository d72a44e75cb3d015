package main

import (
	_ "platewatch/cmd/internal/nowindows"           // or Qt would be loaded
	_ "platewatch/cmd/platewatch/internal/nocodecs" // or FFmpeg would
)
