// Package paint draws antialiased polygons and perspective pictures into an
// RGBA picture, and has the plane geometry that this takes.
package paint
