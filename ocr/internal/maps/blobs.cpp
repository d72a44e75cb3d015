// Where upright dark strokes stand close together: maps.Strokes, Blobs and Opened.
#include "extreme.h"
#include "words.h"

namespace {

void subtract(const uint8_t *__restrict in, uint8_t *__restrict closed, size_t n) {
#pragma GCC unroll 4
  for (size_t x = 0; x < n; x++) {
    closed[x] = static_cast<uint8_t>(closed[x] - in[x]); // never below zero
  }
}

// slopes writes the sizes of the horizontal gradients of together rows, of which the first
// lies between rows a and c.
void slopes(const uint8_t *__restrict a, const uint8_t *__restrict b, const uint8_t *__restrict c, const uint8_t *__restrict d,
            const uint8_t *__restrict e, const uint8_t *__restrict f, uint8_t *__restrict out0, uint8_t *__restrict out1,
            uint8_t *__restrict out2, uint8_t *__restrict out3, int n) {
  const auto step = [](const uint8_t *in, int x) { return static_cast<int16_t>(in[x + 2] - in[x]); };
  const auto size = [](int16_t above, int16_t middle, int16_t below) {
    const int16_t d = static_cast<int16_t>(above + 2 * middle + below);
    return static_cast<uint8_t>(std::min<int16_t>(255, std::max<int16_t>(d, static_cast<int16_t>(-d))));
  };
  for (int x = 0; x < n; x++) {
    const int16_t sa = step(a, x), sb = step(b, x), sc = step(c, x), sd = step(d, x), se = step(e, x), sf = step(f, x);
    out0[x] = size(sa, sb, sc);
    out1[x] = size(sb, sc, sd);
    out2[x] = size(sc, sd, se);
    out3[x] = size(sd, se, sf);
  }
}

// nine writes for each bit the least or the most of the nine around it. Rows have a word
// more before the first one and after the last one.
template <bool most> void nine(const uint64_t *in, uint64_t *out, int words) {
  using wide = unsigned __int128;
  for (int i = 0; i < words; i++) {
    // From four before the first bit on.
    const wide all = in[i - 1] >> 60 | static_cast<wide>(in[i]) << 4 | static_cast<wide>(in[i + 1]) << 68;
    if (most ? all == 0 : in[i] == 0) {
      out[i] = 0;
      continue;
    }
    const auto both = [](wide a, wide b) { return most ? a | b : a & b; };
    wide v = both(all, all >> 1);
    v = both(v, v >> 2);
    v = both(v, v >> 4);
    out[i] = static_cast<uint64_t>(both(v, all >> 8));
  }
}

// seven writes the least or the most of the seven rows around row y.
template <bool most> void seven(const uint64_t *bits, int y, int h, uint64_t *__restrict out, int words) {
  const auto at = [&](int i) { return bits + static_cast<size_t>(std::clamp(y + i, 0, h - 1)) * words; };
  const uint64_t *a = at(-3), *b = at(-2), *c = at(-1), *d = at(0), *e = at(1), *f = at(2), *g = at(3);
  for (int i = 0; i < words; i++) {
    out[i] = most ? a[i] | b[i] | c[i] | d[i] | e[i] | f[i] | g[i] : a[i] & b[i] & c[i] & d[i] & e[i] & f[i] & g[i];
  }
}

// above sets the bits of a word of pixels that are larger than least.
uint64_t above(const uint8_t *in, int least) {
  uint8_t largest = 0;
  for (int x = 0; x < word_bits; x++) {
    largest = std::max(largest, in[x]);
  }
  if (largest <= least) {
    return 0; // most words
  }
  uint8_t pixels[word_bits];
  const uint8_t from = static_cast<uint8_t>(least);
  for (int x = 0; x < word_bits; x++) {
    pixels[x] = in[x] > from ? 255 : 0;
  }
  return packed(pixels);
}

} // namespace

extern "C" void pw_strokes(pw_plane grey, uint8_t *hat, uint8_t *strokes) {
  const int w = grey.width, h = grey.height;
  closed<25, 9>(grey, hat);
  subtract(grey.pixels, hat, static_cast<size_t>(w) * h);
  std::vector<uint8_t> unused(static_cast<size_t>(together) * w);
  for (int y = 0; y < h; y += together) {
    const auto in = [&](int i) { return hat + static_cast<size_t>(mirrored(y + i, h)) * w; };
    const auto to = [&](int i) { return y + i < h ? strokes + static_cast<size_t>(y + i) * w : unused.data() + static_cast<size_t>(i) * w; };
    for (int i = 0; i < together; i++) {
      to(i)[0] = to(i)[w - 1] = 0; // beyond the ends the picture is mirrored
    }
    if (w > 2) {
      slopes(in(-1), in(0), in(1), in(2), in(3), in(4), to(0) + 1, to(1) + 1, to(2) + 1, to(3) + 1, w - 2);
    }
  }
}

extern "C" void pw_close(pw_plane in, uint8_t *out) { closed<21, 7>(in, out); }

extern "C" void pw_histogram(pw_plane in, uint32_t *counts) {
  const size_t n = static_cast<size_t>(in.width) * in.height;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t eight;
    std::memcpy(&eight, in.pixels + i, 8);
    if (eight == (eight >> 8 | eight << 56)) {
      counts[eight & 255] += 8;
      continue;
    }
    for (int k = 0; k < 8; k++) {
      counts[in.pixels[i + k]]++;
    }
  }
  for (; i < n; i++) {
    counts[in.pixels[i]]++;
  }
}

extern "C" void pw_above(pw_plane in, int least, int flip, uint64_t *bits, int stride) {
  const int w = in.width;
  for (int y = 0; y < in.height; y++) {
    uint64_t *to = bits + static_cast<size_t>(y) * stride;
    for (int x = 0; x < w; x += word_bits) {
      with_word(row(in, y) + x, w - x, [&](const uint8_t *from) { to[x / word_bits] = above(from, least) ^ (flip != 0 ? ~0ull : 0); });
    }
    finish(to, w, stride);
  }
}

extern "C" void pw_opened(pw_plane in, int least, uint64_t *bits, int stride) {
  const int w = in.width, h = in.height, words = (w + word_bits - 1) / word_bits;
  const uint64_t last = ~0ull >> (words * word_bits - w);
  std::vector<uint64_t> line(words + 2), across(static_cast<size_t>(words) * h), both(across.size());
  // The least: what lies beyond the picture is set.
  line[0] = line[words + 1] = ~0ull;
  for (int y = 0; y < h; y++) {
    const uint8_t *from = row(in, y);
    for (int i = 0; i < words; i++) {
      with_word(from + i * word_bits, w - i * word_bits, [&](const uint8_t *in) { line[i + 1] = above(in, least); });
    }
    line[words] |= ~last;
    uint64_t *to = &across[static_cast<size_t>(y) * words];
    nine<false>(line.data() + 1, to, words);
    to[words - 1] &= last;
  }
  for (int y = 0; y < h; y++) {
    seven<false>(across.data(), y, h, &both[static_cast<size_t>(y) * words], words);
  }
  // The most: what lies beyond it is not.
  line[0] = line[words + 1] = 0;
  for (int y = 0; y < h; y++) {
    seven<true>(both.data(), y, h, line.data() + 1, words);
    uint64_t *to = bits + static_cast<size_t>(y) * stride;
    nine<true>(line.data() + 1, to, words);
    finish(to, w, stride);
  }
}
