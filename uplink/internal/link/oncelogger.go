package link

// OnceLogger remembers which problems were logged since the link last worked: a
// network that fails in two ways by turns is logged twice, and not at every attempt
// for weeks. The zero value is ready.
type OnceLogger struct{ texts map[string]bool }

// maxLogged bounds the problems that are remembered. Beyond it nothing more is
// logged until the link works again.
const maxLogged = 8

// ShouldLog reports whether a problem is new, and remembers it.
func (l *OnceLogger) ShouldLog(text string) bool {
	if l.texts[text] || len(l.texts) == maxLogged {
		return false
	}
	if l.texts == nil {
		l.texts = map[string]bool{}
	}
	l.texts[text] = true
	return true
}

// Reset forgets all problems: the link works.
func (l *OnceLogger) Reset() { l.texts = nil }
