// cv::imdecode with every exception caught: one that crosses into Go aborts
// the process.

#include "shim.h"

#include <climits>
#include <cstdio>
#include <exception>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

extern "C" int pw_imgcodecs_decode(const void *bytes, size_t n, int flags, void *mat, char *error,
                                   size_t error_size) {
  try {
    if (n == 0 || n > INT_MAX) {
      return 0;
    }
    auto *m = static_cast<cv::Mat *>(mat);
    const cv::Mat raw(1, static_cast<int>(n), CV_8UC1, const_cast<void *>(bytes));
    cv::imdecode(raw, flags, m);
    return m->empty() ? 0 : 1;
  } catch (const std::exception &e) {
    std::snprintf(error, error_size, "%s", e.what());
  } catch (...) {
    std::snprintf(error, error_size, "an exception of unknown type");
  }
  return -1;
}
