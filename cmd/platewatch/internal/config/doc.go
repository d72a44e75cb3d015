// Package config reads a unit's configuration: one TOML file, one plain struct
// tree with defaults, and a Validate that finds everything at once.
//
// Whoever edits this file does it on a pole, over a bad link, with one chance:
// so every problem is reported in one go, each with its file and line, an
// unknown key comes with the key that was probably meant, and what would be
// insecure is refused with a sentence instead of being run.
//
// The package knows nothing about cameras, brokers or pictures: it hands out
// plain values and never opens what they name. Secrets are never values in the
// file; the file names the files that hold them (see [Secret]).
//
// How it works: the TOML library parses the text, [keyLines] finds the line of
// every key in it, [binder] copies the values into the struct tree, the settings
// judge themselves by their method Problems, and Resolve makes every path
// absolute.
package config
