package status

import (
	"context"
	"net/http"
	"path"
	"strconv"
)

// Bounds of a part of a picture, in pixels.
const (
	leastPart, mostPart = 64, 1200
)

// crop responds with a part of the newest frame at its own resolution, around the
// point x, y (shares of the frame's sides), or with the last plate.
func (s *Server) crop(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("name")
	unit, ok := s.unit.(aimed)
	if !ok {
		pictureError(w, ErrNoPicture)
		return
	}
	s.onePicture(w, r, camera, func(ctx context.Context) ([]byte, error) {
		if path.Base(r.URL.Path) == "plate.jpg" {
			return unit.PlatePicture(ctx, camera)
		}
		return s.unit.Picture(ctx, camera, Cut{Part: true,
			X: share(r.FormValue("x")), Y: share(r.FormValue("y")), Width: part(r.FormValue("w")), Height: part(r.FormValue("h"))})
	})
}

// share is a number from 0 to 1; the middle for anything else.
func share(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return 0.5
	}
	return v
}

func part(text string) int {
	v, err := strconv.Atoi(text)
	if err != nil {
		v = 480
	}
	return min(max(v, leastPart), mostPart)
}

// aimAnew forgets where a camera's plates were read, after it was moved.
func (s *Server) aimAnew(w http.ResponseWriter, r *http.Request) {
	unit, ok := s.unit.(aimed)
	if !ok {
		pictureError(w, ErrUnknownCamera)
		return
	}
	if err := unit.AimAnew(r.PathValue("name")); err != nil {
		pictureError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
