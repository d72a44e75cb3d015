package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// shells are those whose completion the package holds, by the name of its file.
var shells = map[string]string{"bash": "platewatch.bash", "zsh": "_platewatch", "fish": "platewatch.fish"}

// documents makes what the package holds besides the programs and the files of
// the repository, and gives its folder: man/*.1.gz and the completions.
func documents(ctx context.Context) (string, error) {
	const folder = "build/deb/documents"
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	// The program tells about itself, in words that are the same on all
	// processors: a build for this machine is asked.
	if err := command(ctx, nil, "go", "build", "-o", folder+"/", "./cmd/platewatch").Run(); err != nil {
		return "", fmt.Errorf("go build: %w", err)
	}
	program := filepath.Join(folder, "platewatch")
	for shell, file := range shells {
		script, err := output(ctx, program, "completion", shell)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(script+"\n"), 0o644); err != nil {
			return "", err
		}
	}
	if _, err := output(ctx, program, "man", filepath.Join(folder, "man")); err != nil {
		return "", err
	}
	pages, err := filepath.Glob(filepath.Join(folder, "man", "*.1"))
	if err != nil {
		return "", err
	}
	for _, page := range pages {
		if err := compressPage(page); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// compressPage replaces a manual page by its compressed form.
func compressPage(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	packed, err := compress(text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(page+".gz", packed, 0o644); err != nil {
		return err
	}
	return os.Remove(page)
}

// compress leaves time and name out, as `gzip -9n`.
func compress(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close() // writes the end
	return b.Bytes(), err
}
