package status

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/access"
)

//go:embed web
var web embed.FS

var pages = template.Must(template.ParseFS(web, "web/*.html"))

// page answers GET /: the page for people, the document for programs.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if !wantsHTML(r) {
		s.document(w, r)
		return
	}
	roles := viewerOf(r).roles
	doc, text := s.snapshot.forRoles(roles)
	s.html(w, http.StatusOK, "page.html", struct {
		Unit      string
		Document  json.RawMessage
		Token     bool
		Aim, Hits bool // may be seen
		Drives    int  // minutes of a test drive; 0: there are none
	}{doc.Unit, text, s.sessions != nil, roles.Has(access.Aim), roles.Has(access.Hits), s.driveMinutes()})
}

// document answers with the JSON document.
func (s *Server) document(w http.ResponseWriter, r *http.Request) {
	_, text := s.snapshot.forRoles(viewerOf(r).roles)
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
	w.Write([]byte("\n"))
}

func (s *Server) loginForm(w http.ResponseWriter, code int, message string) {
	s.html(w, code, "login.html", struct{ Message string }{message})
}

func (s *Server) html(w http.ResponseWriter, code int, name string, v any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		s.log.Error("page not rendered", "page", name, "error", err)
		http.Error(w, "the page cannot be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(b.Bytes())
}

// asset serves the page's style, script and icon. They contain nothing about the
// unit and may be cached until they change.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	b, err := web.ReadFile("web/" + name)
	if err != nil || path.Ext(name) == ".html" {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(b)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}

// wantsHTML reports whether the client accepts HTML by name, as browsers do.
// Programs that do not (curl sends */*) get the document.
func wantsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
