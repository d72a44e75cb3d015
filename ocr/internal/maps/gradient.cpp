// The horizontal gradient, whole and at a quarter of the scale.
#include "rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

// step is the change from column x to x + 2 of a row of pixels.
inline int16_t step(const uint8_t *in, int x) { return static_cast<int16_t>(in[x + 2] - in[x]); }

// halved is half the size of a smoothed step, a half to the even number, at most 255.
inline int16_t halved(int16_t above, int16_t middle, int16_t below) {
  const int16_t d = static_cast<int16_t>(above + 2 * middle + below);
  const int16_t size = std::max<int16_t>(d, static_cast<int16_t>(-d));
  const int16_t low = static_cast<int16_t>(size >> 1);
  return std::min<int16_t>(255, static_cast<int16_t>(low + (size & low & 1)));
}

// gradients writes the gradients of four rows, of which the first lies between rows a and c,
// and their sums.
void gradients(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, const uint8_t *__restrict d,
               const uint8_t *__restrict e, const uint8_t *__restrict f, uint8_t *__restrict out0, uint8_t *__restrict out1,
               uint8_t *__restrict out2, uint8_t *__restrict out3, uint16_t *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    const int16_t sa = step(a, x), sb = step(b, x), sc = step(c, x), sd = step(d, x), se = step(e, x), sf = step(f, x);
    const int16_t g0 = halved(sa, sb, sc), g1 = halved(sb, sc, sd), g2 = halved(sc, sd, se), g3 = halved(sd, se, sf);
    out0[x] = static_cast<uint8_t>(g0);
    out1[x] = static_cast<uint8_t>(g1);
    out2[x] = static_cast<uint8_t>(g2);
    out3[x] = static_cast<uint8_t>(g3);
    sums[x] = static_cast<uint16_t>(g0 + g1 + g2 + g3);
  }
}

// gradient writes one row's, and adds it to sums.
void gradient(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, uint8_t *__restrict out,
              uint16_t *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    const int16_t g = halved(step(a, x), step(b, x), step(c, x));
    out[x] = static_cast<uint8_t>(g);
    sums[x] = static_cast<uint16_t>(sums[x] + g);
  }
}

// mean rounds a half to the even number.
inline int mean(int total, int count) {
  const int rounded = (2 * total + count) / (2 * count);
  return (2 * total + count) % (2 * count) == 0 ? rounded & ~1 : rounded;
}

// quarters writes the means of whole squares.
void quarters(const uint16_t *__restrict sums, uint8_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    uint64_t four; // lanes of 16 bits, which hold 4 x 4 x 255
    std::memcpy(&four, sums + 4 * static_cast<size_t>(x), sizeof four);
    four += four >> 32;
    four += four >> 16;
    const uint32_t total = static_cast<uint32_t>(four) & 0xffff;
    out[x] = static_cast<uint8_t>((total + 7 + (total >> 4 & 1)) >> 4); // as mean of 16
  }
}

} // namespace

extern "C" void pw_gradient(pw_plane grey, uint8_t *out, uint8_t *quarter, int quarter_width, int quarter_height) {
  const int w = grey.width, h = grey.height;
  // The first and the last column have none: what lies beyond them is mirrored.
  std::vector<uint16_t> sums(4 * static_cast<size_t>(quarter_width) + w);
  for (int y = 0; y < h; y += 4) {
    const int rows = std::min(4, h - y);
    const auto in = [&](int i) { return row(grey, mirrored(y + i, h)); };
    const auto to = [&](int i) { return out + static_cast<size_t>(y + i) * w; };
    for (int i = 0; i < rows; i++) {
      to(i)[0] = to(i)[w - 1] = 0;
    }
    if (rows == 4) {
      const uint8_t *a = in(-1), *b = in(0), *c = in(1), *d = in(2), *e = in(3), *f = in(4);
      const auto from = [&](int x, int n) {
        gradients(a + x, b + x, c + x, d + x, e + x, f + x, to(0) + x + 1, to(1) + x + 1, to(2) + x + 1, to(3) + x + 1, sums.data() + x + 1, n);
      };
      // What is left over after whole vectors would be dear: the last one overlaps.
      constexpr int vector = 16;
      const int n = w - 2;
      if (n >= vector) {
        from(0, n / vector * vector);
        from(n - vector, vector);
      } else {
        from(0, n);
      }
    } else {
      std::fill(sums.begin(), sums.end(), 0);
      for (int i = 0; i < rows; i++) {
        gradient(in(i - 1), in(i), in(i + 1), to(i) + 1, sums.data() + 1, w - 2);
      }
    }
    const int line = y / 4;
    if (line >= quarter_height) {
      continue;
    }
    uint8_t *means = quarter + static_cast<size_t>(line) * quarter_width;
    const int squares = rows == 4 ? std::min(w / 4, quarter_width) : 0;
    quarters(sums.data(), means, squares);
    for (int x = squares; x < quarter_width; x++) {
      const uint16_t *s = sums.data() + 4 * static_cast<size_t>(x);
      means[x] = static_cast<uint8_t>(mean(s[0] + s[1] + s[2] + s[3], rows * std::min(4, w - 4 * x)));
    }
  }
}
