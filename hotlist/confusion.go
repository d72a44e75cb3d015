package hotlist

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Confusions says which characters are confused with which: of the readings
// that give one character and are wrong, what share is another one in truth.
// It decides two things: which entries the level confusable may match, and
// where the probability goes that the reader gives to no character.
type Confusions struct {
	weight [alphabet][alphabet]float32 // read, true
}

// defaultConfusions is the table that counts unless another is given: what was
// read, then each character that it was or could have been, with its weight.
// Weights are shares of the wrong readings; they come from the 138 wrong
// characters among 15,165 that the built-in model read of public photographs
// (hotlist/simulate, which keeps the counts), smoothed by half a count for each
// pair of look-alikes that was not seen.
const defaultConfusions = `
0 O .55  0 D .12  0 Q .20  0 U .03  0 9 .03  0 8 .01
O 0 .50  O Q .15  O D .15  O U .02
Q O .60  Q 0 .30
D 0 .40  D O .50
1 I .55  1 L .10  1 7 .10  1 T .08  1 4 .05
I 1 .60  I T .15  I L .10  I J .05
L 1 .40  L I .20  L 4 .10
B 8 .45  B E .20  B R .15  B D .05
8 B .50  8 6 .12  8 9 .10  8 3 .08  8 0 .05
S 5 .70  S 3 .10  S 8 .05
5 S .55  5 3 .15  5 6 .10
Z 2 .70  Z 7 .10  Z X .05
2 Z .65  2 7 .10
G 6 .50  G C .20  G 0 .05
6 G .45  6 8 .15  6 5 .10  6 4 .05
W M .50  W V .15
M W .50  M N .20  M H .08
9 3 .50  9 0 .12  9 8 .10
3 9 .60  3 8 .10  3 5 .08  3 S .03
4 L .25  4 6 .15  4 A .15  4 1 .08
V Y .55  V U .15  V W .05
Y V .60
U V .15  U 0 .15  U O .10  U J .05
7 T .30  7 1 .20  7 Z .10  7 2 .08
T 7 .20  T 1 .25  T I .20  T Y .05
C G .35  C 0 .20  C O .10
N M .35  N H .15  N K .10
H M .15  H N .15  H A .15  H R .08
E F .25  E B .25
F E .25  F P .30
P F .25  P R .20
R B .35  R P .15  R K .05
K X .15  K N .10
X K .15  X Z .10
J 3 .08  J U .08
A 4 .20  A H .10
`

// DefaultConfusions returns the table for the built-in reading model.
func DefaultConfusions() *Confusions { return builtInConfusions }

var builtInConfusions = mustConfusions(defaultConfusions)

func mustConfusions(text string) *Confusions {
	c, err := ParseConfusions(strings.NewReader(text))
	if err != nil {
		panic("hotlist: the built-in confusions: " + err.Error())
	}
	return c
}

// maxConfusions bounds a table's text in bytes.
const maxConfusions = 64 << 10

// ParseConfusions reads a table: on each line any number of triples "read true
// weight", separated by white space, weights from 0 to 1, those of one
// character read at most 1 together. What follows a # is a comment.
func ParseConfusions(r io.Reader) (*Confusions, error) {
	c := &Confusions{}
	lines := bufio.NewScanner(io.LimitReader(r, maxConfusions))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words)%3 != 0 {
			return nil, fmt.Errorf("line %d: it should hold triples: what is read, what it is in truth, a weight", n)
		}
		for i := 0; i < len(words); i += 3 {
			read, truth := Normalize(words[i]), Normalize(words[i+1])
			weight, err := strconv.ParseFloat(words[i+2], 32)
			switch {
			case len(read) != 1 || len(truth) != 1 || read == truth:
				return nil, fmt.Errorf("line %d: %s and %s are not two characters of plates", n, quote(words[i]), quote(words[i+1]))
			case err != nil || !(weight > 0 && weight <= 1):
				return nil, fmt.Errorf("line %d: %s is not a weight above 0, up to 1", n, quote(words[i+2]))
			}
			c.weight[ordinal(read[0])][ordinal(truth[0])] = float32(weight)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for i, row := range c.weight {
		var sum float32
		for _, w := range row {
			sum += w
		}
		if sum > 1.001 {
			return nil, fmt.Errorf("the weights of %c add up to %.2f, more than 1", character(i), sum)
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
	c, err := ParseConfusions(f)
	if err != nil {
		return nil, &Error{Op: "confusions", Path: path, Err: err, Advice: "correct the table, or leave it out for the built-in one"}
	}
	return c, nil
}

// confusable tells whether the table has a pair.
func (c *Confusions) confusable(read, truth byte) bool {
	return c.weight[ordinal(read)][ordinal(truth)] > 0
}
