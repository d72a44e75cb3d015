package ocr

import "fmt"

// Verdict says whether a candidate was reported, and why not. The zero value is
// that of a candidate that was not judged.
type Verdict struct {
	reason      reason
	value, than float64 // the values compared
	text        string  // the text of the candidate, or of the plate that excludes it
}

type reason int

const (
	notJudged reason = iota
	reported
	lowScore
	cutOff
	enoughRead
	lowBeside
	placeTaken
	cameraText
	notLevelled
	noRow
	nothingRead
	tooNarrow
	hardlyPlate
	hardlyRight
	implausible
	insideAnother
	smallPrint
	tooLarge
)

// Reported tells whether the candidate's reading is among [Result.Plates].
func (v Verdict) Reported() bool { return v.reason == reported }

// String is the verdict for people, such as "not read: score 0.01 below 0.02".
func (v Verdict) String() string {
	switch v.reason {
	case reported:
		return "reported"
	case lowScore:
		return fmt.Sprintf("not read: score %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case cutOff:
		return "not read: a plate would reach beyond the upper end of the picture"
	case enoughRead:
		return fmt.Sprintf("not read: %.0f better candidates were read", v.than)
	case lowBeside:
		return fmt.Sprintf("not read: score %s below %s, the least beside plate %s", digits(v.value, v.than), digits(v.than, v.value), v.text)
	case placeTaken:
		return fmt.Sprintf("not read: overlaps plate %s, which is certain", v.text)
	case cameraText:
		return "not read: the camera writes there, because it stays while the picture behind it changes"
	case notLevelled:
		return "not read: " + v.text
	case noRow:
		return "not read: no row of characters and no edges of a plate"
	case nothingRead:
		return "no plate text found"
	case tooNarrow:
		return fmt.Sprintf("plate is %.0f px wide, less than %.0f", v.value, v.than)
	case hardlyPlate:
		return fmt.Sprintf("probability of being a plate %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case hardlyRight:
		return fmt.Sprintf("confidence %s below %s", digits(v.value, v.than), digits(v.than, v.value))
	case implausible:
		return fmt.Sprintf("%s is not a plausible plate text", v.text)
	case insideAnother:
		return fmt.Sprintf("overlaps plate %s, which is more confident", v.text)
	case smallPrint:
		return fmt.Sprintf("small print on plate %s", v.text)
	case tooLarge:
		return fmt.Sprintf("larger than plate %s and others, though it is higher up", v.text)
	}
	return "not judged"
}

// digits writes a probability with two decimals, or with as many as distinguish
// it from the other.
func digits(p, other float64) string {
	for n := 2; n < 6; n++ {
		if s := fmt.Sprintf("%.*f", n, p); s != fmt.Sprintf("%.*f", n, other) {
			return s
		}
	}
	return fmt.Sprint(p)
}
