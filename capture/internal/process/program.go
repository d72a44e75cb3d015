package process

import (
	"fmt"
	"os"
	"path/filepath"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
)

// find is the path of the decoder's program.
func find() (string, error) {
	path := os.Getenv(handover.Variable)
	if path == "" {
		own, err := os.Executable()
		if err != nil {
			return "", err
		}
		path = filepath.Join(filepath.Dir(own), handover.Program)
	}
	if _, err := os.Stat(path); err != nil {
		return "", &fault.Error{Op: "open", Path: path, Err: fmt.Errorf("the decoder is missing: %w", fault.Pathless(err)),
			Advice: "install " + handover.Program + " beside platewatch, or name it in " + handover.Variable}
	}
	return path, nil
}

// environment is all that a decoder inherits of it: no secret, and what keeps the
// libraries small and quiet.
func environment() []string {
	env := []string{
		"LANG=C", "GOMAXPROCS=2", "GOTRACEBACK=single",
		"MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=16777216", "MALLOC_TRIM_THRESHOLD_=16777216", // frames use the same memory again
		"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1",
		"OPENCV_FFMPEG_LOGLEVEL=-8", // AV_LOG_QUIET: what matters comes back as errors
		"OPENCV_LOG_LEVEL=OFF",
		"OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT=2", // seconds; ten otherwise
	}
	for _, name := range []string{"LD_LIBRARY_PATH", "GOCOVERDIR"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
