package uplink

// told remembers which problems were told since the link last worked: a
// network that fails in two ways by turns is still told of twice, and not at
// every attempt for weeks.
type told struct{ texts map[string]bool }

// maxTold bounds the problems that are remembered. Beyond it nothing more is
// told until the link works again.
const maxTold = 8

// first reports whether a problem is to be told, and remembers it.
func (t *told) first(text string) bool {
	if t.texts[text] || len(t.texts) == maxTold {
		return false
	}
	if t.texts == nil {
		t.texts = map[string]bool{}
	}
	t.texts[text] = true
	return true
}

// reset forgets all: the link works.
func (t *told) reset() { t.texts = nil }
