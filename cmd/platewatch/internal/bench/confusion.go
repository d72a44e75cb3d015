package bench

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// count adds to the matrix.
func (s *Seen) count(right, told string, n int) {
	if s.Matrix == nil {
		s.Matrix = map[string]map[string]int{}
	}
	if s.Matrix[right] == nil {
		s.Matrix[right] = map[string]int{}
	}
	s.Matrix[right][told] += n
}

// join adds the counts of another folder.
func (s *Seen) join(o *Seen) {
	s.N, s.Told, s.Right, s.Sure, s.SureWrong = s.N+o.N, s.Told+o.Told, s.Right+o.Right, s.Sure+o.Sure, s.SureWrong+o.SureWrong
	s.Calibration.join(o.Calibration)
	for right, row := range o.Matrix {
		for told, n := range row {
			s.count(right, told, n)
		}
	}
}

// allSeen adds the folders up, by what was told.
func allSeen(rows []*Score) []*Seen {
	var out []*Seen
	for _, s := range rows {
		for _, v := range s.Seen {
			i := slices.IndexFunc(out, func(o *Seen) bool { return o.What == v.What })
			if i < 0 {
				out = append(out, &Seen{What: v.What})
				i = len(out) - 1
			}
			out[i].join(v)
		}
	}
	return out
}

// cell is an entry of the matrix.
type cell struct {
	right, told string
	n           int
}

// wrong are the entries of the matrix where something else was told, the most
// frequent first.
func (s *Seen) wrong() []cell {
	var out []cell
	for right, row := range s.Matrix {
		for told, n := range row {
			if told != right && told != untold {
				out = append(out, cell{right, told, n})
			}
		}
	}
	slices.SortFunc(out, func(a, b cell) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.right, b.right), cmp.Compare(a.told, b.told))
	})
	return out
}

// seenTable writes how the vehicles' issuers and colours were told: a row for each
// folder, then for all folders the reliability diagram and the confusion matrix. It
// is empty where nothing was labelled.
func seenTable(rows []*Score, width int) string {
	var b strings.Builder
	for _, s := range rows {
		for _, v := range s.Seen {
			if b.Len() == 0 {
				fmt.Fprintf(&b, "\n%-*s  %7s %5s %7s %7s %14s %6s   most often wrong\n", width, "the vehicle", "", "n", "told", "right", "wrong ≥ 0.8", "ECE")
			}
			var words []string
			for i, c := range v.wrong() {
				if i == 3 {
					break
				}
				words = append(words, fmt.Sprintf("%s → %s %d", c.right, c.told, c.n))
			}
			fmt.Fprintf(&b, "%-*s  %7s %5d %7s %7s %14s %6.3f   %s\n", width, s.name(), v.What, v.N, percent(v.Told, v.N), percent(v.Right, v.N),
				shareOf(v.SureWrong, v.Sure), v.Calibration.Error(), strings.Join(words, ", "))
		}
	}
	for _, v := range allSeen(rows) {
		fmt.Fprintf(&b, "\n%s: %s\n%s", v.What, strings.Replace(v.Calibration.Diagram(), "reported plates", "vehicles told", 1), v.confusion())
	}
	return b.String()
}

// confusion writes the confusion matrix: a row for each right answer, a column for
// each that was told. Where there are more than fit a line, as with issuers, the
// columns of a row are listed with their counts.
func (s *Seen) confusion() string {
	const widest = 12
	told := map[string]bool{}
	for _, row := range s.Matrix {
		for name := range row {
			told[name] = true
		}
	}
	columns := slices.Sorted(maps.Keys(told)) // untold sorts last
	rows := slices.Sorted(maps.Keys(s.Matrix))
	long := utf8.RuneCountInString("right answer")
	var b strings.Builder
	if len(columns) > widest {
		fmt.Fprintf(&b, "\n%-*s  told, – for nothing\n", long, "right answer")
		for _, right := range rows {
			var words []string
			for _, c := range columns {
				if n := s.Matrix[right][c]; n > 0 {
					words = append(words, fmt.Sprintf("%s %d", c, n))
				}
			}
			fmt.Fprintf(&b, "%-*s  %s\n", long, right, strings.Join(words, ", "))
		}
		return b.String()
	}
	fmt.Fprintf(&b, "\n%-*s ", long, "right answer")
	for _, c := range columns {
		fmt.Fprintf(&b, " %7s", c)
	}
	b.WriteString("   told, – for nothing\n")
	for _, right := range rows {
		fmt.Fprintf(&b, "%-*s ", long, right)
		for _, c := range columns {
			fmt.Fprintf(&b, " %7d", s.Matrix[right][c])
		}
		b.WriteString("\n")
	}
	return b.String()
}
