// Passes over grey pictures, row by row in registers: see maps.go.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A picture of 8 bits, row after row.
typedef struct {
  const uint8_t *pixels;
  int width, height;
} pw_plane;

// pw_gradient writes |d/dx| / 2 (Sobel, 3 x 3) of a grey picture, and the means of
// its squares of 4 x 4 pixels, which are quarter_width x quarter_height.
void pw_gradient(pw_plane grey, uint8_t *gradient, uint8_t *quarter, int quarter_width, int quarter_height);

// Both maps are written as bits, the first pixel the lowest, in rows of stride words,
// and only where where is set, which is enlarged to the picture; without pixels it is
// set everywhere. light looks for light strokes instead of dark ones.
void pw_off_mean(pw_plane grey, int block, int by, int light, pw_plane where, uint64_t *bits, int stride);
void pw_hat(pw_plane grey, int light, pw_plane where, uint64_t *bits, int stride);

// pw_below_mean sets the bits of pixels that are darker by at least by than the mean of the
// block around them, beyond the ends of the picture its last pixels; above sets the others.
void pw_below_mean(pw_plane grey, int block, int by, int above, uint64_t *bits, int stride);

// pw_smooth writes the mean of the 5 x 3 pixels around each one, rounded, beyond the ends
// of the picture its mirror image.
void pw_smooth(pw_plane grey, uint8_t *out);

// pw_strokes writes the sizes of the horizontal gradients (Sobel, 3 x 3) of a black-hat of
// 25 x 9 pixels, which is left in hat.
void pw_strokes(pw_plane grey, uint8_t *hat, uint8_t *strokes);

// pw_close writes a closing by 21 x 7 pixels. out may be the picture itself.
void pw_close(pw_plane in, uint8_t *out);

// pw_above sets the bits of pixels that are larger than least; flip sets the others.
void pw_above(pw_plane in, int least, int flip, uint64_t *bits, int stride);

// pw_opened writes as bits what is larger than least, opened by 9 x 7 pixels.
void pw_opened(pw_plane in, int least, uint64_t *bits, int stride);

// pw_gathered counts the bits of some rows, from x0 up to x1, in columns with each of the
// slants, and writes the sums of the counts' squares. For slant k row i is moved to the left
// by shifts[n k + i] pixels, at most room either way.
void pw_gathered(const uint64_t *bits, int stride, int x0, int x1, const int32_t *rows, int n, const int32_t *shifts, int slants,
                 int room, double *gathered);

// pw_steps counts in columns with each of the slants the rows where the half pixels from the
// column on are together darker, or lighter, by least than the half before it, and writes the
// most for each column. Rows are moved as by pw_gathered.
void pw_steps(pw_plane grey, const int32_t *rows, int n, const int32_t *shifts, int slants, int half, int least, uint16_t *most);

// pw_histogram adds the number of pixels with each value to counts.
void pw_histogram(pw_plane in, uint32_t *counts);

#ifdef __cplusplus
}
#endif
