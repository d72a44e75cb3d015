package videoio

import "os"

// FFmpeg prints to standard error whatever its streams do: a line for every
// failed attempt at a camera that is off for a week. What matters of it comes
// back as errors. Anybody who sets the variable gets the lines.
func init() {
	const level = "OPENCV_FFMPEG_LOGLEVEL" // read by OpenCV once, at its first use of FFmpeg
	if os.Getenv(level) == "" {
		_ = os.Setenv(level, "-8") // AV_LOG_QUIET
	}
}
