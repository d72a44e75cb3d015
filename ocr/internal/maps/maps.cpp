#include "maps.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

// The loops over x are written so that compilers turn them into vector
// instructions: no branches, one type for each sum, the least that holds it, and no
// row that could be another one (__restrict).

namespace {

// mirrored is the place of a pixel beyond the end of n: ... 2 1 0 1 2 ...
int mirrored(int i, int n) {
  if (n == 1) {
    return 0;
  }
  while (i < 0 || i >= n) {
    i = i < 0 ? -i : 2 * n - 2 - i;
  }
  return i;
}

const uint8_t *row(const pw_plane &p, int y) { return p.pixels + static_cast<size_t>(y) * p.width; }

// Writer packs rows of 0 and 255 into bits where a smaller picture is set.
class Writer {
public:
  Writer(const pw_plane &grey, const pw_plane &where, uint64_t *bits, int stride)
      : width_(grey.width), height_(grey.height), where_(where), bits_(bits), stride_(stride), open_(stride, ~0ull) {
    if (where.pixels != nullptr) {
      // Where each column of the smaller picture begins, as cv::resize takes the nearest.
      const double step = 1 / (static_cast<double>(width_) / where.width);
      first_.assign(where.width + 1, width_);
      for (int x = width_ - 1; x >= 0; x--) {
        first_[std::min(static_cast<int>(x * step), where.width - 1)] = x;
      }
      for (int i = where.width - 1; i >= 0; i--) {
        first_[i] = std::min(first_[i], first_[i + 1]); // one that has no column of its own
      }
    }
  }

  // write has f write stretches of at most 64 pixels, and packs them: those that are
  // wanted of the row.
  template <typename F> void write(int y, F f) {
    select(y);
    uint64_t *out = bits_ + static_cast<size_t>(y) * stride_;
    uint8_t pixels[64];
    for (int word = 0; word < stride_; word++) {
      const int x = 64 * word, n = std::min(64, width_ - x);
      if (n <= 0 || open_[word] == 0) {
        out[word] = 0;
        continue;
      }
      if (n == 64) {
        f(x, 64, pixels);
      } else {
        std::memset(pixels, 0, sizeof pixels);
        f(x, n, pixels);
      }
      out[word] = packed(pixels) & open_[word];
    }
  }

  void clear(int y) { std::fill_n(bits_ + static_cast<size_t>(y) * stride_, stride_, 0); }

  // blank tells whether nothing of a row is wanted.
  bool blank(int y) {
    select(y);
    return none_;
  }

private:
  // The eight highest bits of eight bytes: the product moves each to the highest
  // byte, and no two meet.
  static uint64_t packed(const uint8_t *pixels) {
    uint64_t word = 0;
    for (int i = 0; i < 64; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, pixels + i, 8);
      word |= ((eight >> 7 & 0x0101010101010101ull) * 0x0102040810204080ull >> 56) << i;
    }
    return word;
  }

  void select(int y) {
    if (where_.pixels == nullptr) {
      return;
    }
    const double step = 1 / (static_cast<double>(height_) / where_.height);
    const int from = std::min(static_cast<int>(y * step), where_.height - 1);
    if (from == row_) {
      return;
    }
    row_ = from;
    none_ = true;
    std::fill(open_.begin(), open_.end(), 0);
    const uint8_t *in = row(where_, from);
    for (int x = 0; x < where_.width; x++) {
      if (in[x] == 0) {
        continue;
      }
      const int begin = x;
      while (x + 1 < where_.width && in[x + 1] != 0) {
        x++;
      }
      set(first_[begin], first_[x + 1]);
    }
  }

  // set opens the columns from x0 up to, not including, x1.
  void set(int x0, int x1) {
    if (x0 >= x1) {
      return;
    }
    none_ = false;
    const int last = (x1 - 1) >> 6;
    const uint64_t from = ~0ull << (x0 & 63), to = ~0ull >> (63 - ((x1 - 1) & 63));
    if (x0 >> 6 == last) {
      open_[last] |= from & to;
      return;
    }
    open_[x0 >> 6] |= from;
    std::fill(open_.begin() + (x0 >> 6) + 1, open_.begin() + last, ~0ull);
    open_[last] |= to;
  }

  int width_, height_;
  pw_plane where_;
  uint64_t *bits_;
  int stride_;
  std::vector<uint64_t> open_;
  std::vector<int> first_;
  int row_ = -1;
  bool none_ = false;
};

template <typename T> void add(const uint8_t *__restrict in, T *__restrict sums, int n, uint8_t flip) {
  for (int x = 0; x < n; x++) {
    sums[x] = static_cast<T>(sums[x] + static_cast<uint8_t>(in[x] ^ flip));
  }
}

template <typename T>
void replace(const uint8_t *__restrict in, const uint8_t *__restrict old, T *__restrict sums, int n, uint8_t flip) {
  for (int x = 0; x < n; x++) {
    sums[x] = static_cast<T>(sums[x] + static_cast<uint8_t>(in[x] ^ flip) - static_cast<uint8_t>(old[x] ^ flip));
  }
}

template <typename T, int step> void pairs(const T *__restrict in, T *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<T>(in[x] + in[x + step]);
  }
}

template <typename T, int area>
void compare(const T *__restrict a, const T *__restrict b, const T *__restrict c, const uint8_t *__restrict in,
             uint8_t *__restrict out, int n, uint8_t flip, T least) {
  for (int x = 0; x < n; x++) {
    const T sum = static_cast<T>(a[x] + b[x] + c[x]);
    const T pixel = static_cast<T>(static_cast<uint8_t>(in[x] ^ flip) * area + least);
    out[x] = sum >= pixel ? 255 : 0;
  }
}

// off_mean compares each pixel with the mean of the block around it. T holds the sum
// of a block, and a pixel times its size.
template <typename T, int block> void off_mean(const pw_plane &grey, int by, bool light, Writer &writer) {
  constexpr int half = block / 2, area = block * block;
  const int w = grey.width, n = w + block - 1;
  const uint8_t flip = light ? 255 : 0;
  std::vector<T> columns(n), two(n), four(n), eight(n), sixteen(block > 16 ? n : 0);
  for (int y = -half; y <= half; y++) {
    const uint8_t *in = row(grey, mirrored(y, grey.height));
    add(in, columns.data() + half, w, flip);
  }
  for (int y = 0; y < grey.height; y++) {
    if (y > 0) {
      const uint8_t *in = row(grey, mirrored(y + half, grey.height)), *old = row(grey, mirrored(y - half - 1, grey.height));
      replace(in, old, columns.data() + half, w, flip);
    }
    if (writer.blank(y)) {
      writer.clear(y);
      continue;
    }
    for (int i = 1; i <= half; i++) {
      columns[half - i] = columns[half + mirrored(-i, w)];
      columns[half + w - 1 + i] = columns[half + mirrored(w - 1 + i, w)];
    }
    const uint8_t *in = row(grey, y);
    pairs<T, 1>(columns.data(), two.data(), n - 1);
    pairs<T, 2>(two.data(), four.data(), n - 3);
    pairs<T, 4>(four.data(), eight.data(), n - 7);
    // The mean is rounded: it is by or more above the pixel from this sum on.
    const T least = static_cast<T>(area * by - area / 2);
    if constexpr (block == 11) {
      const T *a = eight.data(), *b = two.data() + 8, *c = columns.data() + 10;
      writer.write(y, [=](int x, int n, uint8_t *out) { compare<T, area>(a + x, b + x, c + x, in + x, out, n, flip, least); });
    } else {
      static_assert(block == 11 || block == 21, "its sum is made of powers of two");
      pairs<T, 8>(eight.data(), sixteen.data(), n - 15);
      const T *a = sixteen.data(), *b = four.data() + 16, *c = columns.data() + 20;
      writer.write(y, [=](int x, int n, uint8_t *out) { compare<T, area>(a + x, b + x, c + x, in + x, out, n, flip, least); });
    }
  }
}

template <bool most> uint8_t extreme(uint8_t a, uint8_t b) { return most ? std::max(a, b) : std::min(a, b); }

// window writes the extreme of each width pixels of in, which is width - 1 longer than
// out: first of five or six, then of such groups that cover it.
template <int width, bool most>
void window(const uint8_t *__restrict in, uint8_t *__restrict groups, uint8_t *__restrict out, int n) {
  static_assert(width == 21 || width == 31, "other widths need other groups");
  constexpr int g = width / 5, last = width - g;
  for (int x = 0; x < n + last; x++) {
    uint8_t v = extreme<most>(extreme<most>(in[x], in[x + 1]), extreme<most>(in[x + 2], in[x + 3]));
    if constexpr (g > 4) {
      v = extreme<most>(v, extreme<most>(in[x + 4], in[x + g - 1]));
    }
    groups[x] = v;
  }
  for (int x = 0; x < n; x++) {
    const uint8_t a = extreme<most>(groups[x], groups[x + g]), b = extreme<most>(groups[x + 2 * g], groups[x + 3 * g]);
    out[x] = extreme<most>(extreme<most>(a, b), extreme<most>(groups[x + 4 * g], groups[x + last]));
  }
}

// ends sets what lies beyond both ends of a row of n pixels.
void ends(std::vector<uint8_t> &row, int beyond, int n, uint8_t value) {
  std::memset(row.data(), value, beyond);
  std::memset(row.data() + beyond + n, value, beyond);
}

// invert copies a row, inverted or not.
void invert(const uint8_t *__restrict in, uint8_t *__restrict out, int n, uint8_t flip) {
  for (int x = 0; x < n; x++) {
    out[x] = in[x] ^ flip;
  }
}

void subtract(const uint8_t *__restrict from, const uint8_t *__restrict in, uint8_t *__restrict out, int n, uint8_t flip) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<uint8_t>(from[x] - static_cast<uint8_t>(in[x] ^ flip));
  }
}

void larger(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, uint8_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = std::max(std::max(a[x], b[x]), c[x]);
  }
}

// strong sets what is above 0.45 times the largest around it, which is rounded, a half to
// the even number, and above least.
void strong(const uint8_t *__restrict hat, const uint8_t *__restrict a, const uint8_t *__restrict b,
            const uint8_t *__restrict c, uint8_t *__restrict out, int n) {
  constexpr int least = 10; // grey levels
  for (int x = 0; x < n; x++) {
    const uint8_t most = std::max(std::max(a[x], b[x]), c[x]), h = std::max<uint8_t>(hat[x], least);
    const int16_t twenty = static_cast<int16_t>(20 * h - 10 + (h & 1)), nine = static_cast<int16_t>(9 * most);
    out[x] = twenty > nine && h > least ? 255 : 0;
  }
}

void smooth_rows(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, int16_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<int16_t>(a[x] + 2 * b[x] + c[x]);
  }
}

// steps writes half of |in[x + 2] - in[x]|, a half to the even number, and adds it to sums.
void steps(const int16_t *__restrict in, uint8_t *__restrict out, uint16_t *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    const int16_t d = static_cast<int16_t>(in[x + 2] - in[x]);
    const int16_t size = std::max<int16_t>(d, static_cast<int16_t>(-d));
    const int16_t low = static_cast<int16_t>(size >> 1);
    const int16_t half = std::min<int16_t>(255, static_cast<int16_t>(low + (size & low & 1)));
    out[x] = static_cast<uint8_t>(half);
    sums[x] = static_cast<uint16_t>(sums[x] + half);
  }
}

} // namespace

extern "C" void pw_gradient(pw_plane grey, uint8_t *gradient, uint8_t *quarter, int quarter_width, int quarter_height) {
  const int w = grey.width, h = grey.height;
  std::vector<int16_t> smooth(w + 2);
  std::vector<uint16_t> sums(4 * static_cast<size_t>(quarter_width) + w);
  for (int y = 0; y < h; y++) {
    const uint8_t *a = row(grey, mirrored(y - 1, h)), *b = row(grey, y), *c = row(grey, mirrored(y + 1, h));
    int16_t *s = smooth.data();
    smooth_rows(a, b, c, s + 1, w);
    s[0] = s[1 + mirrored(-1, w)];
    s[w + 1] = s[1 + mirrored(w, w)];
    if (y % 4 == 0) {
      std::fill(sums.begin(), sums.end(), 0);
    }
    uint16_t *sum = sums.data();
    steps(s, gradient + static_cast<size_t>(y) * w, sum, w);
    const int line = y / 4;
    if (y % 4 != 3 && y != h - 1 || line >= quarter_height) {
      continue;
    }
    const int rows = y % 4 + 1;
    for (int x = 0; x < quarter_width; x++) {
      const int columns = std::min(4, w - 4 * x), count = rows * columns;
      const int total = sum[4 * x] + sum[4 * x + 1] + sum[4 * x + 2] + sum[4 * x + 3];
      // Rounded, a half to the even number.
      int mean = (2 * total + count) / (2 * count);
      if ((2 * total + count) % (2 * count) == 0) {
        mean &= ~1;
      }
      quarter[static_cast<size_t>(line) * quarter_width + x] = static_cast<uint8_t>(mean);
    }
  }
}

extern "C" void pw_off_mean(pw_plane grey, int block, int by, int light, pw_plane where, uint64_t *bits, int stride) {
  Writer writer(grey, where, bits, stride);
  if (block == 11) {
    off_mean<int16_t, 11>(grey, by, light != 0, writer); // at most 121 x 255 + 121 x by
  } else {
    off_mean<int32_t, 21>(grey, by, light != 0, writer);
  }
}

extern "C" void pw_hat(pw_plane grey, int light, pw_plane where, uint64_t *bits, int stride) {
  constexpr int stroke = 21, across = 31, down = 9; // pixels
  const int w = grey.width, h = grey.height;
  const uint8_t flip = light != 0 ? 255 : 0;
  Writer writer(grey, where, bits, stride);
  std::vector<uint8_t> work(w + across - 1), spare(w + across - 1), closed(w);
  // The rows around the one that is written: how far each pixel is below what is left
  // and right of it, the most of that beside it, and the most of three rows.
  std::vector<uint8_t> hats(static_cast<size_t>(down) * w), beside(static_cast<size_t>(down) * w), three(static_cast<size_t>(down) * w);
  const auto at = [w](std::vector<uint8_t> &rows, int y) { return rows.data() + static_cast<size_t>(y % down) * w; };
  for (int y = 0; y < h + down / 2; y++) {
    if (y < h) {
      const uint8_t *in = row(grey, y);
      ends(work, stroke / 2, w, 0);
      invert(in, work.data() + stroke / 2, w, flip);
      window<stroke, true>(work.data(), spare.data(), closed.data(), w);
      ends(work, stroke / 2, w, 255);
      std::memcpy(work.data() + stroke / 2, closed.data(), w);
      window<stroke, false>(work.data(), spare.data(), closed.data(), w);
      subtract(closed.data(), in, at(hats, y), w, flip); // a closing is never below
      ends(work, across / 2, w, 0);
      std::memcpy(work.data() + across / 2, at(hats, y), w);
      window<across, true>(work.data(), spare.data(), at(beside, y), w);
    } else {
      std::memset(at(beside, y), 0, w);
    }
    larger(at(beside, y + down), at(beside, y + down - 1), at(beside, y + down - 2), at(three, y), w);
    const int wanted = y - down / 2;
    if (wanted < 0) {
      continue;
    }
    if (writer.blank(wanted)) {
      writer.clear(wanted);
      continue;
    }
    const uint8_t *hat = at(hats, wanted), *a = at(three, y), *b = at(three, y + down - 3), *c = at(three, y + down - 6);
    writer.write(wanted, [=](int x, int n, uint8_t *out) { strong(hat + x, a + x, b + x, c + x, out, n); });
  }
}
