package bench

import (
	"fmt"
	"math"
	"strings"
)

// Bin counts the reported plates of one range of confidence.
type Bin struct {
	From       float64 `json:"from"` // inclusive, except for the last bin's To
	To         float64 `json:"to"`
	N          int     `json:"n"`
	Right      int     `json:"right"`      // exactly, and where a plate is labelled
	Confidence float64 `json:"confidence"` // mean; 0 when N is 0
}

// share is the share that was right, 0–1.
func (b Bin) share() float64 { return share(b.Right, b.N) }

// bins is the number of equal ranges that confidence is divided into.
const bins = 10

// Reliability is the reliability diagram of the reported plates: how often plates
// reported at a confidence are right. A plate that is not labelled
// counts as wrong, and some frames hold readable ones that nobody labelled.
type Reliability [bins]Bin

// add counts one reported plate.
func (r *Reliability) add(confidence float64, right bool) {
	i := min(max(int(confidence*bins), 0), bins-1)
	b := &r[i]
	b.Confidence += (confidence - b.Confidence) / float64(b.N+1)
	b.N++
	if right {
		b.Right++
	}
	r.name()
}

// name sets the bounds of the bins.
func (r *Reliability) name() {
	for i := range r {
		r[i].From, r[i].To = float64(i)/bins, float64(i+1)/bins
	}
}

// join adds the counts of another folder.
func (r *Reliability) join(o Reliability) {
	for i, b := range o {
		if n := r[i].N + b.N; n > 0 {
			r[i].Confidence = (r[i].Confidence*float64(r[i].N) + b.Confidence*float64(b.N)) / float64(n)
		}
		r[i].N += b.N
		r[i].Right += b.Right
	}
	r.name()
}

// N is how many plates were reported.
func (r Reliability) N() int {
	n := 0
	for _, b := range r {
		n += b.N
	}
	return n
}

// Error is the expected calibration error, 0–1: the distance between mean
// confidence and share that was right, averaged over the bins, weighted by their
// plates (M. Pakdaman Naeini et al., Obtaining well calibrated probabilities
// using Bayesian binning, AAAI 2015; C. Guo et al., On calibration of modern
// neural networks, ICML 2017, equation 5).
func (r Reliability) Error() float64 {
	n, sum := r.N(), 0.0
	for _, b := range r {
		sum += float64(b.N) * math.Abs(b.share()-b.Confidence)
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Diagram draws the diagram with text bars, each as long as the share that was
// right, with a mark at the mean confidence.
func (r Reliability) Diagram() string {
	const width = 50
	var b strings.Builder
	fmt.Fprintf(&b, "reliability of %d reported plates, expected calibration error %.3f; ┃ is their confidence\n", r.N(), r.Error())
	fmt.Fprintf(&b, "%-10s %5s %6s  0%*s\n", "confidence", "n", "right", width, "1")
	for _, bin := range r {
		fmt.Fprintf(&b, "%.1f to %.1f %5d ", bin.From, bin.To, bin.N)
		if bin.N == 0 {
			fmt.Fprintf(&b, "%6s  ▏\n", "–")
			continue
		}
		line := []rune(bar(bin.share(), width))
		line[min(width-1, int(bin.Confidence*width))] = '┃'
		fmt.Fprintf(&b, "%4.0f %%  ▏%s\n", 100*bin.share(), strings.TrimRight(string(line), " "))
	}
	return b.String()
}

// bar is a bar of share × width characters, to an eighth of one, filled up
// with spaces to width + 1.
func bar(share float64, width int) string {
	const eighths = " ▏▎▍▌▋▊▉"
	n := int(math.Round(share * float64(width) * 8))
	s := strings.Repeat("█", n/8) + string([]rune(eighths)[n%8])
	return s + strings.Repeat(" ", width-n/8)
}
