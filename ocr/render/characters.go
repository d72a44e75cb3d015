package render

import "strings"

// Characters strips a number as it is displayed to what a reader must return:
// A to Z and 0 to 9 in reading order.
func Characters(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text)
}
