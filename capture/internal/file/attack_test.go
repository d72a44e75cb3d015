package file

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

// Playlists, lists of clips, session descriptions and subtitles under a video's name
// name other files and hosts: none of them is opened.
func TestAttackDisguisedFiles(t *testing.T) {
	t.Parallel()
	var called atomic.Int32
	host := capturetest.Accept(t, func(net.Conn) { called.Add(1) })
	dir := t.TempDir()
	clip := capturetest.VideoFile(t, 160, 120, 25, 5)
	segment := filepath.Join(dir, "segment.ts")
	if err := os.WriteFile(segment, capturetest.FFmpeg(t, 160, 120, 25, 5, "mpegts"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"m3u8 of a host":       "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://" + host + "/x.ts\n#EXT-X-ENDLIST\n",
		"m3u8 of a file":       "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n" + segment + "\n#EXT-X-ENDLIST\n",
		"m3u8 beside it":       "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsegment.ts\n#EXT-X-ENDLIST\n",
		"ffconcat of a file":   "ffconcat version 1.0\nfile '" + clip + "'\n",
		"ffconcat of a host":   "ffconcat version 1.0\nfile 'http://" + host + "/x.mp4'\n",
		"ffconcat beside it":   "ffconcat version 1.0\nfile segment.ts\n",
		"session description":  "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		"DASH":                 `<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT5S"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>http://` + host + `/x.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
		"ASX":                  `<asx version="3.0"><entry><ref href="http://` + host + `/x.asf"/></entry></asx>`,
		"a link of RealAudio":  "rtsp://" + host + "/x\n",
		"subtitles":            "1\n00:00:00,000 --> 00:00:05,000\nhello\n",
		"an image sequence":    "frame%03d.png\n",
		"ffmetadata":           ";FFMETADATA1\ntitle=x\n",
		"a script of AviSynth": "AviSource(\"" + clip + "\")\n",
	} {
		if os.Getenv("PLATEWATCH_ATTACK") == "" && !strings.HasSuffix(name, "of a file") {
			continue // each takes a decoder's start
		}
		for _, ending := range []string{".mp4", ".ts"} {
			t.Run(name+ending, func(t *testing.T) {
				path := filepath.Join(dir, fmt.Sprintf("clip%s", ending))
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				src, err := sourcetest.Open(ctx, Kind, source.Config{Source: path})
				if err != nil {
					return
				}
				defer src.Close()
				m := gocv.NewMat()
				defer m.Close()
				if _, err := src.Read(&m); err == nil {
					t.Errorf("it shows a picture of %d x %d", m.Cols(), m.Rows())
				}
			})
		}
	}
	if n := called.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}
