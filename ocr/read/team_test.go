package read

import (
	"context"
	"errors"
	"testing"

	"platewatch/ocr/internal/shape"
)

// closed counts how many of its engines are closed.
type closed struct{ n *int }

func (closed) Read(shape.Plane) (Output, error) { return Output{}, nil }
func (c closed) Close() error                   { *c.n++; return nil }

// Scouts that cannot be opened close the engines that are open, Close closes all, and
// networks take turns.
func TestTeams(t *testing.T) {
	n := 0
	open := func(k int) (out []Engine, err error) {
		for range k {
			out = append(out, closed{&n})
		}
		return out, nil
	}
	if _, err := NewReader(Model{Crops: make([]Crop, 1)}, 1, nil); err == nil {
		t.Error("a model without a network is opened")
	}
	none := func(int) ([]Engine, error) { return nil, errors.New("no scout") }
	if _, err := NewReader(Model{Crops: make([]Crop, 1), Networks: []Network{{Open: open}}, Scout: &Network{Open: none}}, 3, nil); err == nil || n != 3 {
		t.Errorf("without a scout: %v, %d engines are closed", err, n)
	}
	n = 0
	r, err := NewReader(Model{Crops: make([]Crop, 1), Networks: []Network{{Open: open}, {Open: open}}, Scout: &Network{Open: open}}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.engine(context.Background())
	if err != nil || e.scout == nil || e.looks(0) != e.full[0] || e.looks(1) != e.full[1] || e.looks(2) != e.full[0] {
		t.Errorf("%+v, %v", e, err)
	}
	r.engines <- e
	if err := r.Close(); err != nil || n != 6 {
		t.Errorf("%v, %d engines are closed", err, n)
	}
}
