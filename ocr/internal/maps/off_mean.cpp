// The map of what differs from the mean around it.
#include "wanted.h"

namespace {

void fives(const uint16_t *__restrict in, uint16_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<uint16_t>(in[x] + in[x + 1] + in[x + 2] + in[x + 3] + in[x + 4]);
  }
}

// compare compares a word of pixels with the means around them, whose columns' sums,
// and those of five columns, begin at the left end of the first one's block.
template <int block, bool light>
void compare(const uint16_t *__restrict five, const uint16_t *__restrict columns, const uint8_t *__restrict in,
             uint8_t *__restrict out, int by) {
  static_assert(block == 11 || block == 21, "its sum is made of fives");
  constexpr int area = block * block;
  // A block's sum, and a pixel times its size. The mean is rounded: it is by or more above
  // the pixel from this sum on.
  using T = std::conditional_t<block == 11, int16_t, int32_t>; // 11: at most 121 x 255 + 121 x by
  const T least = static_cast<T>(area * by - area / 2);
  for (int x = 0; x < word_bits; x++) {
    T sum = static_cast<T>(five[x] + five[x + 5] + columns[x + block - 1]);
    if constexpr (block == 21) {
      sum = sum + five[x + 10] + five[x + 15];
    }
    const T pixel = static_cast<T>(in[x] * area);
    if constexpr (light) {
      out[x] = static_cast<T>(sum + least) <= pixel ? 255 : 0;
    } else {
      out[x] = sum >= static_cast<T>(pixel + least) ? 255 : 0;
    }
  }
}

template <int block, bool light>
void off_mean(const pw_plane &grey, int by, const pw_plane &where, uint64_t *bits, int stride) {
  constexpr int half = block / 2;
  const int w = grey.width, h = grey.height;
  const Wanted wanted(where, w, h, stride);
  std::vector<uint16_t> columns(w + block - 1 + spare), five(columns.size());
  uint16_t *const middle = columns.data() + half; // of the first pixel
  for (int y = -half; y <= half; y++) {
    add(row(grey, mirrored(y, h)), middle, w);
  }
  for (int y = 0; y < h; y++) {
    if (y > 0) {
      replace(row(grey, mirrored(y + half, h)), row(grey, mirrored(y - half - 1, h)), middle, w);
    }
    for (int i = 1; i <= half; i++) {
      middle[-i] = middle[mirrored(-i, w)];
      middle[w - 1 + i] = middle[mirrored(w - 1 + i, w)];
    }
    const uint64_t *open = wanted.row(y);
    uint64_t *out = bits + static_cast<size_t>(y) * stride;
    std::fill_n(out, stride, 0);
    stretches(stride, [open](int word) { return open[word] != 0; }, [&](int from, int to) {
      const int x0 = from * word_bits, x1 = to * word_bits;
      fives(columns.data() + x0, five.data() + x0, whole(x1 - x0 + block - 5));
      for (int word = from; word < to; word++) {
        const int x = word * word_bits;
        uint8_t pixels[word_bits];
        with_word(row(grey, y) + x, w - x, [&](const uint8_t *in) {
          compare<block, light>(five.data() + x, columns.data() + x, in, pixels, by);
        });
        out[word] = packed(pixels) & open[word];
      }
    });
  }
}

} // namespace

extern "C" void pw_off_mean(pw_plane grey, int block, int by, int light, pw_plane where, uint64_t *bits, int stride) {
  if (block == 11) {
    (light != 0 ? off_mean<11, true> : off_mean<11, false>)(grey, by, where, bits, stride);
  } else {
    (light != 0 ? off_mean<21, true> : off_mean<21, false>)(grey, by, where, bits, stride);
  }
}
