package folder

import (
	"errors"
	"io/fs"

	"platewatch/hotlist/entry"
)

// MakeAdvice is the advice where [Make] fails.
const MakeAdvice = "name a directory that this user may write to"

// Advice says what to do about a list file that cannot be used.
func Advice(err error) string {
	switch {
	case errors.Is(err, entry.ErrDamaged):
		return "import the list again; if it happens again, replace the storage"
	case errors.Is(err, entry.ErrNewer):
		return "update platewatch, or import the list again with this version"
	case errors.Is(err, entry.ErrOlder):
		return "import the list again"
	case errors.Is(err, entry.ErrUnsigned):
		return "apply a signed version, or name the signer's key in hotlist.trust or the list in hotlist.local"
	case errors.Is(err, entry.ErrKey):
		return "name the file with the hotlist's key; if the key is lost, import the lists again under a new one"
	case errors.Is(err, entry.ErrLocked):
		return "stop the program that holds it"
	case errors.Is(err, fs.ErrPermission):
		return "give the file to the user that the unit runs as, or import the list again as root"
	}
	return ""
}
