// Recognition with alternatives, from Tesseract's iterators.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// One alternative for one symbol: symbols are numbered from 0 in reading
// order; the best alternative comes first.
typedef struct {
  int symbol;
  float confidence; // of this alternative, 0-100
  char text[8];     // UTF-8, cut to 7 bytes
} pw_choice;

// pw_recognise reads a grey picture with an initialised tesseract::TessBaseAPI
// and writes at most cap choices. It returns their number, or -1 with a
// message in why.
int pw_recognise(void *api, const unsigned char *pixels, int width, int height, int stride,
                 pw_choice *out, int cap, char *why, size_t why_size);

// pw_timesteps reads a grey picture with a model whose only characters are
// A-Z and 0-9, and writes the network's probabilities, time step by time step:
// 37 numbers each, the blank, A to Z, 0 to 9. Tesseract lists only classes of
// at least 0.01; the others are 0. It writes at most cap time steps and
// returns their number, or -1 with a message in why.
int pw_timesteps(void *api, const unsigned char *pixels, int width, int height, int stride,
                 float *out, int cap, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif
