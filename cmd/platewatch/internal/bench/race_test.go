//go:build race

package bench

// underRace: the race detector doubles the time that reading takes and finds
// nothing in it that the short tests do not.
const underRace = true
