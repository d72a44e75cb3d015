package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// name is the folder's last two path elements, with the regions given.
func (s *Score) name() string {
	if s.Region == "" || s.Folder == allFolders {
		return short(s.Folder)
	}
	return short(s.Folder) + ":" + s.Region
}

// Table writes the scores as aligned text: a row for each folder and, for
// several, one for all of them.
func Table(scores []*Score) string {
	rows := scores
	if len(scores) > 1 {
		rows = append(rows[:len(rows):len(rows)], Total(scores))
	}
	width := len("folder")
	for _, s := range rows {
		width = max(width, utf8.RuneCountInString(s.name()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s  %5s %7s %7s %7s %7s %8s %6s %14s %6s %11s\n", width, "folder",
		"n", "exact", "folded", "found", "misread", "spurious", "CER", "wrong ≥ 0.9", "ECE", "none: ≥ 0.8")
	for _, s := range rows {
		fmt.Fprintf(&b, "%-*s  %5d %7s %7s %7s %7s %8d %6.3f %14s %6.3f %11s\n", width, s.name(), s.Plates,
			percent(s.Exact, s.Plates), percent(s.Folded, s.Plates), percent(s.Found, s.Plates), percent(s.Misread, s.Plates),
			s.Spurious, s.CharacterErrorRate(), shareOf(s.SureWrong, s.Sure), s.Calibration.Error(), part(s.LoudOnNone, s.None))
	}
	fmt.Fprintf(&b, "\n%-*s  %20s %20s %20s\n", width, "milliseconds", "find median / p95", "read median / p95", "both median / p95")
	for _, s := range rows {
		pair := func(median, p95 float64) string { return fmt.Sprintf("%.1f / %.1f", median, p95) }
		fmt.Fprintf(&b, "%-*s  %20s %20s %20s\n", width, s.name(), pair(s.FindMedianMS, s.FindP95MS),
			pair(s.ReadMedianMS, s.ReadP95MS), pair(s.MedianMS, s.P95MS))
	}
	return b.String() + seenTable(scores, width)
}

// Legend says what the columns of [Table] count.
const Legend = `folder       with the regions given, if any
exact        the whole text is right; folded: with O, Q and 0 alike, I and 1 too
found        a plate is reported there, with any text; misread: found with a wrong text, folded
spurious     reported where no plate is labelled (some are real plates without a label)
CER          wrong, missing and added characters per labelled character
wrong ≥ 0.9  of the plates reported at a confidence of 0.9 or more, those not exactly right
ECE          expected calibration error: distance of the confidence from the share that is right
the vehicle  issuer and colour where the folder has them (states.tsv, countries.tsv, colours.tsv);
             told: at all, right: of all; wrong ≥ 0.8: of those told at 0.8 or more
none: ≥ 0.8  plates reported at 0.8 or more on pictures without a plate, of how many pictures
`

// percent formats a share; – if there is nothing to share.
func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*share(n, of))
}

// shareOf formats a share with its total; – if the total is 0.
func shareOf(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%s of %d", percent(n, of), of)
}

// part formats a count out of another; – if the other is 0.
func part(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", n, of)
}

// short returns a folder's last two path elements.
func short(dir string) string {
	if dir == allFolders {
		return dir
	}
	dir = filepath.Clean(dir)
	return filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir))
}
