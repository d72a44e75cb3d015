package match

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"platewatch/hotlist/entry"
)

// Confusions is, for each character that was read wrongly, the distribution of the
// true one. It decides which entries may match as [Confusable], and how the
// probability that the reader gives to no character is distributed.
type Confusions struct {
	weight [alphabet][alphabet]float32 // read, true
	sums   [alphabet]float32           // sum of the weights of each character read
}

// defaultConfusions is the built-in table: read, true, weight. Weights are shares
// of the wrong readings on labelled photographs (hotlist/simulate/reader.tsv), and
// estimates for pairs that look alike but did not occur there.
const defaultConfusions = `
0 O .60  0 D .10  0 Q .10
O 0 .55  O Q .15  O D .15
Q O .60  Q 0 .20
D O .45  D 0 .35
1 I .65  1 L .10  1 7 .05
I 1 .60  I T .15  I L .10
L 1 .35  L I .20  L 4 .10
B 8 .45  B R .35
R B .50
8 B .50  8 6 .20
6 G .45  6 8 .20
G 6 .60
S 5 .75
5 S .60
Z 2 .80
2 Z .75
W M .50  W V .10
M W .40  M N .40
N M .55
9 3 .60
3 9 .65  3 S .10
4 L .25
V Y .60
Y V .60
7 T .30  7 1 .20
T 7 .20  T I .30
`

// DefaultConfusions returns the table of the built-in reading model.
func DefaultConfusions() *Confusions { return builtInConfusions }

var builtInConfusions = mustConfusions(defaultConfusions)

func mustConfusions(text string) *Confusions {
	c, err := parseConfusions(strings.NewReader(text))
	if err != nil {
		panic("hotlist: the built-in confusions: " + err.Error())
	}
	return c
}

// maxConfusions is the largest text of a table, in bytes.
const maxConfusions = 64 << 10

// parseConfusions reads a table: each line holds any number of triples "read true
// weight", separated by white space. Weights are above 0, and relative to those of
// the same character read. A comment follows #.
func parseConfusions(r io.Reader) (*Confusions, error) {
	c := &Confusions{}
	lines := bufio.NewScanner(io.LimitReader(r, maxConfusions))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words)%3 != 0 {
			return nil, fmt.Errorf("line %d: expected triples of the character read, the true one, and a weight", n)
		}
		for i := 0; i < len(words); i += 3 {
			read, truth := entry.Normalize(words[i]), entry.Normalize(words[i+1])
			weight, err := strconv.ParseFloat(words[i+2], 32)
			switch {
			case len(read) != 1 || len(truth) != 1 || read == truth:
				return nil, fmt.Errorf("line %d: %s and %s are not two different characters of plates", n, entry.Quote(words[i]), entry.Quote(words[i+1]))
			case err != nil || !(weight > 1e-6 && weight <= 1e6):
				return nil, fmt.Errorf("line %d: %s is not a weight (above 0, at most 1000000)", n, entry.Quote(words[i+2]))
			}
			c.weight[ordinal(read[0])][ordinal(truth[0])] = float32(weight)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for i, row := range c.weight {
		for _, w := range row {
			c.sums[i] += w
		}
	}
	return c, nil
}

// LoadConfusions reads a table from a file.
func LoadConfusions(path string) (*Confusions, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := parseConfusions(f)
	if err != nil {
		return nil, &entry.Error{Op: "confusions", Path: path, Err: err, Advice: "correct the table, or remove the setting to use the built-in one"}
	}
	return c, nil
}

// Confusable reports whether the table has a pair of normalised characters.
func (c *Confusions) Confusable(read, truth byte) bool {
	return c.weight[ordinal(read)][ordinal(truth)] > 0
}
