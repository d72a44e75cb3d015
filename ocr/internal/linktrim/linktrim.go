// Package linktrim keeps the program small: `platewatch read` of one picture
// needs 109 MiB of resident memory instead of 127, of a hundred pictures 129
// instead of 176. Importing the package is enough.
//
// nowindows.cpp replaces parts of Debian's OpenCV that no roadside unit uses:
// windows, and with them Qt and OpenGL, and the two hundred formats of GDAL.
// gocv binds all of OpenCV, so the program needs the window functions at link
// time; the linker takes them from here, and drops the library. OpenCV registers
// GDAL's formats before it decodes its first picture, whatever its format; a
// program's own functions take precedence over those of libraries, so the empty
// one from here is called.
//
// heap.cpp makes all threads share one C heap. Go calls OpenCV from any free
// thread, and glibc would give each thread its own heap, so that each would keep
// the memory of a frame. Memory that a frame released is kept for the next one,
// up to 16 MiB, instead of asking the kernel for zeroed pages for every frame.
package linktrim

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#cgo LDFLAGS: -Wl,--as-needed
*/
import "C"
