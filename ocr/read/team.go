package read

import (
	"errors"

	"platewatch/ocr/rectify"
)

// A cheaper network, the scout, looks at a plate first ([Model.Scout]). Most plates are
// clear, and most other places show no plate: both are settled by its look, at a quarter
// of the cost. Where it is unsure the full networks look as they would without it: the
// scout's vote beside theirs, or fewer crops where both agree, costs plates on which O and
// 0 are told apart by the further crops only (ocr/train/README.md).
//
// Where there are several full networks they take turns, a crop each: two trainings
// misread different plates, and a text on which both agree is right more often than one
// that either gave twice.

const (
	// scoutDoubt is the share of the least probability of a first look ([Reader.Read])
	// below which the scout gives a place up: of 57 plates of frames/br it reads one at
	// 0.03 that the full network reads at 0.97. At 0.2, with the same scout, one plate
	// of frames/us more is lost, for 5 % fewer full looks.
	scoutDoubt = 0.1
	// scoutSure is the confidence from which the scout's look settles a text. From 0.8
	// on the full networks read the same on 244 of 245 labelled plates, but beside an
	// obstacle 8 of 109 readings at 0.9 and more are wrong then, instead of 5 of 103.
	scoutSure = 0.88
)

// team are the engines that read a plate.
type team struct {
	scout *eye  // nil where the model has none
	full  []eye // one of each of the model's networks
}

// eye is an engine, and the size of the pictures of whole plates that it is shown.
type eye struct {
	Engine
	size  rectify.Size
	scout bool
}

// looks is the engine that looks at the crop with an index.
func (t team) looks(crop int) eye { return t.full[crop%len(t.full)] }

func (t team) close() error {
	var all error
	for _, e := range t.full {
		all = errors.Join(all, e.Close())
	}
	if t.scout != nil {
		all = errors.Join(all, t.scout.Close())
	}
	return all
}

// openTeams opens n teams of a model.
func openTeams(m Model, n int) ([]team, error) {
	teams := make([]team, n)
	fail := func(err error) ([]team, error) {
		for _, t := range teams {
			err = errors.Join(err, t.close())
		}
		return nil, err
	}
	for _, network := range m.Networks {
		engines, err := network.Open(n)
		if err != nil {
			return fail(err)
		}
		for i, e := range engines {
			teams[i].full = append(teams[i].full, eye{Engine: e, size: network.Size})
		}
	}
	if m.Scout == nil {
		return teams, nil
	}
	scouts, err := m.Scout.Open(n)
	if err != nil {
		return fail(err)
	}
	for i, e := range scouts {
		teams[i].scout = &eye{Engine: e, size: m.Scout.Size, scout: true}
	}
	return teams, nil
}
