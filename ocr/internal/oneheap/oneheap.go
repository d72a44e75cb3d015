// Package oneheap makes all threads share one C heap; importing it is enough. Go
// calls OpenCV from any free thread, and glibc would give each thread its own heap,
// so that each would keep the memory of a frame. Memory that a frame released is
// kept for the next one, up to 16 MiB, instead of asking the kernel for zeroed pages
// for every frame.
package oneheap

/*
#cgo CXXFLAGS: -std=c++17
*/
import "C"
