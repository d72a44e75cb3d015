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
// # Processes
//
// What comes from outside is decoded in a process of its own for each camera, which
// this package starts, watches and kills: see README.md. Its pictures are copied out
// of shared memory. Every wait has a bound, and nothing that hangs is waited for.
//
// # Mats
//
// Every Mat has one owner. A [Frame] belongs to whoever received it and goes
// back with [Frame.Close]; its buffer is then used for a later frame.
package capture
