package read

import "errors"

// A cheaper network, the scout, looks at a plate first ([Model.Scout]). Most plates are
// clear, and most other places show no plate: both are settled by its look, at half
// the cost. Where it is unsure the full network looks as it would without it: the
// scout's vote beside it, or fewer crops where both agree, costs plates on which O and
// 0 are told apart by the further crops only (ocr/train/README.md).

// scoutDoubt is the share of the least probability of a first look ([Reader.Read])
// below which the scout gives a place up: of 57 plates of frames/br it reads one at
// 0.03 that the full network reads at 0.97.
const scoutDoubt = 0.2

// team are the engines that read a plate: scout is nil where the model has none.
type team struct{ scout, full Engine }

func (t team) close() error {
	err := t.full.Close()
	if t.scout != nil {
		err = errors.Join(err, t.scout.Close())
	}
	return err
}

// openTeams opens n engines of a model, and as many scouts where it has them.
func openTeams(m Model, n int) ([]team, error) {
	engines, err := m.Open(n)
	if err != nil {
		return nil, err
	}
	teams := make([]team, len(engines))
	for i, e := range engines {
		teams[i].full = e
	}
	if m.Scout == nil {
		return teams, nil
	}
	scouts, err := m.Scout(n)
	for i, s := range scouts {
		teams[i].scout = s
	}
	if err == nil {
		return teams, nil
	}
	for _, t := range teams {
		err = errors.Join(err, t.close())
	}
	return nil, err
}
