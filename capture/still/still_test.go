package still

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platewatch/capture/decodertest"
	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
)

func TestMain(m *testing.M) {
	decodertest.Serve()
	capturetest.Main(m)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.jpg")
	capturetest.WriteJPEG(t, good, capturetest.Corners(64, 32))
	text := filepath.Join(dir, "text.jpg")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := NewReader(Limits{})
	defer r.Close()
	small := NewReader(Limits{MaxBytes: 100})
	defer small.Close()
	for _, tt := range []struct {
		path   string
		reader *Reader
		want   error
	}{
		{filepath.Join(dir, "none.jpg"), r, fs.ErrNotExist},
		{dir, r, fault.ErrPicture},
		{"/dev/zero", r, fault.ErrPicture},
		{text, r, fault.ErrNotPicture},
		{good, small, fault.ErrTooLarge},
	} {
		_, err := tt.reader.Read(t.Context(), tt.path)
		var e *fault.Error
		if !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint() == "" || !strings.HasPrefix(err.Error(), tt.path+": ") {
			t.Errorf("%s: %v, want %v", tt.path, err, tt.want)
		}
	}
	m, err := r.Read(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Cols() != 64 || m.Rows() != 32 {
		t.Errorf("the picture is %d x %d", m.Cols(), m.Rows())
	}
	if n := len(capturetest.Decoders(t)); n != 2 {
		t.Errorf("%d decoders for two readers", n)
	}
}

// A picture whose decoder dies is damaged; the next one is read by another decoder.
func TestDecoderDies(t *testing.T) {
	r := NewReader(Limits{})
	defer r.Close()
	b := capturetest.EncodeJPEG(t, capturetest.Corners(64, 32))
	if _, err := r.decoder(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range capturetest.Decoders(t) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.decode(t.Context(), b); !errors.Is(err, fault.ErrPicture) || !errors.Is(err, fault.ErrDecoder) {
		t.Errorf("error is %v", err)
	}
	m, err := r.decode(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.decode(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
