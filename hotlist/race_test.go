//go:build race

package hotlist

// underRace: the race detector makes everything several times slower, and the
// long tests do less.
const underRace = true
