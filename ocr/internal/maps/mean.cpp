// What is darker or brighter than the mean around it.
#include "rows.h"
#include "words.h"

#include <algorithm>
#include <vector>

namespace {

// compare sets the pixels whose block of columns has a sum of at least area times the pixel and
// offset. sums are those of all columns before.
void compare(const uint8_t *__restrict in, const int32_t *__restrict sums, int block, int16_t area, int32_t offset,
             uint8_t *__restrict out, uint8_t flip) {
  const int32_t *__restrict beyond = sums + block;
  for (int x = 0; x < word_bits; x++) {
    const int32_t least = static_cast<int16_t>(in[x]) * area + offset;
    out[x] = static_cast<uint8_t>((beyond[x] - sums[x] >= least ? 255 : 0) ^ flip);
  }
}

} // namespace

extern "C" void pw_below_mean(pw_plane grey, int block, int by, int above, uint64_t *bits, int stride) {
  const int w = grey.width, h = grey.height, half = block / 2, area = block * block;
  const auto near = [&](int y) { return row(grey, std::clamp(y, 0, h - 1)); };
  std::vector<uint16_t> columns(w + block - 1);
  std::vector<int32_t> sums(w + block + spare);
  for (int y = -half; y <= half; y++) {
    add(near(y), columns.data() + half, w);
  }
  // The mean is rounded: it is by or more above a pixel from this sum on. It is never half
  // way, because blocks are odd.
  const int32_t offset = area * by - area / 2;
  const int words = (w + word_bits - 1) / word_bits;
  for (int y = 0; y < h; y++) {
    if (y > 0) {
      replace(near(y + half), near(y - half - 1), columns.data() + half, w);
    }
    std::fill_n(columns.begin(), half, columns[half]);
    std::fill_n(columns.begin() + half + w, half, columns[half + w - 1]);
    int32_t sum = 0;
#pragma GCC unroll 8
    for (int x = 0; x < w + block - 1; x++) {
      sum += columns[x];
      sums[x + 1] = sum;
    }
    uint64_t *out = bits + static_cast<size_t>(y) * stride;
    for (int i = 0; i < words; i++) {
      const int x = i * word_bits;
      uint8_t pixels[word_bits];
      with_word(row(grey, y) + x, w - x, [&](const uint8_t *in) {
        compare(in, sums.data() + x, block, static_cast<int16_t>(area), offset, pixels, above != 0 ? 255 : 0);
      });
      out[i] = packed(pixels);
    }
    finish(out, w, stride);
  }
}
