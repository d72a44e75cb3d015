#include "shape.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

// Group is a shape, or a part of one whose parent is another group.
struct Group {
  int32_t parent;
  pw_shape shape;
};

// root returns the group that i has become part of.
int32_t root(Group *groups, int32_t i) {
  while (groups[i].parent != i) {
    groups[i].parent = groups[groups[i].parent].parent;
    i = groups[i].parent;
  }
  return i;
}

// merge joins two groups and returns the older one.
int32_t merge(Group *groups, int32_t a, int32_t b) {
  if (a == b) {
    return a;
  }
  if (b < a) {
    std::swap(a, b);
  }
  pw_shape &old = groups[a].shape, &young = groups[b].shape;
  groups[b].parent = a;
  old.x0 = std::min(old.x0, young.x0);
  old.x1 = std::max(old.x1, young.x1);
  old.y1 = std::max(old.y1, young.y1);
  old.area += young.area;
  return a;
}

// edges writes where the runs of a row begin and end, and returns the end of what is written.
int32_t *edges(const uint64_t *row, int stride, int32_t *out) {
  uint64_t before = 0; // the last pixel of the word before
  for (int i = 0; i < stride; i++) {
    const uint64_t bits = row[i];
    for (uint64_t change = bits ^ (bits << 1 | before); change != 0; change &= change - 1) {
      *out++ = 64 * i + __builtin_ctzll(change);
    }
    before = bits >> 63;
  }
  return out;
}

} // namespace

extern "C" int pw_shapes(const uint64_t *bits, int stride, int height, pw_shape **shapes) try {
  std::vector<Group> groups;
  groups.reserve(1024);
  // Edges and groups of the runs of the row above, and of the current one.
  const size_t most = static_cast<size_t>(stride) * 64 + 2;
  std::vector<int32_t> rows(2 * most), of(most);
  int32_t *above = rows.data(), *below = above + most, *group_above = of.data(), *group_below = group_above + most / 2;
  int32_t *above_end = above;
  for (int y = 0; y < height; y++) {
    int32_t *const end = edges(bits + static_cast<size_t>(y) * stride, stride, below);
    const int32_t *near = above;
    int32_t *group = group_below;
    for (const int32_t *run = below; run < end; run += 2) {
      const int32_t x0 = run[0], x1 = run[1];
      while (near < above_end && near[1] < x0) {
        near += 2;
      }
      int32_t in;
      if (near < above_end && near[0] <= x1) { // they touch, perhaps at a corner
        in = root(groups.data(), group_above[(near - above) / 2]);
        for (const int32_t *next = near + 2; next < above_end && next[0] <= x1; next += 2) {
          in = merge(groups.data(), in, root(groups.data(), group_above[(next - above) / 2]));
        }
        pw_shape &shape = groups[in].shape;
        shape.x0 = std::min(shape.x0, x0);
        shape.x1 = std::max(shape.x1, x1);
        shape.y1 = y + 1;
        shape.area += x1 - x0;
      } else {
        in = static_cast<int32_t>(groups.size());
        groups.push_back({in, {x0, y, x1, y + 1, x1 - x0}});
      }
      *group++ = in;
    }
    std::swap(above, below);
    std::swap(group_above, group_below);
    above_end = end;
  }
  int n = 0;
  for (size_t i = 0; i < groups.size(); i++) {
    n += groups[i].parent == static_cast<int32_t>(i);
  }
  *shapes = static_cast<pw_shape *>(std::malloc(std::max(1, n) * sizeof **shapes));
  if (*shapes == nullptr) {
    return -1;
  }
  pw_shape *out = *shapes;
  for (size_t i = 0; i < groups.size(); i++) {
    if (groups[i].parent == static_cast<int32_t>(i)) {
      *out++ = groups[i].shape;
    }
  }
  return n;
} catch (const std::bad_alloc &) {
  return -1;
}
