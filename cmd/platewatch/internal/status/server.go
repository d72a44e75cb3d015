package status

import (
	"context"
	"log/slog"
	"time"
)

// Options configures a [Server].
type Options struct {
	// Listen is host:port. Anything but loopback needs Token, Cert and Key.
	Listen string
	Token  string // at least [MinToken] characters; on loopback optional
	Cert   string // PEM file
	Key    string // PEM file

	// Viewers bounds the live pictures that are watched at the same time;
	// FPS is how many a second each of them gets at most.
	Viewers int
	FPS     float64

	// StallAfter is how old the pipeline's last progress may be before
	// /healthz says no.
	StallAfter time.Duration

	// OnView is told when somebody begins to look at a camera's live picture.
	OnView func(View)
}

// View is one beginning look at a live picture.
type View struct {
	Camera string
	Remote string // the viewer's address
}

// Server is the status page of one unit.
type Server struct {
	unit Unit
	log  *slog.Logger
	opt  Options
}

// New checks the options.
func New(unit Unit, opt Options, log *slog.Logger) (*Server, error) {
	return &Server{unit: unit, opt: opt, log: log}, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error { <-ctx.Done(); return nil }
