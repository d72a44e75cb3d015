// The map of strokes that stand out from what is left and right of them.
#include "extreme.h"
#include "wanted.h"

namespace {

constexpr int stroke = 21, across = 31, down = 9; // pixels
// reach is how far beside a pixel its result is decided: by strokes around it, and by
// the strokes around those.
constexpr int reach = across / 2 + 2 * (stroke / 2);

template <bool light>
void subtract(const uint8_t *__restrict closed, const uint8_t *__restrict in, uint8_t *__restrict out, int n) {
  n = whole(n);
#pragma GCC unroll 4
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<uint8_t>(light ? in[x] - closed[x] : closed[x] - in[x]); // never below zero
  }
}

void larger(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, uint8_t *__restrict out, int n) {
#pragma GCC unroll 4
  for (int x = 0; x < n; x++) {
    out[x] = std::max(std::max(a[x], b[x]), c[x]);
  }
}

// strong sets what of a word is above 0.45 times the largest around it, which is rounded,
// a half to the even number, and above 10 grey levels. It is not inlined: there GCC loses
// __restrict, and for arm64 makes no vector instructions of it.
[[gnu::noinline]] void strong(const uint8_t *__restrict hat, const uint8_t *__restrict a, const uint8_t *__restrict b,
                              const uint8_t *__restrict c, uint8_t *__restrict out) {
  for (int x = 0; x < word_bits; x++) {
    // 0.45 x 22 is rounded to 10.
    const uint8_t most = std::max(std::max(a[x], b[x]), std::max<uint8_t>(c[x], 22));
    // (9 most + 10) / 20 would round a half up. There is one at 10, 30, 50 ..., and it is
    // rounded down at every other one, where bit 2 of most is 0.
    const uint16_t nine = static_cast<uint16_t>(9 * most + 9 + (most >> 2 & 1));
    const uint8_t rounded = static_cast<uint8_t>(nine * 3277u >> 16); // nine / 20
    out[x] = hat[x] > rounded ? 255 : 0;
  }
}

// Stretch is the columns from x0 up to, not including, x1 of a picture that is w wide. Its
// rows have some more pixels beyond either end.
struct Stretch {
  int x0, x1, w;

  int size(int beyond) const { return x1 - x0 + 2 * beyond; }

  // outside sets what lies outside of the picture.
  void outside(uint8_t *row, int beyond, uint8_t value) const {
    const int left = beyond - x0, right = w - x0 + beyond;
    if (left > 0) {
      std::memset(row, value, left);
    }
    if (right < size(beyond)) {
      std::memset(row + right, value, size(beyond) - right);
    }
  }
};

template <bool light> void write_hats(const pw_plane &grey, const pw_plane &where, uint64_t *bits, int stride) {
  const int w = grey.width, h = grey.height, room = w + 2 * reach + spare;
  const Wanted wanted(where, w, h, stride);
  std::vector<uint8_t> work(room), groups(room), closed(room);
  // The rows around the one that is written: how far each pixel is below what is left
  // and right of it, the most of that beside it, and the most of three rows.
  const auto rows = [room] { return std::vector<uint8_t>(static_cast<size_t>(down) * room); };
  std::vector<uint8_t> hats = rows(), beside = rows(), three = rows();
  const auto at = [room](std::vector<uint8_t> &rows, int y) { return rows.data() + static_cast<size_t>(y % down) * room; };
  // Up to which row each word is needed.
  std::vector<int> until(stride, -1);
  for (int y = -(down / 2); y < h + down / 2; y++) {
    if (y + down / 2 < h) {
      const uint64_t *ahead = wanted.row(y + down / 2);
      for (int word = 0; word < stride; word++) {
        if (ahead[word] != 0) {
          until[word] = y + 2 * (down / 2);
        }
      }
    }
    if (y < 0) {
      continue;
    }
    stretches(stride, [&](int word) { return until[word] >= y; }, [&](int from, int to) {
      const Stretch s{from * word_bits, to * word_bits, w};
      uint8_t *most = at(beside, y) + s.x0;
      if (y < h) {
        const int left = std::max(0, s.x0 - reach), right = std::min(w, s.x1 + reach);
        std::memcpy(work.data() + left - s.x0 + reach, row(grey, y) + left, right - left);
        s.outside(work.data(), reach, neutral<!light>);
        int beyond = reach - stroke / 2;
        window<stroke, !light>(work.data(), groups.data(), closed.data(), s.size(beyond));
        s.outside(closed.data(), beyond, neutral<light>);
        beyond -= stroke / 2;
        window<stroke, light>(closed.data(), groups.data(), closed.data(), s.size(beyond));
        uint8_t *hat = at(hats, y) + s.x0;
        subtract<light>(closed.data(), work.data() + reach - beyond, hat, s.size(beyond));
        s.outside(hat, beyond, 0);
        window<across, true>(hat, groups.data(), most, s.size(0));
      } else {
        std::memset(most, 0, s.size(0));
      }
      larger(most, at(beside, y + down - 1) + s.x0, at(beside, y + down - 2) + s.x0, at(three, y) + s.x0, s.size(0));
    });
    const int written = y - down / 2;
    if (written < 0) {
      continue;
    }
    const uint64_t *open = wanted.row(written);
    uint64_t *out = bits + static_cast<size_t>(written) * stride;
    const uint8_t *hat = at(hats, written) + across / 2, *a = at(three, y), *b = at(three, y + down - 3), *c = at(three, y + down - 6);
    for (int word = 0; word < stride; word++) {
      if (open[word] == 0) {
        out[word] = 0;
        continue;
      }
      const int x = word * word_bits;
      uint8_t pixels[word_bits];
      strong(hat + x, a + x, b + x, c + x, pixels);
      out[word] = packed(pixels) & open[word];
    }
  }
}

} // namespace

extern "C" void pw_hat(pw_plane grey, int light, pw_plane where, uint64_t *bits, int stride) {
  (light != 0 ? write_hats<true> : write_hats<false>)(grey, where, bits, stride);
}
