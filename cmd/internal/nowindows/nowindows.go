// Package nowindows keeps two libraries out of the programs that use gocv: windows,
// and with them Qt and OpenGL, and the two hundred formats of GDAL. Importing the
// package is enough.
//
// gocv binds all of OpenCV, so a program needs the window functions at link time;
// the linker takes them from here, and drops the library. OpenCV registers GDAL's
// formats before it decodes its first picture, whatever its format; a program's own
// functions take precedence over those of libraries, so the empty one from here is
// called.
package nowindows

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#cgo LDFLAGS: -Wl,--as-needed
*/
import "C"
