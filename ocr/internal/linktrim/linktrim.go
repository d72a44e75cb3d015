// Package lean keeps the program small: `platewatch read` of one picture takes
// 109 MiB of resident memory instead of 127, of a hundred pictures 129 instead
// of 176. Importing it is all there is to do.
//
// lean.cpp leaves out what comes with Debian's OpenCV and what no roadside unit
// uses: windows, and with them Qt and OpenGL, and the two hundred formats of
// GDAL. gocv binds all of OpenCV, so the program needs its windows at link
// time; the linker takes the few functions from here, and no longer needs the
// library. OpenCV registers GDAL's formats before it decodes its first picture,
// of whatever format; a program's own functions come before those of
// libraries, so that it calls the one from here, which does nothing.
//
// heap.cpp lets all threads share one C heap. Go calls OpenCV from whatever
// thread is free, glibc gives each its own heap, and so each comes to hold a
// frame's pictures. And what a frame gave back is kept for the next one, up to
// 16 MiB, instead of asking the kernel for clean pages again and again.
package linktrim

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#cgo LDFLAGS: -Wl,--as-needed
*/
import "C"
