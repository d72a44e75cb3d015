package main

import (
	"os"
	"strings"
	"testing"
)

// TestNoCodecs: the program that holds the hotlist's key loads no library that
// decodes video, or pictures through OpenCV. Those that Tesseract's Leptonica loads
// are never called.
func TestNoCodecs(t *testing.T) {
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	loaded := string(b)
	if !strings.Contains(loaded, "libopencv_core") {
		t.Fatal("OpenCV itself is not loaded: this test tests nothing")
	}
	for _, name := range []string{"libopencv_videoio", "libopencv_imgcodecs", "libopencv_highgui", "libavcodec", "libavformat", "libswscale",
		"libgdal", "libgstreamer", "libheif", "libdcm"} {
		if strings.Contains(loaded, name) {
			t.Errorf("%s is loaded", name)
		}
	}
}
