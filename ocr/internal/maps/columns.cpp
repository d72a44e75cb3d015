// What stands in columns, upright or slanted: maps.Gathered and Steps.
#include "rows.h"

#include <algorithm>
#include <vector>

namespace {

// count adds flags, 0 or 1, to the counts of columns.
void count(const uint8_t *__restrict flags, uint16_t *__restrict counts, int n) {
#pragma GCC unroll 4
  for (int x = 0; x < n; x++) {
    counts[x] = static_cast<uint16_t>(counts[x] + flags[x]);
  }
}

// steps flags where the half pixels from here on are together darker, or lighter, by least
// than the half before. sums are those of all pixels before.
void steps(const int32_t *__restrict sums, int half, int32_t least, uint8_t *__restrict darker, uint8_t *__restrict lighter, int n) {
  const int32_t *__restrict before = sums - half, *__restrict behind = sums + half;
  for (int x = 0; x < n; x++) {
    const int32_t step = behind[x] - 2 * sums[x] + before[x];
    darker[x] = step <= -least ? 1 : 0;
    lighter[x] = step >= least ? 1 : 0;
  }
}

} // namespace

extern "C" void pw_gathered(const uint64_t *bits, int stride, int x0, int x1, const int32_t *rows, int n, const int32_t *shifts,
                            int slants, int room, double *gathered) {
  const int w = x1 - x0;
  std::vector<uint8_t> flags(static_cast<size_t>(n) * w);
  for (int i = 0; i < n; i++) {
    const uint64_t *from = bits + static_cast<size_t>(rows[i]) * stride;
    uint8_t *to = flags.data() + static_cast<size_t>(i) * w;
    for (int x = x0; x < x1; x++) {
      to[x - x0] = from[x / word_bits] >> (x & (word_bits - 1)) & 1;
    }
  }
  std::vector<uint16_t> counts(w + 2 * static_cast<size_t>(room));
  for (int k = 0; k < slants; k++, shifts += n) {
    std::fill(counts.begin(), counts.end(), 0);
    for (int i = 0; i < n; i++) {
      count(flags.data() + static_cast<size_t>(i) * w, counts.data() + room - shifts[i], w);
    }
    uint64_t sum = 0;
    for (const uint16_t c : counts) {
      sum += static_cast<uint32_t>(c) * c;
    }
    gathered[k] = static_cast<double>(sum);
  }
}

extern "C" void pw_steps(pw_plane grey, const int32_t *rows, int n, const int32_t *shifts, int slants, int half, int least, uint16_t *most) {
  const int w = grey.width, inner = w - 2 * half;
  std::fill_n(most, w, 0);
  if (inner <= 0) {
    return;
  }
  std::vector<int32_t> sums(w + 1);
  std::vector<uint8_t> darker(w), lighter(w);
  std::vector<uint16_t> counts(2 * static_cast<size_t>(slants) * w);
  for (int i = 0; i < n; i++) {
    const uint8_t *in = row(grey, rows[i]);
    int32_t sum = 0;
#pragma GCC unroll 8
    for (int x = 0; x < w; x++) {
      sum += in[x];
      sums[x + 1] = sum;
    }
    steps(sums.data() + half, half, least, darker.data() + half, lighter.data() + half, inner);
    for (int k = 0; k < slants; k++) {
      const int shift = shifts[k * n + i], from = std::max(half, shift), to = std::min(w - half, w + shift);
      if (from < to) {
        uint16_t *at = counts.data() + 2 * static_cast<size_t>(k) * w + from - shift;
        count(darker.data() + from, at, to - from);
        count(lighter.data() + from, at + w, to - from);
      }
    }
  }
  for (int k = 0; k < 2 * slants; k++) {
    const uint16_t *at = counts.data() + static_cast<size_t>(k) * w;
    for (int x = 0; x < w; x++) {
      most[x] = std::max(most[x], at[x]);
    }
  }
}
