// Package picture makes the pictures that leave the unit with a hit: one of the
// plate alone, and one of its surroundings, whose extent is bounded so that it
// shows no occupants.
package picture

import (
	"iter"

	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/uplink/message"
)

// Settings bound the pictures of a hit.
type Settings struct {
	PlateBytes   int64 `toml:"plate_bytes" unit:"bytes"`   // largest JPEG of the plate alone
	ContextBytes int64 `toml:"context_bytes" unit:"bytes"` // largest JPEG of its surroundings; 0: none is made

	// How far the context picture extends beyond the plate's edges, in widths
	// of the plate. The defaults show the bumper, and so do the largest values.
	ContextSides float64 `toml:"context_sides"`
	ContextAbove float64 `toml:"context_above"`
	ContextBelow float64 `toml:"context_below"`
}

// Default shows the plate and the bumper, in 80 KiB at most.
func Default() Settings {
	return Settings{
		PlateBytes: 16 * setting.KiB, ContextBytes: 64 * setting.KiB,
		ContextSides: 1, ContextAbove: maxContextAbove, ContextBelow: 0.5,
	}
}

// The largest context, in widths of the plate. Within these bounds one of 8,728 rendered vehicles
// shows some of a window, less than 1 % of it (TestAttackContextShowsWindows), and none of 588
// photographed ones shows an occupant, as a person who looked at all of them found
// (TestAttackContextOfPhotographs). What stands before the plate is in the picture all the same:
// three people beside their cars, and the side window of a car in front. At 0.5 above, up to 19 %
// of a rear window shows; at 1.2 above and 3 beside, whole cars.
const (
	maxContextSides = 1
	maxContextAbove = 0.15
	maxContextBelow = 1
)

// Problems yields the settings that cannot be used, by their keys.
func (s Settings) Problems() iter.Seq2[string, error] {
	context := error(nil)
	if s.ContextBytes != 0 {
		context = setting.Size(s.ContextBytes, 4*setting.KiB, message.MaxContextBytes)
	}
	return setting.Failed(
		setting.Check{Key: "plate_bytes", Err: setting.Size(s.PlateBytes, setting.KiB, message.MaxPlateBytes)},
		setting.Check{Key: "context_bytes", Err: context},
		setting.Check{Key: "context_sides", Err: setting.Number(s.ContextSides, 0, maxContextSides, "plate widths")},
		setting.Check{Key: "context_above", Err: setting.Number(s.ContextAbove, 0, maxContextAbove, "plate widths")},
		setting.Check{Key: "context_below", Err: setting.Number(s.ContextBelow, 0, maxContextBelow, "plate widths")},
	)
}
