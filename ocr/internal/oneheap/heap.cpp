#include <malloc.h>

// oneHeap runs before main, because every thread that the Go runtime starts takes
// a heap at once, and keeps it.
__attribute__((constructor)) static void oneHeap() {
#ifdef __GLIBC__
  const int mib = 1 << 20;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 16 * mib);
  mallopt(M_TRIM_THRESHOLD, 16 * mib);
#endif
}
