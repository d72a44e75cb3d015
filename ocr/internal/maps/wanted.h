// Where a binary map is wanted, in words of its bits.
#pragma once
#include "words.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

// Wanted is a smaller picture, enlarged to width x height: its pixels that are set, as
// bits in rows of stride words.
class Wanted {
public:
  Wanted(const pw_plane &where, int width, int height, int stride)
      : stride_(stride), rows_(where.pixels == nullptr ? 1 : where.height), step_(1 / (static_cast<double>(height) / rows_)),
        open_(static_cast<size_t>(rows_) * stride) {
    if (where.pixels == nullptr) {
      set(open_.data(), 0, width);
      return;
    }
    // Where each column of the smaller picture begins, as cv::resize takes the nearest.
    const double step = 1 / (static_cast<double>(width) / where.width);
    std::vector<int> first(where.width + 1, width);
    for (int x = width - 1; x >= 0; x--) {
      first[std::min(static_cast<int>(x * step), where.width - 1)] = x;
    }
    for (int i = where.width - 1; i >= 0; i--) {
      first[i] = std::min(first[i], first[i + 1]); // one that has no column of its own
    }
    for (int y = 0; y < where.height; y++) {
      const uint8_t *in = ::row(where, y), *const end = in + where.width;
      const auto next = [end](const uint8_t *from, int value) {
        const void *at = std::memchr(from, value, end - from);
        return at != nullptr ? static_cast<const uint8_t *>(at) : end;
      };
      for (const uint8_t *from = next(in, 255); from < end;) {
        const uint8_t *to = next(from, 0);
        set(open_.data() + static_cast<size_t>(y) * stride, first[from - in], first[to - in]);
        from = next(to, 255);
      }
    }
  }

  // row is what is wanted of row y.
  const uint64_t *row(int y) const {
    return open_.data() + static_cast<size_t>(std::min(static_cast<int>(y * step_), rows_ - 1)) * stride_;
  }

private:
  // set sets the columns from x0 up to, not including, x1.
  static void set(uint64_t *words, int x0, int x1) {
    if (x0 >= x1) {
      return;
    }
    const int first = x0 / word_bits, last = (x1 - 1) / word_bits;
    const uint64_t from = ~0ull << (x0 & 63), to = ~0ull >> (63 - ((x1 - 1) & 63));
    if (first == last) {
      words[first] |= from & to;
      return;
    }
    words[first] |= from;
    std::fill(words + first + 1, words + last, ~0ull);
    words[last] |= to;
  }

  int stride_, rows_;
  double step_;
  std::vector<uint64_t> open_;
};

// stretches calls f with the first word and the one after the last of each stretch of
// words that are needed.
template <typename Needed, typename F> void stretches(int words, Needed needed, F f) {
  for (int from = 0; from < words; from++) {
    if (!needed(from)) {
      continue;
    }
    int to = from + 1;
    while (to < words && needed(to)) {
      to++;
    }
    f(from, to);
    from = to;
  }
}

} // namespace
