package verdict

import (
	"iter"

	"platewatch/cmd/platewatch/internal/setting"
)

// Settings say from when on wrong hits are too many.
type Settings struct {
	MostWrong float64 `toml:"most_wrong"` // share of a list's verdicts in one way of matching, 0–1; 1: never too many
	Least     int     `toml:"least"`      // verdicts before that is said
}

// Default allows one wrong hit in five, from 20 verdicts on.
func Default() Settings { return Settings{MostWrong: 0.2, Least: 20} }

// Problems yields the settings that cannot be used, by their keys.
func (s Settings) Problems() iter.Seq2[string, error] {
	return setting.Failed(
		setting.Check{Key: "most_wrong", Err: setting.Number(s.MostWrong, 0, 1, "as a share of all")},
		setting.Check{Key: "least", Err: setting.Int(s.Least, 1, window)},
	)
}

// tooMany tells whether a person should look at what the wrong hits have in common.
func (s Settings) tooMany(right, wrong int) bool {
	n := right + wrong
	return n >= s.Least && float64(wrong) > s.MostWrong*float64(n)
}
