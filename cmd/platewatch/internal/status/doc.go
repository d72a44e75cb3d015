// Package status serves a unit's status page: to a technician's phone as HTML,
// to programs as one JSON document, to Prometheus as metrics, to a supervisor
// as /healthz and /readyz.
//
//	GET /                               the page; the document for Accept: application/json
//	GET /status.json                    the document
//	GET /events                         the document once a second, as server-sent events
//	GET /cameras/{name}/frame.jpg       the newest frame with what was found drawn on it
//	GET /cameras/{name}/live.mjpeg      the same as a stream
//	GET /hits/{id}/plate.jpg            the plate of one of the last hits
//	GET /metrics                        Prometheus
//	GET /healthz                        200 while the pipeline goes round
//	GET /readyz                         200 once cameras, hotlist and outbox are there; else what is missing
//
// The server knows nothing about cameras or plates: it asks a [Unit]. It makes
// nothing up either: a page without viewers costs nothing, and pictures are
// asked for only while somebody looks at them.
//
// # Who may look
//
// On loopback everybody on the machine may, but only under a loopback Host
// header, so that a foreign web page cannot reach in by DNS rebinding. On any
// other address the server runs over TLS only and wants a token, as
// "Authorization: Bearer" or, for people, typed into a form and kept as a
// signed cookie. /healthz alone needs neither: it says one word.
//
// # What may be seen
//
// The document carries the text of hits and of nothing else: plates that match
// no list appear as the size of their boxes. Live pictures are what a person at
// the roadside sees; [Options.OnView] is told who looks.
package status
