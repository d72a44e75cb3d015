package status

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/uplink/broker"
)

// Bounds of the server.
const (
	maxHeaderBytes = 16 << 10
	maxEvents      = 16 // concurrent event streams
	maxFrameWaits  = 32 // concurrent requests for single pictures

	readTimeout  = 10 * time.Second
	writeTimeout = 15 * time.Second // streams extend it with each write
	idleTimeout  = time.Minute
	slowAfter    = 5 * time.Second // a write that takes longer ends the stream
	pictureWait  = 5 * time.Second // a request for a picture fails after this
	drainTime    = 2 * time.Second // open requests may end within this when the server stops
)

// Options configures a [Server].
type Options struct {
	Settings // zero Viewers: the default

	// FPS is the largest number of pictures a second for each camera, shared by
	// all viewers (default 8).
	FPS float64

	// StallAfter is the [Document.ProgressAge] at which /healthz fails (default
	// 30 s).
	StallAfter time.Duration

	// StateDir is where the certificate is made and kept that other addresses than
	// loopback need, if the settings name none; UnitName is whom it is for.
	StateDir, UnitName string

	// TestDrive is the unit's; nil: there are none.
	TestDrive *testdrive.Drive

	// OnView, if set, is called when somebody begins to look at live pictures or
	// hits, before anything is shown, and again when that look has ended.
	OnView func(View)
}

// Error is the error of a [Server].
type Error struct {
	Op     string
	Err    error
	Advice string
}

func (e *Error) Error() string { return "the status page cannot " + e.Op + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint is advice to the person who reads the error.
func (e *Error) Hint() string { return e.Advice }

// Server serves the status page of one unit: [New], [Server.Listen], then
// [Server.Run].
type Server struct {
	unit Unit
	log  *slog.Logger
	opt  Options

	loopback bool
	certs    *certificate // nil: no TLS
	sessions *sessions    // nil: no token needed
	every    time.Duration

	snapshot snapshot
	viewers  viewers
	views    views
	screens  sync.Map // camera name → *screen; only for cameras that exist
	events   chan struct{}
	frames   chan struct{}

	slowDropped atomic.Uint64 // streams ended because their client was too slow
	refused     atomic.Uint64 // viewers refused at the bound

	mu       sync.Mutex
	listener net.Listener
}

// New checks the options, reads the token and loads the certificate. It opens no
// port.
func New(unit Unit, opt Options, log *slog.Logger) (*Server, error) {
	opt.Viewers = orDefault(opt.Viewers, Default().Viewers)
	opt.BasePath = orDefault(opt.BasePath, Default().BasePath)
	if err := opt.check(); err != nil {
		return nil, err
	}
	grants, err := opt.grants()
	if err != nil {
		return nil, err
	}
	opt.FPS = orDefault(opt.FPS, 8)
	opt.StallAfter = orDefault(opt.StallAfter, 30*time.Second)

	host, _, err := net.SplitHostPort(opt.Listen)
	if err != nil {
		return nil, &Error{Op: "listen", Err: err}
	}
	s := &Server{
		unit: unit, log: log, opt: opt,
		loopback: broker.Loopback(host),
		every:    time.Second,
		events:   make(chan struct{}, maxEvents),
		frames:   make(chan struct{}, maxFrameWaits),
	}
	s.snapshot.unit, s.snapshot.drive, s.snapshot.page = unit, opt.TestDrive, s.ownCertificate
	s.viewers.limit, s.views.report = opt.Viewers, opt.OnView
	if len(grants) > 0 {
		s.sessions = newSessions(grants)
	}
	if opt.Cert == "" && !s.loopback {
		if opt.StateDir == "" {
			return nil, &Error{Op: "start", Err: errors.New("there is no certificate"), Advice: "set status.cert and status.key"}
		}
		if opt.Cert, opt.Key, err = access.MakeCertificate(opt.StateDir, opt.UnitName); err != nil {
			return nil, &Error{Op: "make its certificate", Err: err, Advice: "set status.cert and status.key, or let the unit write to its state folder"}
		}
		s.opt.Cert, s.opt.Key = opt.Cert, opt.Key
	}
	if opt.Cert != "" {
		s.certs = &certificate{cert: opt.Cert, key: opt.Key}
		if _, err := s.certs.get(nil); err != nil {
			return nil, &Error{Op: "start", Err: err, Advice: "check status.cert and status.key"}
		}
	}
	return s, nil
}

// NeedsToken reports whether the page lets in only those who have a token. That
// stays as it was at the start.
func (s *Server) NeedsToken() bool { return s.sessions != nil }

// Renew reads the tokens again, those of other settings. What it returns puts them into
// force: others than before end all logins. An error means that those in force stay.
func (s *Server) Renew(settings Settings) (use func(), err error) {
	grants, err := settings.grants()
	if err != nil || s.sessions == nil {
		return func() {}, err
	}
	return func() { s.sessions.renew(grants) }, nil
}

// Listen opens the port and returns the page's address. [Server.Run] does so if
// nobody did before; calling Listen first reports a port that is in use before
// anything else starts.
func (s *Server) Listen(ctx context.Context) (url string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		var lc net.ListenConfig
		if s.listener, err = lc.Listen(ctx, "tcp", s.opt.Listen); err != nil {
			return "", &Error{Op: "listen", Err: err, Advice: "is another unit running? choose another port with status.listen"}
		}
	}
	scheme := "http"
	if s.certs != nil {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String() + "/", nil
}

// Run serves until ctx ends, then waits for open requests for at most two seconds
// and returns nil.
func (s *Server) Run(ctx context.Context) error {
	url, err := s.Listen(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	listener := s.listener
	s.mu.Unlock()
	each := maxEach
	if s.loopback { // where tunnels bring everybody under one address
		each = maxConnections
	}
	listener = limitConnections(listener, maxConnections, each)

	// Streams end with this context.
	base, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: readTimeout / 2,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       connectionOf,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.sessions != nil {
		defer s.sessions.closeAll()
	}
	if s.opt.TestDrive != nil {
		defer s.opt.TestDrive.Stop()
	}
	var looks sync.WaitGroup
	looks.Go(func() { s.views.run(base) })
	defer func() {
		endStreams()
		looks.Wait()
		s.views.end(time.Now(), true)
	}()
	served := make(chan error, 1)
	go func() {
		if s.certs != nil {
			server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certs.get}
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
	s.log.Info("status page listening", "url", url)

	select {
	case err := <-served:
		return &Error{Op: "serve", Err: err}
	case <-ctx.Done():
	}
	endStreams()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return &Error{Op: "serve", Err: err}
	}
	return nil
}

// handler is the site with all its checks.
func (s *Server) handler() http.Handler {
	open := http.NewServeMux() // needs no token
	open.HandleFunc("GET /healthz", s.healthz)
	open.HandleFunc("GET /assets/{file}", s.asset)
	if s.sessions != nil {
		open.HandleFunc("POST /login", s.login)
		open.HandleFunc("POST /logout", s.logout)
	}
	site := http.NewServeMux()
	site.HandleFunc("GET /{$}", s.seeHits(s.page))
	site.HandleFunc("GET /status.json", s.seeHits(s.document))
	site.HandleFunc("GET /events", s.stream)
	site.HandleFunc("GET /cameras/{name}/frame.jpg", need(access.Aim, s.frame))
	site.HandleFunc("GET /cameras/{name}/live.mjpeg", need(access.Aim, s.live))
	site.HandleFunc("GET /cameras/{name}/crop.jpg", need(access.Aim, s.crop))
	site.HandleFunc("GET /cameras/{name}/plate.jpg", need(access.Aim, s.crop))
	site.HandleFunc("POST /cameras/{name}/aim", need(access.Aim, s.aimAnew))
	site.HandleFunc("GET /testdrive.json", need(access.Aim, s.driveReads))
	site.HandleFunc("POST /testdrive", need(access.Aim, s.driveControl))
	site.HandleFunc("GET /testdrive/{number}", need(access.Aim, s.drivePicture))
	site.HandleFunc("GET /hits/{id}/plate.jpg", need(access.Hits, s.seeHits(s.hitPicture)))
	site.HandleFunc("GET /readyz", s.readyz)
	site.Handle("GET /metrics", s.metrics())
	open.Handle("/", s.authenticate(keepConnection(site)))
	return secureHeaders(s.behindProxy(s.checkHost(s.checkSite(http.NewCrossOriginProtection().Handler(open)))))
}

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}
