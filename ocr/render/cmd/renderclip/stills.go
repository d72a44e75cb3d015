package main

import "io"

func writeStills(dir string, log io.Writer) error { return nil }
