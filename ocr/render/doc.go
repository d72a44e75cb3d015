// Package render draws licence plates, vehicles and road-camera clips.
//
// It is the project's source of pictures whose truth is known to the pixel:
// the demo's clip, the test pictures and the plates that a reader is trained
// on all come from here, and no photograph is involved. Everything, down to
// the characters, is drawn from measures in this package: nothing depends on
// installed fonts or on OpenCV. The same seed gives the same picture.
//
// Three entries, from small to large: [Plate] draws one plate flat, [Still]
// one vehicle in front of a camera, [Clip] a whole road with traffic.
package render
