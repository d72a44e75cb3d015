package hotlist

import (
	"errors"
	"io/fs"
)

const adviceFolder = "a hotlist is a directory; name one that this user may write to"

// adviceFor says what to do about a list file that cannot be used.
func adviceFor(err error) string {
	switch {
	case errors.Is(err, ErrDamaged):
		return "import the list again; if it happens again, replace the storage"
	case errors.Is(err, ErrNewer):
		return "update platewatch, or import the list again with this version"
	case errors.Is(err, ErrOlder):
		return "import the list again"
	case errors.Is(err, ErrUnsigned):
		return "apply a signed version, name the key that signed it in the configuration, or name the list as local"
	case errors.Is(err, ErrKey):
		return "name the file with the hotlist's key; without it the lists cannot be read, and have to be imported again under a new one"
	case errors.Is(err, ErrLocked):
		return "end the program that holds it"
	case errors.Is(err, fs.ErrPermission):
		return "give the file to the user that the unit runs as, or import the list again as root"
	}
	return ""
}
