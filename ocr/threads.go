package ocr

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#include "threads.h"
*/
import "C"

import "sync"

// oneThread keeps OpenCV from spreading one frame's work over all cores: a
// unit with several cameras reads several frames at once instead, which costs
// less in all, and one camera leaves the other cores alone. The setting is the
// process's.
var oneThread = sync.OnceFunc(func() { C.pw_one_thread() })
