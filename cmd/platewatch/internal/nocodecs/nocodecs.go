// Package nocodecs keeps video and pictures' codecs, and with them FFmpeg, out of
// the program that holds the hotlist's key: what comes from outside is decoded in
// processes of its own. Importing the package is enough; only package main does.
//
// gocv refers to cv::VideoCapture, cv::VideoWriter, cv::imread and their like. The
// linker takes them from here, where each of them fails, and drops the libraries.
package nocodecs

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: opencv4
#cgo LDFLAGS: -Wl,--as-needed
*/
import "C"
