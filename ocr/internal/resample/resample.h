#ifndef PLATEWATCH_RESAMPLE_H
#define PLATEWATCH_RESAMPLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint8_t *pixels;
  int width, height;
} pw_picture;

// (a x + b y + c, d x + e y + f) is the place on the source.
typedef struct {
  double a, b, c, d, e, f;
} pw_affine;

// All return 0 where memory is short, and have written nothing then.
int pw_sheared(pw_picture from, pw_picture to, pw_affine m);
int pw_halved(pw_picture from, pw_picture to, pw_affine m);

// scale is from's pixels for one of the result.
int pw_shrunk(pw_picture from, pw_picture to, double scale);

#ifdef __cplusplus
}
#endif

#endif
