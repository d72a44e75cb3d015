// Package capture brings pictures in: from V4L2, RTSP and MJPEG cameras, video
// files and folders of pictures; and tells where in them something moves
// ([Gate]) and how plates came out ([MeasurePlate]).
//
// Three layers can be used apart from each other:
//
//   - [DecodeStill] and [ReadStill] turn one picture file into an upright
//     8-bit BGR Mat, or say why not.
//   - [Open] opens a [Source]: frames one after the other, none dropped.
//   - [Camera] supervises a source for years: opens it, drains it so that the
//     newest frame wins, and opens it again whenever it is lost.
//
// # Time bounds
//
// OpenCV and the drivers below it can block longer than they promise. Every
// call into them is made on a goroutine of its own (one a source), and
// whoever waits for the call waits for a bounded time: the configured timeout
// and a second more, or 1.5 s from the moment its context ends. A call that
// has not come back by then is abandoned: the source is lost, the goroutine
// keeps the capture and its buffers, and closes both when the call comes back
// after all. Abandoned calls are counted; with [maxBlockedCalls] of one camera
// still out, that camera opens nothing more until one of them is back.
//
// OpenCV lets only one capture of FFmpeg be opened at a time, and holds all
// others up for as long as that takes. So a network camera has to answer Go
// first, in its own time; then the opens go through one door, one after the
// other (see [door]).
//
// # Mats
//
// Every Mat has one owner. A [Frame] belongs to whoever received it and goes
// back with [Frame.Close]; its buffer is then used for a later frame.
package capture
