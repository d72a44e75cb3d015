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

// Scouts that cannot be opened close the engines that are open, and Close closes both.
func TestTeams(t *testing.T) {
	n := 0
	open := func(k int) (out []Engine, err error) {
		for range k {
			out = append(out, closed{&n})
		}
		return out, nil
	}
	none := func(int) ([]Engine, error) { return nil, errors.New("no scout") }
	if _, err := NewReader(Model{Crops: make([]Crop, 1), Open: open, Scout: none}, 3, nil); err == nil || n != 3 {
		t.Errorf("without a scout: %v, %d engines are closed", err, n)
	}
	n = 0
	r, err := NewReader(Model{Crops: make([]Crop, 1), Open: open, Scout: open}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.engine(context.Background())
	if err != nil || e.scout == nil {
		t.Errorf("%+v, %v", e, err)
	}
	r.engines <- e
	if err := r.Close(); err != nil || n != 4 {
		t.Errorf("%v, %d engines are closed", err, n)
	}
}
