// Package status serves a unit's status page: to a technician's phone as HTML,
// to programs as one JSON document, to Prometheus as metrics, to a supervisor
// as /healthz and /readyz.
//
//	GET /                               the page; the document for Accept: application/json
//	GET /status.json                    the document
//	GET /events                         the document once a second, as server-sent events
//	GET /cameras/{name}/frame.jpg       the newest frame with its plates outlined; ?size=small for bad links
//	GET /cameras/{name}/live.mjpeg      the same as a stream
//	GET /cameras/{name}/crop.jpg        a part of it at its own resolution: ?x=0.5&y=0.5&w=480&h=320
//	GET /cameras/{name}/plate.jpg       the last plate at its own resolution
//	POST /cameras/{name}/aim            the camera was moved: judge it anew
//	POST /testdrive                     do=start or do=stop
//	GET /testdrive.json                 what was read during a test drive
//	GET /testdrive/{number}             the plate of one of these reads
//	GET /hits/{id}/plate.jpg            the plate of one of the last hits
//	GET /metrics                        Prometheus
//	GET /healthz                        200 while the camera pipelines make progress
//	GET /readyz                         200 while cameras, hotlist and outbox work; else what is missing
//
// The server knows nothing about cameras or plates: it asks a [Unit], and asks
// for pictures only while somebody views them.
//
// # Who may look
//
// On loopback everybody on the machine may, but only with a loopback Host header,
// so that a foreign web page cannot connect by DNS rebinding. On any other address
// the server requires TLS and a token: as "Authorization: Bearer", or typed into a
// form, which begins a session of at most 12 hours. A token has roles, see package
// access: what a role may not see is not sent. A logout and the end of the unit
// end it, and its streams. /healthz needs no token: it answers one word. Wrong tokens
// are bounded for each address and in all, and give one line in the log a minute.
// Requests that another site's page makes are refused.
//
// At the bound of connections (64; 24 from one address) those without an admitted
// request are closed for new ones.
//
// # What may be seen
//
// The document contains the text of hits only; plates that match no list appear
// as the size of their boxes. Live pictures show the whole frame, with the text of
// hits only. During a test drive, which is announced to every viewer, /testdrive.json has the
// text of all that is read. [Options.OnView] is told who looks at live pictures and hits, from when to when.
package status
