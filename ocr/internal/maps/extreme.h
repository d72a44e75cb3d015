// The largest and the smallest pixels of windows, across and down.
#pragma once
#include "rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace {

template <bool most> uint8_t extreme(uint8_t a, uint8_t b) { return most ? std::max(a, b) : std::min(a, b); }

// neutral is what does not change an extreme.
template <bool most> constexpr uint8_t neutral = most ? 0 : 255;

// window writes the extreme of each width pixels of in, which is width - 1 longer than
// out and may be out: first of four to six, then of such groups that cover it.
template <int width, bool most>
void window(const uint8_t *in, uint8_t *__restrict groups, uint8_t *out, int n) {
  static_assert(width == 21 || width == 25 || width == 31, "other widths need other groups");
  constexpr int g = width / 5, last = width - g;
  n = whole(n);
  const int wide = whole(n + last);
#pragma GCC unroll 4
  for (int x = 0; x < wide; x++) {
    uint8_t v = extreme<most>(extreme<most>(in[x], in[x + 1]), extreme<most>(in[x + 2], in[x + 3]));
    if constexpr (g > 4) {
      v = extreme<most>(v, in[x + 4]);
    }
    if constexpr (g > 5) {
      v = extreme<most>(v, in[x + 5]);
    }
    groups[x] = v;
  }
#pragma GCC unroll 4
  for (int x = 0; x < n; x++) {
    const uint8_t a = extreme<most>(groups[x], groups[x + g]), b = extreme<most>(groups[x + 2 * g], groups[x + 3 * g]);
    uint8_t v = extreme<most>(extreme<most>(a, b), groups[x + last]);
    if constexpr (last > 4 * g) {
      v = extreme<most>(v, groups[x + 4 * g]);
    }
    out[x] = v;
  }
}

// together is how many rows the windows down are computed for at once: they share most
// of the rows that they look at.
constexpr int together = 4;

// columns writes the extremes of the height rows from each of the first together of in on.
template <int height, bool most>
void columns(const std::array<const uint8_t *, height + together - 1> in, const std::array<uint8_t *, together> out, int n) {
#pragma GCC ivdep
  for (int x = 0; x < n; x++) {
    uint8_t shared = in[together - 1][x];
#pragma GCC unroll 16
    for (int i = together; i < height; i++) {
      shared = extreme<most>(shared, in[i][x]);
    }
    const uint8_t above1 = in[2][x], above2 = extreme<most>(above1, in[1][x]), above3 = extreme<most>(above2, in[0][x]);
    const uint8_t below1 = in[height][x], below2 = extreme<most>(below1, in[height + 1][x]);
    const uint8_t below3 = extreme<most>(below2, in[height + 2][x]);
    out[0][x] = extreme<most>(shared, above3);
    out[1][x] = extreme<most>(shared, extreme<most>(above2, below1));
    out[2][x] = extreme<most>(shared, extreme<most>(above1, below2));
    out[3][x] = extreme<most>(shared, below3);
  }
}

// closed writes the closing of a picture by width x height pixels: the smallest of the
// largest around. What lies beyond the picture counts for neither. out may be the picture
// itself: a row is written after the last one that needs it was read.
template <int width, int height> void closed(const pw_plane &in, uint8_t *out) {
  constexpr int across = width / 2, half = height / 2;
  static_assert(half <= together, "the rows that are ready reach one group further");
  const int w = in.width, h = in.height, room = whole(w) + 2 * whole(width) + spare;
  std::vector<uint8_t> groups(room), dark(room, neutral<true>), light(room, neutral<false>);
  std::vector<uint8_t> largest(static_cast<size_t>(together) * room), smallest(static_cast<size_t>(3 * together) * room);
  const auto ready = [&](int y) { return smallest.data() + static_cast<size_t>(y % (3 * together)) * room; };
  for (int y = 0; y < h + together; y += together) {
    // The largest of these rows, and the smallest of those across.
    if (y < h) {
      std::array<const uint8_t *, height + together - 1> from;
      for (int i = 0; i < static_cast<int>(from.size()); i++) {
        const int at = y - half + i;
        from[i] = at < 0 || at >= h ? dark.data() : row(in, at);
      }
      std::array<uint8_t *, together> to;
      for (int i = 0; i < together; i++) {
        to[i] = largest.data() + static_cast<size_t>(i) * room;
        std::memset(to[i], neutral<true>, across);
        to[i] += across;
      }
      columns<height, true>(from, to, w);
      for (int i = 0; i < together && y + i < h; i++) {
        uint8_t *line = largest.data() + static_cast<size_t>(i) * room;
        std::memset(line + across + w, neutral<true>, across);
        window<width, true>(line, groups.data(), line + across, w);
        std::memset(line, neutral<false>, across);
        std::memset(line + across + w, neutral<false>, across);
        window<width, false>(line, groups.data(), ready(y + i), w);
      }
    }
    const int written = y - together;
    if (written < 0) {
      continue;
    }
    std::array<const uint8_t *, height + together - 1> from;
    for (int i = 0; i < static_cast<int>(from.size()); i++) {
      const int at = written - half + i;
      from[i] = at < 0 || at >= h ? light.data() : ready(at);
    }
    std::array<uint8_t *, together> to;
    for (int i = 0; i < together; i++) {
      to[i] = written + i < h ? out + static_cast<size_t>(written + i) * w : groups.data();
    }
    columns<height, false>(from, to, w);
  }
}

} // namespace
