// Package capture brings pictures in: from V4L2, RTSP and MJPEG cameras, video
// files and folders of pictures.
//
// [Open] opens a [Source]: frames one after the other, none dropped. [Camera]
// supervises a source for years: it drains it so that the newest frame wins, and
// opens it again whenever it is lost. The packages beside it need no camera:
// capture/still decodes single pictures, capture/motion tells where something
// moves, capture/light measures how plates come out.
//
// Every kind of camera is a package of its own, listed in the table in kinds.go.
//
// # Time bounds
//
// OpenCV and the drivers below it can block for longer than they promise. Every
// call into them runs on a goroutine of its own (one per source), and the caller
// waits for a bounded time: the configured timeout and a second more, or 1.5 s
// from the moment its context ends. A call that has not returned by then is
// abandoned: the source is lost, the goroutine keeps the capture and its
// buffers, and closes both when the call returns. Abandoned calls are counted;
// while three of one camera have not returned, that camera opens nothing more.
//
// OpenCV lets only one capture of FFmpeg be opened at a time, and blocks all
// others meanwhile. So a network camera has to answer Go first, within its own
// bound; then a lock lets one open after the other into the library.
//
// # Mats
//
// Every Mat has one owner. A [Frame] belongs to whoever received it and goes
// back with [Frame.Close]; its buffer is then used for a later frame.
package capture
