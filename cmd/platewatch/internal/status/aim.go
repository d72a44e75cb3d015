package status

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"
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
	select {
	case s.frames <- struct{}{}:
		defer func() { <-s.frames }()
	default:
		s.tooMany(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pictureWait)
	defer cancel()
	if !s.watch(w, r, camera, false) {
		return
	}
	defer s.views.saw(r, "camera "+camera, false, time.Now())()
	var jpeg []byte
	var err error
	if path.Base(r.URL.Path) == "plate.jpg" {
		jpeg, err = unit.PlatePicture(ctx, camera)
	} else {
		jpeg, err = s.unit.Picture(ctx, camera, Cut{Part: true,
			X: share(r.FormValue("x")), Y: share(r.FormValue("y")), Width: part(r.FormValue("w")), Height: part(r.FormValue("h"))})
	}
	if err != nil {
		pictureError(w, err)
		return
	}
	writeJPEG(w, jpeg)
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
