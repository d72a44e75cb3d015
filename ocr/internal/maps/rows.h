// What the passes over rows share.
//
// Their loops over x are written so that compilers turn them into vector
// instructions: no branches, one type for each sum, the least that holds it, and no
// row that could be another one (__restrict). Where it matters they run over whole
// words of 64 pixels: what is left over at an end is dear, so rows have spare room
// beyond it.
#pragma once
#include "maps.h"

#include <cstddef>

namespace {

constexpr int word_bits = 64; // pixels

// spare is how far beyond its last pixel a row may be read and written: a word, and
// what a window reaches.
constexpr int spare = 2 * word_bits;

// whole rounds a number of pixels up to whole vectors of any processor.
inline int whole(int n) { return (n + 15) & ~15; }

inline const uint8_t *row(const pw_plane &p, int y) { return p.pixels + static_cast<size_t>(y) * p.width; }

// mirrored is the place of a pixel beyond the end of n: ... 2 1 0 1 2 ...
inline int mirrored(int i, int n) {
  if (n == 1) {
    return 0;
  }
  while (i < 0 || i >= n) {
    i = i < 0 ? -i : 2 * n - 2 - i;
  }
  return i;
}

// add and replace keep the sums of some rows' columns.
inline void add(const uint8_t *__restrict in, uint16_t *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    sums[x] = static_cast<uint16_t>(sums[x] + in[x]);
  }
}

inline void replace(const uint8_t *__restrict in, const uint8_t *__restrict old, uint16_t *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    sums[x] = static_cast<uint16_t>(sums[x] + in[x] - old[x]);
  }
}

} // namespace
