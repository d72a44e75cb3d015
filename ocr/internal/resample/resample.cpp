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

// The first of the four pixels that the cubic weighs at a place, counted from two
// before the first of length, and the weights.
inline int first(int32_t at, int length, const int16_t **weights) {
  at += 1 << (fine - 6); // to the nearest step
  int i = at >> fine, t = (at >> (fine - 5)) & (steps - 1);
  if (i < -1) i = -1, t = 0;
  if (i > length - 1) i = length - 1, t = 0;
  *weights = cubic.at[t];
  return i + 1;
}

} // namespace

extern "C" int pw_sheared(pw_picture from, pw_picture to, pw_affine m) try {
  const int rows = from.height + ahead + behind, width = to.width;
  std::vector<int16_t> wide(static_cast<size_t>(rows) * width);
  std::vector<int32_t> start(width), lift(width);
  std::vector<const int16_t *> weights(width);
  for (int x = 0; x < width; x++) {
    start[x] = first(fixed(m.a * x + m.c), from.width, &weights[x]);
    lift[x] = fixed(m.d * x + m.f);
  }
  // Across: every row of the source, as wide as the result.
  std::vector<uint8_t> padded(from.width + ahead + behind);
  for (int y = 0; y < from.height; y++) {
    const uint8_t *line = from.pixels + static_cast<size_t>(y) * from.width;
    std::memset(padded.data(), line[0], ahead);
    std::memcpy(padded.data() + ahead, line, from.width);
    std::memset(padded.data() + ahead + from.width, line[from.width - 1], behind);
    int16_t *out = &wide[static_cast<size_t>(y + ahead) * width];
    for (int x = 0; x < width; x++) {
      const uint8_t *p = padded.data() + start[x];
      const int16_t *w = weights[x];
      out[x] = static_cast<int16_t>((w[0] * p[0] + w[1] * p[1] + w[2] * p[2] + w[3] * p[3] + (1 << (weight - kept - 1))) >> (weight - kept));
    }
  }
  for (int i = 0; i < ahead; i++) std::memcpy(&wide[static_cast<size_t>(i) * width], &wide[static_cast<size_t>(ahead) * width], width * sizeof(int16_t));
  for (int i = 0; i < behind; i++)
    std::memcpy(&wide[static_cast<size_t>(ahead + from.height + i) * width], &wide[static_cast<size_t>(ahead + from.height - 1) * width], width * sizeof(int16_t));
  // Down: every column at its own height.
  for (int y = 0; y < to.height; y++) {
    const int32_t at = fixed(m.e * y);
    uint8_t *out = to.pixels + static_cast<size_t>(y) * width;
    for (int x = 0; x < width; x++) {
      const int16_t *w;
      const int16_t *p = &wide[static_cast<size_t>(first(at + lift[x], from.height, &w)) * width + x];
      int v = (w[0] * p[0] + w[1] * p[width] + w[2] * p[2 * width] + w[3] * p[3 * width] + (1 << (weight + kept - 1))) >> (weight + kept);
      out[x] = static_cast<uint8_t>(std::clamp(v, 0, 255));
    }
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
