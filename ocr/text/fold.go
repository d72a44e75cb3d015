package text

import "strings"

// Fold makes characters equal that many dies and typefaces draw alike: O, Q and 0, and
// I and 1. What else is in s stays.
func Fold(s string) string { return folder.Replace(s) }

var folder = strings.NewReplacer("O", "0", "Q", "0", "I", "1")
