package link

// OnceLogger remembers which problems were told since the link last worked: a
// network that fails in two ways by turns is still told of twice, and not at
// every attempt for weeks.
type OnceLogger struct{ texts map[string]bool }

// maxTold bounds the problems that are remembered. Beyond it nothing more is
// told until the link works again.
const maxTold = 8

// ShouldLog reports whether a problem is to be told, and remembers it.
func (t *OnceLogger) ShouldLog(text string) bool {
	if t.texts[text] || len(t.texts) == maxTold {
		return false
	}
	if t.texts == nil {
		t.texts = map[string]bool{}
	}
	t.texts[text] = true
	return true
}

// Reset forgets all: the link works.
func (t *OnceLogger) Reset() { t.texts = nil }
