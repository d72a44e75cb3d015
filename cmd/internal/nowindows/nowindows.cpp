// The functions of opencv2/highgui.hpp that gocv's highgui.cpp refers to. Where
// a later OpenCV needs more, the linker keeps the library.
#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace {
[[noreturn]] void none() { CV_Error(cv::Error::StsNotImplemented, "this program has no windows"); }
} // namespace

namespace cv {
void destroyWindow(const String &) { none(); }
void imshow(const String &, InputArray) { none(); }
void moveWindow(const String &, int, int) { none(); }
void namedWindow(const String &, int) { none(); }
void resizeWindow(const String &, int, int) { none(); }
void setWindowProperty(const String &, int, double) { none(); }
void setWindowTitle(const String &, const String &) { none(); }
double getWindowProperty(const String &, int) { none(); }
int waitKey(int) { none(); }
Rect selectROI(const String &, InputArray, bool, bool) { none(); }
void selectROIs(const String &, InputArray, std::vector<Rect> &, bool, bool) { none(); }
int createTrackbar(const String &, const String &, int *, int, void (*)(int, void *), void *) { none(); }
int getTrackbarPos(const String &, const String &) { none(); }
void setTrackbarMax(const String &, const String &, int) { none(); }
void setTrackbarMin(const String &, const String &, int) { none(); }
void setTrackbarPos(const String &, const String &, int) { none(); }

// Of calib3d, which gocv's imgproc.cpp refers to and the Debian package's OpenCV does
// not have: the linker keeps this one function of gocv though nothing calls it.
Mat findHomography(InputArray, InputArray, int, double, OutputArray, const int, const double) {
  CV_Error(cv::Error::StsNotImplemented, "this program has no calib3d");
}
} // namespace cv

extern "C" void GDALAllRegister() {}
