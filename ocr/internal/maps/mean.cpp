// What is darker or brighter than the mean around it.
#include "rows.h"

#include <algorithm>
#include <array>
#include <vector>

namespace {

// compare sets the pixels whose block of columns has a sum from what least says of them on. The
// sum runs along the row: made of powers of two for several pixels at a time it
// takes more instructions, because the sums of blocks so large need 32 bits.
void compare(const uint8_t *__restrict in, const uint16_t *__restrict columns, const std::array<int32_t, 256> &least,
             uint8_t *__restrict out, int n, int block, int flip) {
  int32_t sum = 0;
  for (int x = 0; x < block - 1; x++) {
    sum += columns[x];
  }
  for (int x = 0; x < n; x++) {
    sum += columns[x + block - 1];
    out[x] = static_cast<uint8_t>(-static_cast<int>(sum >= least[in[x]]) ^ flip);
    sum -= columns[x];
  }
}

} // namespace

extern "C" void pw_below_mean(pw_plane grey, int block, int by, int above, uint8_t *out) {
  const int w = grey.width, h = grey.height, half = block / 2, area = block * block;
  const auto near = [&](int y) { return row(grey, std::clamp(y, 0, h - 1)); };
  std::vector<uint16_t> columns(w + block - 1);
  for (int y = -half; y <= half; y++) {
    add(near(y), columns.data() + half, w);
  }
  // The mean is rounded: it is by or more above a pixel from this sum on. It is never half
  // way, because blocks are odd.
  std::array<int32_t, 256> least;
  for (int i = 0; i < 256; i++) {
    least[i] = area * (i + by) - area / 2;
  }
  for (int y = 0; y < h; y++) {
    if (y > 0) {
      replace(near(y + half), near(y - half - 1), columns.data() + half, w);
    }
    std::fill_n(columns.begin(), half, columns[half]);
    std::fill_n(columns.begin() + half + w, half, columns[half + w - 1]);
    compare(row(grey, y), columns.data(), least, out + static_cast<size_t>(y) * w, w, block, above ? 255 : 0);
  }
}
