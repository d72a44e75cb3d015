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

// pw_below_mean writes 255 where a pixel is darker by at least by than the mean of the
// block around it, beyond the ends of the picture its last pixels; above writes the
// opposite.
void pw_below_mean(pw_plane grey, int block, int by, int above, uint8_t *out);

// pw_smooth writes the mean of the 5 x 3 pixels around each one, rounded, beyond the ends
// of the picture its mirror image.
void pw_smooth(pw_plane grey, uint8_t *out);

#ifdef __cplusplus
}
#endif
