#include "resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

namespace {

constexpr int fine = 16;   // bits behind the point of a place
constexpr int steps = 32;  // places between two pixels that the cubic knows
constexpr int weight = 11; // bits behind the point of the cubic's weights
constexpr int kept = 3;    // bits behind the point of what the first pass writes

// Columns and rows that are repeated before the first and after the last one.
constexpr int ahead = 2, behind = 3;

int32_t fixed(double v) { return static_cast<int32_t>(std::lround(std::clamp(v, -32000.0, 32000.0) * (1 << fine))); }

// Weights of four pixels at each of the places between the inner two: R. Keys,
// Cubic convolution interpolation for digital image processing, 1981, with
// a = -0.75, as cv::INTER_CUBIC has it.
struct Cubic {
  int16_t at[steps][4];
  Cubic() {
    const double a = -0.75;
    auto w = [a](double d) {
      d = std::fabs(d);
      return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    };
    for (int i = 0; i < steps; i++) {
      int sum = 0;
      for (int k = 0; k < 4; k++) {
        at[i][k] = static_cast<int16_t>(std::lround(w(k - 1 - static_cast<double>(i) / steps) * (1 << weight)));
        sum += at[i][k];
      }
      at[i][1] += (1 << weight) - sum;
    }
  }
};
const Cubic cubic;

constexpr int32_t nearest = 1 << (fine - 6); // half a step
constexpr int lanes = 8;                     // rows of a column come in groups

// raised is added to the pixels, so that none is negative where the cubic overshoots.
constexpr int raised = 1 << 12;

// across weighs the same rows of four columns.
void across(const int16_t *__restrict a, const int16_t *__restrict b, const int16_t *__restrict c, const int16_t *__restrict d,
            const int16_t *w, int32_t *__restrict out, int rows) {
  const int16_t wa = w[0], wb = w[1], wc = w[2], wd = w[3];
  for (int y = 0; y < rows / lanes * lanes; y++) {
    out[y] = ((wa * a[y] + wb * b[y] + wc * c[y] + wd * d[y] + (1 << (weight - kept - 1))) >> (weight - kept)) + raised;
  }
}

// Pairs are the four weights of each step for two products of 64 bits: of a + b x 2^32 and
// d + c x 2^32 the upper half is a c + b d, if neither a nor the lower half, a d, is negative.
struct Pairs {
  uint64_t at[steps][2]; // modulo 2^64: of the products only what fits there counts
  Pairs() {
    for (int i = 0; i < steps; i++) {
      for (int k = 0; k < 2; k++) {
        at[i][k] = static_cast<uint64_t>(cubic.at[i][2 * k + 1] + cubic.at[i][2 * k] * (int64_t{1} << 32));
      }
    }
  }
};
const Pairs pairs;

// weighed is the sum of four pixels, weighed and rounded. The lower half, of which two weights
// are negative, is added to more than it can be below zero.
inline int16_t weighed(const int32_t *pixels, const uint64_t (&w)[2]) {
  uint64_t a, b;
  std::memcpy(&a, pixels, sizeof a);
  std::memcpy(&b, pixels + 2, sizeof b);
  constexpr int64_t half = 1 << (weight + kept - 1), offset = int64_t{raised} << weight, above = 1 << 26;
  constexpr auto rounding = static_cast<uint64_t>((half - offset) * (int64_t{1} << 32) + above);
  return static_cast<int16_t>(static_cast<int64_t>(a * w[0] + b * w[1] + rounding) >> (32 + weight + kept));
}

void clamped(const int16_t *__restrict in, uint8_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<uint8_t>(std::clamp<int16_t>(in[x], 0, 255));
  }
}

} // namespace

extern "C" int pw_sheared(pw_picture from, pw_picture to, pw_affine m) try {
  const int width = to.width, columns = from.width + ahead + behind;
  const int rows = (from.height + ahead + behind + lanes - 1) / lanes * lanes;
  // The source and what becomes of it, column after column: the four pixels that are weighed
  // for one are next to each other then.
  std::vector<int16_t> source(static_cast<size_t>(columns) * rows);
  std::vector<int32_t> wide(static_cast<size_t>(width) * rows);
  for (int y = 0; y < rows; y++) {
    const uint8_t *in = from.pixels + static_cast<size_t>(std::clamp(y - ahead, 0, from.height - 1)) * from.width;
    int16_t *out = source.data() + y;
    const auto fill = [&](int n, uint8_t v) {
      for (int x = 0; x < n; x++, out += rows) *out = v;
    };
    fill(ahead, in[0]);
#pragma GCC unroll 4
    for (int x = 0; x < from.width; x++, out += rows) *out = in[x];
    fill(behind, in[from.width - 1]);
  }
  std::vector<int32_t> lift(width);
  for (int x = 0; x < width; x++) {
    // Beyond the first and the last column there is nothing new.
    const int32_t at = std::clamp(fixed(m.a * x + m.c) + nearest, -(1 << fine), from.width << fine);
    const int16_t *four = &source[static_cast<size_t>((at >> fine) + ahead - 1) * rows];
    across(four, four + rows, four + 2 * rows, four + 3 * rows, cubic.at[at >> (fine - 5) & (steps - 1)], &wide[static_cast<size_t>(x) * rows], rows);
    lift[x] = fixed(m.d * x + m.f) + nearest;
  }
  std::vector<int16_t> line(width);
  for (int y = 0; y < to.height; y++) {
    const int32_t down = fixed(m.e * y), last = from.height << fine;
    const int32_t *column = wide.data() + ahead - 1;
#pragma GCC unroll 2
    for (int x = 0; x < width; x++, column += rows) {
      int32_t at = lift[x] + down;
      if (at < -(1 << fine) || at > last) {
        at = at < 0 ? -(1 << fine) : last; // as with columns
      }
      line[x] = weighed(column + (at >> fine), pairs.at[at >> (fine - 5) & (steps - 1)]);
    }
    clamped(line.data(), to.pixels + static_cast<size_t>(y) * width, width);
  }
  return 1;
} catch (const std::bad_alloc &) {
  return 0;
}

extern "C" int pw_halved(pw_picture from, pw_picture to, pw_affine m) try {
  const int32_t right = (from.width - 1) << fine, bottom = (from.height - 1) << fine;
  // One column and one row more, so that a place on the last one has a neighbour.
  const int stride = from.width + 1;
  std::vector<uint8_t> source(static_cast<size_t>(stride) * (from.height + 1));
  for (int y = 0; y <= from.height; y++) {
    const uint8_t *line = from.pixels + static_cast<size_t>(std::min(y, from.height - 1)) * from.width;
    std::memcpy(&source[static_cast<size_t>(y) * stride], line, from.width);
    source[static_cast<size_t>(y) * stride + from.width] = line[from.width - 1];
  }
  const int32_t a = fixed(m.a), d = fixed(m.d);
  std::vector<uint32_t> sum(to.width);
  for (int y = 0; y < 2 * to.height; y++) {
    int32_t px = fixed(m.b * y + m.c), py = fixed(m.e * y + m.f);
    for (int x = 0; x < to.width; x++) {
      uint32_t both = 0;
      for (int k = 0; k < 2; k++, px += a, py += d) {
        const int32_t qx = std::clamp(px, 0, right), qy = std::clamp(py, 0, bottom);
        const uint32_t u = (qx >> (fine - 8)) & 255, v = (qy >> (fine - 8)) & 255;
        const uint8_t *p = &source[static_cast<size_t>(qy >> fine) * stride + (qx >> fine)];
        both += (p[0] * (256 - u) + p[1] * u) * (256 - v) + (p[stride] * (256 - u) + p[stride + 1] * u) * v;
      }
      sum[x] += both;
    }
    if (y % 2 == 1) {
      uint8_t *out = to.pixels + static_cast<size_t>(y / 2) * to.width;
      for (int x = 0; x < to.width; x++) {
        out[x] = static_cast<uint8_t>((sum[x] + (1u << 17)) >> 18);
        sum[x] = 0;
      }
    }
  }
  return 1;
} catch (const std::bad_alloc &) {
  return 0;
}
