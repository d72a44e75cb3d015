// A thin C face of cv::VideoCapture. An exception that crosses into Go aborts
// the process, so every call catches everything and keeps the text.

#include "shim.h"

#include <exception>
#include <new>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>

struct pw_videoio {
  cv::VideoCapture cap;
  std::string error;
};

namespace {

template <typename Call>
int guarded(pw_videoio *v, Call call) noexcept {
  try {
    v->error.clear();
    return call() ? PW_YES : PW_NO;
  } catch (const std::exception &e) {  // cv::Exception is one
    try {
      v->error = e.what();
    } catch (...) {
    }
  } catch (...) {
    try {
      v->error = "an exception of unknown type";
    } catch (...) {
    }
  }
  return PW_FAILED;
}

}  // namespace

extern "C" {

pw_videoio *pw_videoio_new(void) {
  try {
    return new pw_videoio();
  } catch (...) {
    return nullptr;
  }
}

int pw_videoio_open(pw_videoio *v, const char *uri, int api, const int *params, int n) {
  return guarded(v, [=] {
    if (n == 0) {
      return v->cap.open(uri, api);
    }
    return v->cap.open(uri, api, std::vector<int>(params, params + n));
  });
}

int pw_videoio_read(pw_videoio *v, void *mat) {
  return guarded(v, [=] {
    auto *m = static_cast<cv::Mat *>(mat);
    return v->cap.read(*m) && !m->empty();
  });
}

int pw_videoio_set(pw_videoio *v, int prop, double value) {
  return guarded(v, [=] { return v->cap.set(prop, value); });
}

int pw_videoio_get(pw_videoio *v, int prop, double *value) {
  return guarded(v, [=] {
    *value = v->cap.get(prop);
    return true;
  });
}

const char *pw_videoio_error(const pw_videoio *v) { return v->error.c_str(); }

void pw_videoio_delete(pw_videoio *v) {
  try {
    delete v;
  } catch (...) {  // a backend that throws while closing: nothing is left to do
  }
}
}
