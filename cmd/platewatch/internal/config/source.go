package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// videoExtensions are the files taken for clips. Others are fine too, with
// kind = "file".
var videoExtensions = []string{".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".h264"}

var pictureExtensions = []string{".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"}

// SourceKind returns what kind of source the camera has: what Kind says, or
// else what Source looks like. The error is for a person and ends with what to
// write instead.
func (c Camera) SourceKind() (Kind, error) {
	switch c.Kind {
	case KindV4L2, KindRTSP, KindHTTP, KindFile, KindFolder:
		return c.Kind, nil
	case "":
	default:
		return "", fmt.Errorf("there is no kind %q: write v4l2, rtsp, http, file or folder", c.Kind)
	}
	source := c.Source
	scheme, _, isURL := strings.Cut(source, "://")
	extension := strings.ToLower(filepath.Ext(source))
	switch {
	case isURL && (scheme == "rtsp" || scheme == "rtsps"):
		return KindRTSP, nil
	case isURL && (scheme == "http" || scheme == "https"):
		return KindHTTP, nil
	case isURL:
		return "", fmt.Errorf("there is no %s:// source: write an rtsp:// address, a device, a file or a folder", scheme)
	case strings.HasPrefix(source, "/dev/"):
		return KindV4L2, nil
	case strings.HasSuffix(source, "/"):
		return KindFolder, nil
	case slices.Contains(videoExtensions, extension):
		return KindFile, nil
	case slices.Contains(pictureExtensions, extension):
		return "", fmt.Errorf("a single picture is no camera: name its folder, with a slash at the end")
	}
	return "", fmt.Errorf("%q does not show what it is: add kind = \"file\" or \"folder\", or end a folder with a slash", Redact(source))
}

// secretInQuery finds passwords that cheap cameras want inside the address.
var secretInQuery = regexp.MustCompile(`(?i)\b((?:password|passwd|pass|pwd|token|secret|auth|key)=)[^&;/?#\s"]+`)

// userinfo finds user:password@ even in what is no well-formed address: up to
// the last @, because a password may hold anything.
var userinfo = regexp.MustCompile(`(://[^/?#\s@:]*):\S*@`)

// Redact returns an address without its secrets, for messages, logs and the
// status page. What is no address is returned unchanged.
func Redact(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	address = userinfo.ReplaceAllString(address, "$1:***@")
	return secretInQuery.ReplaceAllString(address, "$1***")
}

// parseAddress is [url.Parse] without the address in its errors, which may hold
// a password.
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("is not a well-formed address")
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("has no host in it")
	}
	return u, nil
}
