// Package aim judges how a camera is set, from its pictures and from the plates of
// the vehicles that pass: each quantity with its range, one verdict, and one
// instruction in words. It needs no network and no page: the status page, `platewatch
// doctor` and tests use the same [Watcher].
//
//	pose.go     corners of a plate → yaw, pitch and roll of the camera
//	scene.go    a picture → sharpness, exposure, level
//	vehicle.go  the plates of many frames → vehicles, and what each showed at its best
//	judge.go    vehicles and scene → quantities, verdict, instruction
//	watch.go    all of it for one camera
//
// # What counts
//
// Of each vehicle the largest whole plate counts, and of the vehicles the last three,
// by their median: so that a lorry with a dirty plate changes nothing, and what was
// mended shows after two vehicles. Something counts as a vehicle's plate only if it
// moved by half its width: a shop sign does not, a car that parks for a test does.
//
// Nothing here keeps the text of a plate.
package aim
