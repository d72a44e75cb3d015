// Package look reads plates from the inputs that a person names on the command line:
// pictures, folders of pictures, videos and camera addresses.
package look

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/capture/still"
)

// Input is one picture, video or camera to read.
type Input struct {
	Name   string          // as it is printed
	Stream *capture.Config // nil for a picture
	Bytes  io.Reader       // of a picture that is not a file; nil: Name is one
	Err    error           // why it cannot be read; the others still can
}

// standardInput is how - is printed.
const standardInput = "standard input"

// Inputs returns the inputs that arguments name. A folder stands for the pictures
// and videos directly in it, in the order of their names; - is the picture that stdin
// holds.
func Inputs(args []string, stdin io.Reader) []Input {
	var all []Input
	for _, arg := range args {
		if arg == "-" {
			all = append(all, Input{Name: standardInput, Bytes: stdin})
			continue
		}
		if strings.Contains(arg, "://") {
			all = append(all, Input{Name: source.Redact(arg), Stream: &capture.Config{Name: "read", Source: arg}})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			all = append(all, Input{Name: arg, Err: &InputError{Path: arg, Err: err}})
		case info.IsDir():
			all = append(all, folderInputs(arg)...)
		case info.Mode()&fs.ModeCharDevice != 0:
			all = append(all, Input{Name: arg, Stream: &capture.Config{Name: "read", Kind: "v4l2", Source: arg}})
		default:
			all = append(all, fileInput(arg))
		}
	}
	return all
}

func folderInputs(dir string) []Input {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []Input{{Name: dir, Err: &InputError{Path: dir, Err: err}}}
	}
	var all []Input
	for _, e := range entries {
		if !e.IsDir() && (capture.IsVideoName(e.Name()) || still.IsName(e.Name())) {
			all = append(all, fileInput(filepath.Join(dir, e.Name())))
		}
	}
	if len(all) == 0 {
		err := fmt.Errorf("the folder has no pictures or videos: %w", fs.ErrNotExist)
		return []Input{{Name: dir, Err: &InputError{Path: dir, Err: err}}}
	}
	return all
}

func fileInput(path string) Input {
	if capture.IsVideoName(path) {
		return Input{Name: path, Stream: &capture.Config{Name: "read", Kind: "file", Source: path, Pace: source.PaceFast}}
	}
	return Input{Name: path}
}

// InputError describes a fault of an argument.
type InputError struct {
	Path string
	Err  error
}

func (e *InputError) Error() string {
	var p *fs.PathError
	if errors.As(e.Err, &p) { // it repeats the path
		return fmt.Sprintf("%s: %v", e.Path, p.Err)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

func (e *InputError) Unwrap() error { return e.Err }

// Hint names the possible arguments.
func (e *InputError) Hint() string {
	return "name a picture, a folder of pictures, a video, or a camera's rtsp:// or http:// address"
}
