package main

import (
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// dependencies are the packages that bring the libraries the programs are linked
// with, as the shlibs files of those packages name them.
func dependencies(programs []string, shlibs string) ([]string, error) {
	text, err := os.ReadFile(shlibs)
	if err != nil {
		return nil, err
	}
	known := parseShlibs(string(text))
	found := map[string]bool{"init-system-helpers (>= 1.54)": true} // deb-systemd-helper
	for _, program := range programs {
		f, err := elf.Open(program)
		if err != nil {
			return nil, err
		}
		needed, err := f.ImportedLibraries()
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", program, err)
		}
		for _, soname := range needed {
			d, ok := known[soname]
			if !ok {
				return nil, fmt.Errorf("%s needs %s, which no package of the release brings", program, soname)
			}
			if d != "" {
				found[d] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// parseShlibs reads lines of deb-shlibs(5), "[type:] library version
// dependencies ...", into the dependencies of each soname. Lines of a type are
// for the Debian installer.
func parseShlibs(text string) map[string]string {
	known := map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") || strings.HasSuffix(f[0], ":") {
			continue
		}
		depends := strings.Join(f[2:], " ")
		// The soname is one of these two: the file does not tell which.
		known[f[0]+".so."+f[1]] = depends
		known[f[0]+"-"+f[1]+".so"] = depends
	}
	return known
}
