// Products are rounded before they are added, so that every processor has the same means: those
// with fused multiplications would differ in the last bit.
#pragma GCC optimize("fp-contract=off")

#include "resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

namespace {

// Share is how much of a pixel of the result a pixel of the source makes up, along one side.
struct Share {
  int from, to;
  float part;
};

// shares are those of all pixels, in turn, as cv::resize has them: what sticks out by less than
// a thousandth counts for nothing.
std::vector<Share> shares(int from, int to, double scale) {
  constexpr double least = 1e-3;
  std::vector<Share> all;
  all.reserve(static_cast<size_t>(from) + 2 * static_cast<size_t>(to));
  for (int i = 0; i < to; i++) {
    const double begin = i * scale, end = begin + scale, whole = std::min(scale, from - begin);
    const int last = std::min(static_cast<int>(std::floor(end)), from - 1), first = std::min(static_cast<int>(std::ceil(begin)), last);
    if (first - begin > least) {
      all.push_back({first - 1, i, static_cast<float>((first - begin) / whole)});
    }
    for (int at = first; at < last; at++) {
      all.push_back({at, i, static_cast<float>(1 / whole)});
    }
    if (end - last > least) {
      all.push_back({last, i, static_cast<float>(std::min(std::min(end - last, 1.0), whole) / whole)});
    }
  }
  return all;
}

// Rows go through the sums across in groups, a lane for each. The compiler finds no vector in
// these sums by itself; this type is one on every processor.
constexpr int lanes = 4;
using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));

void interleaved(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, const uint8_t *__restrict d,
                 float *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[lanes * x] = a[x];
    out[lanes * x + 1] = b[x];
    out[lanes * x + 2] = c[x];
    out[lanes * x + 3] = d[x];
  }
}

void apart(const float *__restrict in, float *__restrict a, float *__restrict b, float *__restrict c, float *__restrict d, int n) {
  for (int x = 0; x < n; x++) {
    a[x] = in[lanes * x];
    b[x] = in[lanes * x + 1];
    c[x] = in[lanes * x + 2];
    d[x] = in[lanes * x + 3];
  }
}

void weigh(const float *__restrict in, float part, float *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    sums[x] = part * in[x];
  }
}

void add(const float *__restrict in, float part, float *__restrict sums, int n) {
  for (int x = 0; x < n; x++) {
    sums[x] += part * in[x];
  }
}

// rounded rounds a half to the even number: at this size a float has no bits behind the point.
void rounded(const float *__restrict sums, uint8_t *__restrict out, int n) {
  constexpr float large = 3 << 22;
  for (int x = 0; x < n; x++) {
    const float v = sums[x] + large;
    int32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    out[x] = static_cast<uint8_t>(std::min(bits & 0xffff, 255)); // never below zero
  }
}

} // namespace

extern "C" int pw_shrunk(pw_picture from, pw_picture to, double scale) try {
  const std::vector<Share> columns = shares(from.width, to.width, scale), rows = shares(from.height, to.height, scale);
  std::vector<float> group(static_cast<size_t>(lanes) * from.width), means(static_cast<size_t>(lanes) * to.width);
  std::vector<float> lines(means.size()), sums(to.width);
  const auto line = [&](int i) { return lines.data() + static_cast<size_t>(i) * to.width; };
  size_t next = 0;
  for (int y = 0; y < from.height; y += lanes) {
    const auto in = [&](int i) { return from.pixels + static_cast<size_t>(std::min(y + i, from.height - 1)) * from.width; };
    interleaved(in(0), in(1), in(2), in(3), group.data(), from.width);
    for (size_t i = 0; i < columns.size();) {
      const int x = columns[i].to;
      Lanes sum = {};
      for (; i < columns.size() && columns[i].to == x; i++) {
        Lanes pixels;
        std::memcpy(&pixels, group.data() + static_cast<size_t>(lanes) * columns[i].from, sizeof pixels);
        sum += pixels * columns[i].part;
      }
      std::memcpy(means.data() + static_cast<size_t>(lanes) * x, &sum, sizeof sum);
    }
    apart(means.data(), line(0), line(1), line(2), line(3), to.width);
    for (; next < rows.size() && rows[next].from < y + lanes; next++) {
      const Share &r = rows[next];
      const bool first = next == 0 || rows[next - 1].to != r.to, last = next + 1 == rows.size() || rows[next + 1].to != r.to;
      (first ? weigh : add)(line(r.from - y), r.part, sums.data(), to.width);
      if (last) {
        rounded(sums.data(), to.pixels + static_cast<size_t>(r.to) * to.width, to.width);
      }
    }
  }
  return 1;
} catch (const std::bad_alloc &) {
  return 0;
}
