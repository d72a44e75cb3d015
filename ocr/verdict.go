package ocr

import "fmt"

// Verdict says what became of a candidate, and why. The zero value is that of
// one that nobody judged.
type Verdict struct {
	reason      reason
	value, than float64 // what was compared
	text        string  // what was read there, or on the plate around it
}

type reason int

const (
	notJudged reason = iota
	reported
	lowScore
	enoughRead
	lowBeside
	placeTaken
	notLevelled
	nothingRead
	tooNarrow
	hardlyPlate
	hardlyRight
	implausible
	insideAnother
	smallPrint
)

// Reported tells whether the candidate's reading is among the result's plates.
func (v Verdict) Reported() bool { return v.reason == reported }

// String is the verdict for people, such as "score 0.01 below 0.02". It is the
// one place where these sentences are made.
func (v Verdict) String() string {
	switch v.reason {
	case reported:
		return "reported"
	case lowScore:
		return fmt.Sprintf("not read: score %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case enoughRead:
		return fmt.Sprintf("not read: %.0f candidates already", v.than)
	case lowBeside:
		return fmt.Sprintf("not read: score %s below %s, beside %s", digits(v.value, v.than), digits(v.than, v.value), v.text)
	case placeTaken:
		return fmt.Sprintf("not read: at the place of %s, which is sure", v.text)
	case notLevelled:
		return "not read: " + v.text
	case nothingRead:
		return "nothing that a plate carries was read"
	case tooNarrow:
		return fmt.Sprintf("%.0f px wide, less than %.0f", v.value, v.than)
	case hardlyPlate:
		return fmt.Sprintf("chance of being a plate %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case hardlyRight:
		return fmt.Sprintf("confidence %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case implausible:
		return fmt.Sprintf("reads %s: implausible", v.text)
	case insideAnother:
		return fmt.Sprintf("at the place of %s, which is surer", v.text)
	case smallPrint:
		return fmt.Sprintf("small print of %s", v.text)
	}
	return "not judged"
}

// digits writes a probability with two decimals, or with as many as it takes
// to tell it from the other.
func digits(p, other float64) string {
	for n := 2; n < 6; n++ {
		if s := fmt.Sprintf("%.*f", n, p); s != fmt.Sprintf("%.*f", n, other) {
			return s
		}
	}
	return fmt.Sprint(p)
}
