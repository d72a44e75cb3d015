//go:build !race

package hotlist

const underRace = false
