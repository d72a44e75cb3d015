package nowindows

import (
	"os"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

// TestNoWindows: a program that uses gocv and this package loads no library
// for windows.
func TestNoWindows(t *testing.T) {
	m := gocv.NewMat()
	defer m.Close()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	loaded := string(b)
	if !strings.Contains(loaded, "libopencv_core") {
		t.Fatal("OpenCV itself is not loaded: this test tests nothing")
	}
	for _, name := range []string{"libopencv_highgui", "libQt"} {
		if strings.Contains(loaded, name) {
			t.Errorf("%s is loaded", name)
		}
	}
}
