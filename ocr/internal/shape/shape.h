// Connected components of maps of bits: see shape.go.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A shape's box, from x0 and y0 up to, not including, x1 and y1, and how many pixels are set.
typedef struct {
  int32_t x0, y0, x1, y1, area;
} pw_shape;

// pw_shapes finds the 8-connected shapes in rows of stride words, the first pixel the lowest
// bit, whose last word is empty, in the order of their first pixels. It returns their number,
// and in shapes memory for the caller to free; -1 where memory is short.
int pw_shapes(const uint64_t *bits, int stride, int height, pw_shape **shapes);

#ifdef __cplusplus
}
#endif
