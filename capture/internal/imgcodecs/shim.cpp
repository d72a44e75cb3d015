// cv::imdecode with every exception caught, since one that crosses into Go
// aborts the process, and without what the codecs print by themselves.

#include "shim.h"

#include <climits>
#include <cstdio>
#include <exception>
#include <iostream>
#include <mutex>
#include <streambuf>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

namespace {

// libjpeg, libpng and OpenCV itself write about damaged pictures on standard
// error, past the error that is returned: "Corrupt JPEG data: premature end of
// data segment" amid a program's own lines. OpenCV gives no way to stop them.
// So while a picture is decoded, what C and C++ mean by standard error is
// somewhere else; in the GNU C library stderr is a variable that may be set
// (The GNU C Library, 12.2 Standard Streams). Go writes to the descriptor and
// notices nothing. The other places are never closed: another thread may have
// taken hold of them meanwhile.
class Quiet {
public:
  Quiet() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (decoding_++ == 0) {
      static FILE *const nowhere = std::fopen("/dev/null", "we");
      static Nothing nothing;
      c_ = stderr;
      if (nowhere != nullptr) {
        stderr = nowhere;
      }
      cpp_ = std::cerr.rdbuf(&nothing);
    }
  }
  ~Quiet() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--decoding_ == 0) {
      stderr = c_;
      std::cerr.rdbuf(cpp_);
    }
  }
  Quiet(const Quiet &) = delete;
  Quiet &operator=(const Quiet &) = delete;

private:
  class Nothing : public std::streambuf {
    int overflow(int c) override { return c == EOF ? 0 : c; }
  };

  static std::mutex mutex_;
  static int decoding_; // pictures at this moment
  static FILE *c_;      // what they really are
  static std::streambuf *cpp_;
};

std::mutex Quiet::mutex_;
int Quiet::decoding_ = 0;
FILE *Quiet::c_ = nullptr;
std::streambuf *Quiet::cpp_ = nullptr;

} // namespace

extern "C" int pw_imgcodecs_decode(const void *bytes, size_t n, int flags, void *mat, char *error,
                                   size_t error_size) {
  try {
    if (n == 0 || n > INT_MAX) {
      return 0;
    }
    const Quiet quiet;
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
