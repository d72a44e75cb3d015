package hit

import "platewatch/hotlist/entry"

// Shortest is how many characters the shortest plate of some lists has, where that is
// at most [entry.Short]; 0: all are longer.
func Shortest(lists []entry.List) int {
	least := 0
	for _, l := range lists {
		if l.Short > 0 && (least == 0 || l.Short < least) {
			least = l.Short
		}
	}
	return least
}
