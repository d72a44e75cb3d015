package ocr

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#include "threads.h"
*/
import "C"

import "sync"

// oneThread keeps OpenCV from spreading one frame's work over all cores: a unit
// with several cameras reads several frames at once instead, which costs less in
// total, and one camera leaves the other cores free. The setting is global to
// the process.
var oneThread = sync.OnceFunc(func() { C.pw_one_thread() })
