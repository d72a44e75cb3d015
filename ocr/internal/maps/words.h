// Words of 64 pixels, as bits, the first the lowest.
#pragma once
#include "rows.h"

#include <algorithm>
#include <cstring>

namespace {

// packed makes bits of 64 pixels that are 0 or 255, the first the lowest.
inline uint64_t packed(const uint8_t *pixels) {
  // Bit k of byte i is pixel 8 k + i, ...
  uint64_t bits = 0;
  for (int k = 0; k < 8; k++) {
    uint64_t eight;
    std::memcpy(&eight, pixels + 8 * k, 8);
    bits |= eight & 0x0101010101010101ull << k;
  }
  // ... and after these exchanges, of bits, of pairs and of fours, bit i of byte k.
  const auto exchange = [&bits](int by, uint64_t mask) {
    const uint64_t differ = (bits ^ bits >> by) & mask;
    bits ^= differ ^ differ << by;
  };
  exchange(7, 0x00aa00aa00aa00aaull);
  exchange(14, 0x0000cccc0000ccccull);
  exchange(28, 0x00000000f0f0f0f0ull);
  return bits;
}

// with_word calls f with a word of pixels, of which there are left.
template <typename F> void with_word(const uint8_t *in, int left, F f) {
  if (left >= word_bits) {
    f(in);
    return;
  }
  uint8_t last[word_bits] = {}; // beyond it the picture may end
  std::memcpy(last, in, left);
  f(last);
}

// finish clears what lies beyond the last pixel of a row.
inline void finish(uint64_t *bits, int width, int stride) {
  const int words = (width + word_bits - 1) / word_bits;
  bits[words - 1] &= ~0ull >> (words * word_bits - width);
  std::fill(bits + words, bits + stride, 0);
}

} // namespace
