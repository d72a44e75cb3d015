// Means of 5 x 3 pixels.
#include "rows.h"

#include <algorithm>
#include <vector>

namespace {

void three(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, uint16_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    out[x] = static_cast<uint16_t>(a[x] + b[x] + c[x]);
  }
}

void fifteenth(const uint16_t *__restrict in, uint8_t *__restrict out, int n) {
  for (int x = 0; x < n; x++) {
    const uint16_t sum = static_cast<uint16_t>(in[x] + in[x + 1] + in[x + 2] + in[x + 3] + in[x + 4] + 7);
    out[x] = static_cast<uint8_t>(static_cast<uint32_t>(sum) * 4370 >> 16); // sum / 15, for all sums of 15 bytes
  }
}

} // namespace

extern "C" void pw_smooth(pw_plane grey, uint8_t *out) {
  constexpr int half = 2;
  const int w = grey.width, h = grey.height;
  std::vector<uint16_t> columns(w + 2 * half);
  uint16_t *at = columns.data() + half;
  for (int y = 0; y < h; y++) {
    three(row(grey, mirrored(y - 1, h)), row(grey, y), row(grey, mirrored(y + 1, h)), at, w);
    for (int i = 1; i <= half; i++) {
      at[-i] = at[mirrored(-i, w)];
      at[w - 1 + i] = at[mirrored(w - 1 + i, w)];
    }
    fifteenth(columns.data(), out + static_cast<size_t>(y) * w, w);
  }
}
